"""What is measured the quick way is what the tracer would have measured."""

import runpy
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


def test_branches_are_those_that_a_tracer_sees(tmp_path: Path) -> None:
    file = tmp_path / "walks.py"
    file.write_text(SOURCE)
    quick = measured(None, file)
    assert quick == measured("ctrace", file)
    assert any(taken < ways for ways, taken in quick[1].values())
