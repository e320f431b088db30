"""What campaign links have brought, each, or all with one word: visits, adoptions, money now and over a year, the cost.

All but the landings is summed up every hour with the other reports, see campaign_sums.py: a page reads the sums,
however many adoptions there are. Money is what the ledger says; landings are about right, as a count without cookies
is, and are those of now.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Coalesce

from config.money import pounds

from . import campaign_sums
from .models import ADOPTED, Campaign, CampaignDay, PaymentKind
from .rows_behind import Behind

WORDS = {"source": "utm_source", "medium": "utm_medium", "content": "utm_content"}
NO_WORD = "none"
LISTS = ("adoption", "payment", "campaignday")  # that are filtered by campaigns in one way
WENT_BACK = ",".join(kind for kind in PaymentKind if kind != PaymentKind.CHARGE)
OF_ONE = "campaign__id__exact"  # how lists are asked for one campaign; by a word they are by the field it stands in


@dataclass(frozen=True, slots=True)
class Brought(ABC):
    """Amounts are pence; a mean, a conversion or a return is None where there is nothing to divide by."""

    landings: int = 0
    started: int = 0  # who pressed pay, whatever became of it
    adoptions: int = 0  # paid for at some time
    new: int = 0  # of those, by people who had not adopted before
    late: int = 0  # of those, begun when the campaign was over
    first: int = 0  # adoptions of people whom it brought first, with whatever link they came now
    income_pence: int = 0  # received less what went back
    returned_pence: int = 0  # refunds and disputes
    tax_pence: int = 0  # what Gift Aid adds to it, whether or not it has been claimed yet
    year_pence: int = 0  # what the adoptions that run bring in twelve months, and what was given once and kept
    mean_pence: int | None = None
    median_pence: int | None = None
    cost_pence: int = 0

    @property
    def conversion_percent(self) -> str | None:
        """With one digit after the point; below one per cent with up to four: `7.5`, `0.1`, `0.0118`."""
        if not self.landings:
            return None
        parts = 10 if self.adoptions * 100 >= self.landings else 10_000
        whole, rest = divmod((200 * parts * self.adoptions + self.landings) // (2 * self.landings), parts)
        return f"{whole}.{rest:0{len(str(parts)) - 1}}".rstrip("0").removesuffix(".")

    @property
    def conversion(self) -> str:
        """For a person: `7.5 of 100`; where less than one of a hundred adopts, `1 in 1,000`."""
        if not self.landings:
            return ""
        if not self.adoptions:
            return "none"
        if self.adoptions * 100 < self.landings:
            return f"1 in {(2 * self.landings + self.adoptions) // (2 * self.adoptions):,}"
        return f"{self.conversion_percent} of 100"

    @property
    def return_pence(self) -> int | None:
        """Pence received for each pound spent."""
        return self.income_pence * 100 // self.cost_pence if self.cost_pence else None

    @property
    @abstractmethod
    def of(self) -> tuple[str, str]:
        """What the lists in the admin are filtered by to show its own: the field and what stands there."""

    @property
    def behind(self) -> dict[str, Behind]:
        """By the name of a figure, the list of the rows that it counts, or that it is worked out from."""
        field, word = self.of
        links = Behind("adoptions_campaign", only=(("id__exact", word) if field == OF_ONE else self.of,))
        started, money, days = (Behind(f"adoptions_{rows}", only=(self.of,)) for rows in LISTS)
        adopted, named = started.who(activated_at__isnull="0"), f"{field}:{word}"
        return {
            "landings": days,
            "started": started,
            **dict.fromkeys(("adoptions", "conversion", "mean_pence", "median_pence"), adopted),
            "new": Behind("adoptions_adoption").who(new=named),
            "late": Behind("adoptions_adoption").who(late=named),
            "first": Behind("adoptions_adoption").who(first=named),
            **dict.fromkeys(("income_pence", "return_pence", "tax_pence"), money),
            "returned_pence": money.who(kind__in=WENT_BACK),
            "year_pence": started.who(state__in=",".join(sorted(ADOPTED))),
            **dict.fromkeys(("campaigns", "cost_pence"), links),
        }

    def has_rows(self, figure: str) -> bool:
        """Whether there is anything behind a figure. What stays may be nothing although something came and went."""
        return bool(getattr(self, figure, 0)) or (figure == "income_pence" and bool(self.returned_pence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(Brought):
    """Of one campaign."""

    campaign: Campaign

    @property
    def title(self) -> str:
        return self.campaign.code

    @property
    def labels(self) -> tuple[str | int, ...]:
        campaign = self.campaign
        return campaign.code, campaign.name, campaign.utm_source, campaign.utm_medium, campaign.utm_content

    @property
    def of(self) -> tuple[str, str]:
        return OF_ONE, str(self.campaign.pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Brought):
    """Of all campaigns with one word in one field, or without any there."""

    field: str
    word: str
    campaigns: int

    @property
    def title(self) -> str:
        return self.word or NO_WORD

    @property
    def labels(self) -> tuple[str | int, ...]:
        return self.title, self.campaigns

    @property
    def of(self) -> tuple[str, str]:
        return self.field, self.word


def figures(campaigns: Iterable[Campaign]) -> list[Figures]:
    """In the order given."""
    wanted = list(campaigns)
    found = _brought(wanted, "id")
    return [Figures(campaign=each, cost_pence=each.cost_pence, **found.get(each.pk, {})) for each in wanted]


def grouped(campaigns: Iterable[Campaign], field: str) -> list[Group]:
    """By a field of WORDS: what brought most comes first. Whoever came is counted once: sums and medians are of all."""
    wanted = list(campaigns)
    found = _brought(wanted, field)
    groups: dict[str, list[Campaign]] = {}
    for each in wanted:
        groups.setdefault(getattr(each, field), []).append(each)
    rows = [
        Group(
            field=field,
            word=word,
            campaigns=len(alike),
            cost_pence=sum(each.cost_pence for each in alike),
            **found.get(word, {}),
        )
        for word, alike in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.income_pence, row.word))


def unknown_landings() -> int:
    """With codes that are no campaign's: mistyped, cut off, or made up."""
    total: int = CampaignDay.objects.filter(campaign=None).aggregate(all=Coalesce(Sum("landings"), 0))["all"]
    return total


