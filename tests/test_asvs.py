"""config/deploy/ASVS.md answers for each requirement of ASVS 5.0.0, levels 1 and 2, once, and its proofs exist."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Section, and how many of its requirements are of level 1 or 2: 253 of 345. They come first in every section.
SECTIONS = (
    "1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4 "
    "5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 "
    "8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 "
    "11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 "
    "16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2"
)
STATES = {"met", "partly", "no", "operator", "not ours"}
NUMBER = re.compile(r"(\d+\.\d+)\.(\d+)(?:-(\d+))?")

type Row = tuple[list[str], str, str, str]


def rows(text: str) -> Iterator[Row]:
    """The requirements of each row, its state, its words and its proofs."""
    for line in text.splitlines():
        if re.match(r"\| \d", line):
            which, state, how, proof = (cell.strip() for cell in line.strip("|").split("|"))
            found = [
                f"{section}.{number}"
                for section, first, last in NUMBER.findall(which)
                for number in range(int(first), int(last or first) + 1)
            ]
            yield found, state, how, proof


def missing(proof: str, tests: set[str], proven: set[str]) -> list[str]:
    """Proofs that are none: no such test, file or threat with a test."""
    named = re.findall(r"`([^`]+)`", proof)
    threats = re.findall(r"\b[A-Z]\d+\b", re.sub(r"`[^`]+`", "", proof))
    gone = [each for each in named if each not in tests and not (ROOT / each).exists()]
    return gone + [each for each in threats if each not in proven]


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return list(rows((ROOT / "config/deploy/ASVS.md").read_text()))


def test_each_requirement_has_one_answer(table: list[Row]) -> None:
    wanted = [f"{s}.{n + 1}" for s, many in (each.split(":") for each in SECTIONS.split()) for n in range(int(many))]
    given = Counter(number for numbers, *_ in table for number in numbers)
    assert len(wanted) == 253
    assert {number for number in given if number not in wanted} == set()
    assert {number: given[number] for number in wanted if given[number] != 1} == {}


def test_each_proof_exists_and_what_is_met_has_one(table: list[Row]) -> None:
    threats = tomllib.loads((ROOT / "tests/threats.toml").read_text())
    proven = {threat for threat, about in threats.items() if "open" not in about}
    sources = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    tests = {
        node.name for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)
    }
    assert {state for _, state, _, _ in table} == STATES
    assert [(numbers[0], gone) for numbers, _, _, proof in table if (gone := missing(proof, tests, proven))] == []
    assert [numbers[0] for numbers, state, _, proof in table if state == "met" and not proof] == []
    assert [numbers[0] for numbers, _, how, _ in table if not how] == []


def test_proof_that_is_none_is_named() -> None:
    assert missing("C1 Z9 `test_x` `test_gone` `tests` `tests/gone.py`", {"test_x"}, {"C1"}) == [
        "test_gone",
        "tests/gone.py",
        "Z9",
    ]
