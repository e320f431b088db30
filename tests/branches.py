"""Branch coverage without a tracer's price on Python 3.13.

coverage.py listens to Python's own monitor where that tells the two ways of a branch apart, which 3.14 was the first to
do; before, it traces every line of everything, which takes two fifths of a processor's time on top. Python 3.13 says
that a branch was taken and where to, so it is enough to go on listening until it has gone both ways. 3.12 is traced.

A pytest plugin, named in pyproject.toml, because coverage begins before any conftest.py is read; and one of coverage.py
in processes that tests start by `in_project`. What they start elsewhere is traced.
"""

import dis
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType

from coverage import bytecode, core, env, sysmon
from coverage.config import CoverageConfig


class BothWays(sysmon.SysMonitor):
    """Stops listening to a branch once it has gone both ways, rather than to each way by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.first_way: dict[tuple[int, int], int] = {}

    def sysmon_branch_either(self, code: CodeType, instruction_offset: int, destination_offset: int) -> object:
        branch = (id(code), instruction_offset)
        first = self.first_way.get(branch)
        if first == destination_offset:
            return None
        self.first_way[branch] = destination_offset
        disable = super().sysmon_branch_either(code, instruction_offset, destination_offset)
        return None if first is None else disable


def measure_as_3_14_does() -> None:
    events = sys.monitoring.events
    vars(events).update(BRANCH_LEFT=events.BRANCH, BRANCH_RIGHT=events.BRANCH)
    bytecode.RETURNS.add(dis.opmap["RETURN_CONST"])
    env.PYBEHAVIOR.branch_right_left = True
    env.SYSMON_DEFAULT = True
    vars(core).update(SysMonitor=BothWays)


def in_project(environment: Mapping[str, str]) -> dict[str, str]:
    """For a process in the project's own folder: if it is to be measured, then as quickly."""
    given = environment.get("COVERAGE_PROCESS_CONFIG")
    if given is None:
        return dict(environment)
    settings = CoverageConfig.deserialize(given)
    settings.plugins = [__name__]
    project = str(Path(__file__).parents[1])
    return {**environment, "COVERAGE_PROCESS_CONFIG": settings.serialize(), "PYTHONPATH": project}


def coverage_init(registry: object, options: object) -> None:
    """What coverage.py asks of a plugin; to be imported is enough."""


if (3, 13) <= sys.version_info < (3, 14):
    measure_as_3_14_does()