Columns = dict[Any, dict[str, int]]  # by what stands in the field of a campaign that they are grouped by


def _brought(campaigns: list[Campaign], field: str) -> Columns:
    """The sums are kept by campaign: whatever words it has today, they are found under those."""
    groups = {each.pk: getattr(each, field) for each in campaigns}
    together: Columns = {}
    gave: dict[Any, Counter[int]] = {}
    for pk, what, value in campaign_sums.sums(campaigns):
        columns = together.setdefault(groups[pk], {})
        if what.startswith(campaign_sums.GAVE):
            gave.setdefault(groups[pk], Counter())[int(what.removeprefix(campaign_sums.GAVE))] += value
        else:
            columns[what] = columns.get(what, 0) + value
    for group, amounts in gave.items():
        together[group] |= _of_gifts(amounts)
    return together


def _of_gifts(amounts: Counter[int]) -> dict[str, int]:
    """How many gave something, and what: of two in the middle the lower one, which is what somebody gave."""
    number, given = amounts.total(), sum(pence * times for pence, times in amounts.items())
    rising = sorted(amounts)
    median = rising[bisect_left(list(accumulate(amounts[pence] for pence in rising)), (number + 1) // 2)]
    # Half a penny up, as people round.
    return {"adoptions": number, "mean_pence": (2 * given + number) // (2 * number), "median_pence": median}


HEADINGS_OF_FIGURES = (
    "Landings (about)",
    "Started",
    "Adoptions",
    "Of people new to us",
    "Of them late",
    "Of people it brought first",
    "Conversion %",
    "Income £",
    "Gone back £",
    "Gift Aid expected £",
    "Over 12 months £",
    "Mean £",
    "Median £",
    "Cost £",
    "Back for each £ spent",
)


def headings(by: str = "") -> tuple[str, ...]:
    """Of the lines of each campaign, or of those of groups by a key of WORDS."""
    labels = (by.capitalize(), "Campaigns") if by else ("Code", "Name", "Source", "Medium", "Content")
    return *labels, *HEADINGS_OF_FIGURES


def lines(found: Iterable[Figures | Group]) -> Iterator[list[str | int]]:
    """For a spreadsheet: amounts in pounds with two digits, empty where there is none."""
    for each in found:
        yield [
            *each.labels,
            *(each.landings, each.started, each.adoptions, each.new, each.late, each.first),
            "" if each.conversion_percent is None else each.conversion_percent,
            *(decimal(pence) for pence in (each.income_pence, each.returned_pence, each.tax_pence, each.year_pence)),
            *(decimal(pence) for pence in (each.mean_pence, each.median_pence, each.cost_pence, each.return_pence)),
        ]


def decimal(pence: int | None) -> str:
    """`-1250` → `-12.50`: what spreadsheets take for a number."""
    if pence is None:
        return ""
    whole, rest = divmod(abs(pence), 100)
    return f"{'-' if pence < 0 else ''}{whole}.{rest:02}"


def words(each: Figures) -> list[tuple[str, str, str]]:
    """The same for a person: what, how much, and the name of the figure."""
    conversion = f", {each.conversion} who came" if each.adoptions and each.landings else ""
    told = [
        ("Landings (about)", f"{each.landings:,}", "landings"),
        ("Pressed pay", f"{each.started:,}", "started"),
        ("Adoptions", f"{each.adoptions:,}{conversion}", "adoptions"),
        ("Of people new to us", f"{each.new:,} of the adoptions", "new"),
        ("Of people it brought first", f"{each.first:,}", "first"),
        ("Received, less what went back", pounds(each.income_pence), "income_pence"),
        ("Gone back", pounds(each.returned_pence), "returned_pence"),
        ("Gift Aid expected on it", pounds(each.tax_pence), "tax_pence"),
        ("Over twelve months", pounds(each.year_pence), "year_pence"),
    ]
    if each.late:
        told.append(("After its end", f"{each.late:,} of the adoptions", "late"))
    if each.mean_pence is not None and each.median_pence is not None:
        middle = f"{pounds(each.mean_pence)} on average, {pounds(each.median_pence)} in the middle"
        told.append(("An adoption gives", middle, "mean_pence"))
    if each.return_pence is not None:
        back = f"{pounds(each.cost_pence)}: {pounds(each.return_pence)} back for each £1"
        told.append(("Cost", back, "return_pence"))
    return told
