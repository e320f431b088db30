"""No float touches money: mypy proves it of what is typed, and one function refuses what arrives untyped.

What mypy takes for granted stays true: an int may stand where a float is asked for, and a bool is an int. So a Pence
can be handed to a function of floats, but nothing it returns is Pence again; and `Pence(True)` is only refused as it
arrives, by `whole_pence`.
"""

import re
from pathlib import Path

import pytest
from mypy import api

from config.money import NotPence, Pence, pounds, whole_pence

ROOT = Path(__file__).parents[2]

# Each line with "# no" must be an error, every other line none.
SNIPPET = """
from datetime import UTC, datetime
from adoptions.stripe_objects import Refund
from config.money import Pence, pounds, whole_pence

amount: Pence = whole_pence(500)
more: Pence = Pence(amount + 100)
half: Pence = Pence(amount // 2)
share: Pence = Pence(amount / 2)  # no
fee: Pence = amount * 0.5  # no
literal: Pence = 5.0  # no
bare: Pence = 500  # no
rounded: Pence = round(amount * 0.29)  # no
vat: Pence = Pence(amount * 1.2)  # no
text: str = pounds(amount * 1.0)  # no
whole: int = amount + 0.5  # no
Refund("re_1", "ch_1", amount, "succeeded", datetime.now(UTC))
Refund("re_1", "ch_1", amount * 0.5, "succeeded", datetime.now(UTC))  # no
Refund("re_1", "ch_1", 250, "succeeded", datetime.now(UTC))  # no
"""


def test_mypy_finds_every_float_that_would_become_money(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    Path("snippet.py").write_text(SNIPPET)
    Path("mypy.ini").write_text("[mypy]\nstrict = true\n")  # without the plugin that would start all of Django
    told, trouble, _status = api.run(["--config-file=mypy.ini", "--explicit-package-bases", "snippet.py"])
    found = {int(line) for line in re.findall(r"^snippet\.py:(\d+): error", told, re.MULTILINE)}
    expected = {number for number, line in enumerate(SNIPPET.splitlines(), 1) if line.endswith("# no")}
    assert found == expected, told + trouble


@pytest.mark.parametrize("told", [500.0, 5.5, True, "500", None, float("nan")])
def test_amount_from_outside_that_is_no_whole_number_is_refused(told: object) -> None:
    with pytest.raises(NotPence):
        whole_pence(told)


def test_amount_from_outside_stays_what_it_was() -> None:
    assert [whole_pence(told) for told in (0, -1, 500)] == [0, -1, 500]
    assert pounds(Pence(1250)) == "£12.50"
