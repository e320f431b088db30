"""What is measured the quick way is what the tracer would have measured."""

import ast
import os
import runpy
import subprocess
import sys
from pathlib import Path

from coverage import Coverage

SOURCE = """
def walks(rows, *, often):
    for row in rows:
        if row and often:
            continue
        while row < 3:
            row += 1
            if row == 2: break
        else:
            yield "whole"
        yield [each for each in rows if each] if rows else None
    return

def matches(value):
    match value:
        case 1:
            return "one"
        case {"a": _} if value["a"]:
            pass
        case _:
            with open("/dev/null"):
                try:
                    assert value or value is None
                except AssertionError:
                    return
                finally:
                    value = lambda: 1 if value else 2
    if value:
        if value != 1:
            return "value"

for often in (True, False):
    list(walks([0, 1, 4], often=often))
list(walks([], often=False))
assert matches(1) == "one"
for value in ({"a": 1}, {}, None):
    matches(value)
class Empty: pass
"""


def measured(core: str | None, file: Path) -> tuple[list[int], dict[int, tuple[int, int]]]:
    coverage = Coverage(data_file=None, branch=True, include=[str(file)], config_file=False, messages=False)
    coverage.set_option("run:core", core)
    with coverage.collect():
        runpy.run_path(str(file))
    return coverage.analysis2(str(file))[3], coverage.branch_stats(str(file))


def measured_apart(core: str | None, file: Path) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """In a process of its own: what threads of this one do meanwhile would be told to a monitor that knows them not."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    command = (
        "import pathlib, tests.branches, tests.test_branches as ours;"
        f"print(ours.measured({core!r}, pathlib.Path({str(file)!r})))"
    )
    root = Path(__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", command], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    found: tuple[list[int], dict[int, tuple[int, int]]] = ast.literal_eval(ran.stdout)
    return found


def test_branches_are_those_that_a_tracer_sees(tmp_path: Path) -> None:
    file = tmp_path / "walks.py"
    file.write_text(SOURCE)
    quick = measured_apart(None, file)
    assert quick == measured_apart("ctrace", file)
    assert any(taken < ways for ways, taken in quick[1].values())
