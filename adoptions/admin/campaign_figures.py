"""What campaigns have brought, as pages show it: each figure in words, with the address of the rows behind it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.http import HttpRequest

from config.money import pounds

from .. import campaign_report, matchback
from ..campaign_report import Brought, Figures, Group
from ..rows_behind import Behind
from .rows_behind import Ways

COLUMNS = {
    "landings": "Landings (about)",
    "started": "Pressed pay",
    "adoptions": "Adoptions",
    "new": "Of new people",
    "late": "Late",
    "first": "Brought first",
    "conversion": "Of those who came",
    "income_pence": "Received",
    "returned_pence": "Gone back",
    "tax_pence": "Gift Aid expected",
    "year_pence": "Over 12 months",
    "mean_pence": "Mean",
    "median_pence": "Median",
    "cost_pence": "Cost",
    "return_pence": "Back for £1",
}
OF_GROUPS = {"campaigns": "Campaigns", **COLUMNS}
NOTHING = "–"  # where there is nothing to divide by


@dataclass(frozen=True)
class Cell:
    words: str
    address: str


@dataclass(frozen=True)
class Line:
    of: Figures | Group
    cells: list[Cell]


def lines(request: HttpRequest, found: Iterable[Figures | Group]) -> Iterator[Line]:
    ways = Ways(request)
    for each in found:
        behind = {name: ways.to(rows) for name, rows in each.behind.items() if each.has_rows(name)}
        columns = OF_GROUPS if isinstance(each, Group) else COLUMNS
        yield Line(each, [Cell(in_words(each, name), behind.get(name, "")) for name in columns])


def in_words(each: Brought, name: str) -> str:
    value = getattr(each, name)
    if value is None or value == "":
        return NOTHING
    if name.endswith("_pence"):
        return pounds(value)
    return str(value) if isinstance(value, str) else f"{value:,}"


def of_one(request: HttpRequest, each: Figures) -> list[tuple[str, Cell]]:
    """For the screen of a campaign: what, and how much."""
    ways, behind = Ways(request), each.behind
    return [
        (what, Cell(much, ways.to(behind[name]) if each.has_rows(name) else ""))
        for what, much, name in campaign_report.words(each)
    ]


@dataclass(frozen=True)
class AnswersLine:
    of: matchback.Found
    adoptions: Cell
    income: Cell


def answers(request: HttpRequest, found: Iterable[matchback.Found]) -> list[AnswersLine]:
    """Without the link, by people to whom a campaign's mail had gone."""
    ways, told = Ways(request), []
    for each in found:
        only = (("answers", f"{each.campaign.pk}-{each.within}"),)
        behind = (Behind(f"adoptions_{rows}", only=only) for rows in ("adoption", "payment"))
        adoptions, income = (ways.to(rows) if each.adoptions else "" for rows in behind)
        told.append(AnswersLine(each, Cell(f"{each.adoptions:,}", adoptions), Cell(pounds(each.income_pence), income)))
    return told


def unknown(request: HttpRequest) -> Cell:
    """Landings with codes that are no campaign's."""
    landings = campaign_report.unknown_landings()
    behind = Behind("adoptions_campaignday").who(**{campaign_report.OF_ONE: campaign_report.NO_WORD})
    return Cell(f"{landings:,}", Ways(request).to(behind) if landings else "")
