"""What campaign links have brought, each, or all with one word: visits, adoptions, money now and over a year, the cost.

Four questions to the database however many campaigns there are. Money is what the ledger says; landings are about
right, as a count without cookies is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Aggregate, Case, Count, F, IntegerField, Q, Sum, When
from django.db.models.functions import Coalesce

from config.money import pounds

from .models import ADOPTED, Adoption, Campaign, CampaignDay, Frequency, Payment, PaymentKind

EVER_ADOPTED = Q(activated_at__isnull=False)
WORDS = {"source": "utm_source", "medium": "utm_medium", "content": "utm_content"}
NO_WORD = "none"


class Median(Aggregate):
    """The lower one of two in the middle: an amount that somebody gave, in whole pence."""

    function = "PERCENTILE_DISC"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)%(filter)s"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class Brought:
    """Amounts are pence; a mean, a conversion or a return is None where there is nothing to divide by."""

    landings: int = 0
    started: int = 0  # who pressed pay, whatever became of it
    adoptions: int = 0  # paid for at some time
    late: int = 0  # of those, begun when the campaign was over
    first: int = 0  # adoptions of people whom it brought first, with whatever link they came now
    income_pence: int = 0  # received less what went back
    returned_pence: int = 0  # refunds and disputes
    year_pence: int = 0  # what the adoptions that run bring in twelve months, and what was given once
    mean_pence: int | None = None
    median_pence: int | None = None
    cost_pence: int = 0

    @property
    def conversion_percent(self) -> int | None:
        return (200 * self.adoptions + self.landings) // (2 * self.landings) if self.landings else None

    @property
    def return_pence(self) -> int | None:
        """Pence received for each pound spent."""
        return self.income_pence * 100 // self.cost_pence if self.cost_pence else None


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
    def behind(self) -> str:
        """The query with which the list of adoptions shows its own."""
        return urlencode({"campaign__id__exact": self.campaign.pk})


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
    def behind(self) -> str:
        """The query with which the lists of adoptions and of campaigns show its own."""
        return urlencode({self.field: self.word})


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
    together: Columns = {}
    for part in (_landings, _adoptions, _payments, _first):
        for value, columns in part(campaigns, field).items():
            together.setdefault(value, {}).update(columns)
    return together


def _landings(campaigns: list[Campaign], field: str) -> Columns:
    rows = CampaignDay.objects.filter(campaign__in=campaigns).order_by().values(part=F(f"campaign__{field}"))
    return {row["part"]: {"landings": row["came"]} for row in rows.annotate(came=Sum("landings"))}


def _adoptions(campaigns: list[Campaign], field: str) -> Columns:
    in_a_year = Case(
        When(frequency=Frequency.MONTHLY, then=F("amount_pence") * 12),
        default=F("amount_pence"),
        output_field=IntegerField(),
    )
    goes_on = Q(state__in=ADOPTED) | (EVER_ADOPTED & Q(frequency=Frequency.ONCE))
    rows = (
        Adoption.objects.filter(campaign__in=campaigns)
        .order_by()
        .values(part=F(f"campaign__{field}"))
        .annotate(
            started=Count("pk"),
            adoptions=Count("pk", filter=EVER_ADOPTED),
            late=Count("pk", filter=EVER_ADOPTED & Q(created_at__gt=F("campaign__ends_at"))),
            year_pence=Coalesce(Sum(in_a_year, filter=goes_on), 0),
            given=Coalesce(Sum("amount_pence", filter=EVER_ADOPTED), 0),
            median_pence=Median("amount_pence", filter=EVER_ADOPTED),
        )
    )
    return {value: _with_mean(columns) for value, columns in _by_part(rows).items()}


def _first(campaigns: list[Campaign], field: str) -> Columns:
    known = {campaign.code: getattr(campaign, field) for campaign in campaigns}
    rows = Adoption.objects.filter(EVER_ADOPTED, first_campaign_code__in=known).order_by()
    found: Columns = {}
    for code, number in rows.values_list("first_campaign_code").annotate(number=Count("pk")):
        columns = found.setdefault(known[code], {"first": 0})
        columns["first"] += number
    return found


def _with_mean(row: dict[str, int]) -> dict[str, int]:
    given, number = row.pop("given"), row["adoptions"]
    # Half a penny up, as people round.
    return row | ({"mean_pence": (2 * given + number) // (2 * number)} if number else {})


def _payments(campaigns: list[Campaign], field: str) -> Columns:
    rows = (
        Payment.objects.filter(adoption__campaign__in=campaigns)
        .order_by()
        .values(part=F(f"adoption__campaign__{field}"))
        .annotate(
            income_pence=Coalesce(Sum("amount_pence"), 0),
            returned_pence=Coalesce(-Sum("amount_pence", filter=~Q(kind=PaymentKind.CHARGE)), 0),
        )
    )
    return _by_part(rows)


def _by_part(rows: Iterable[Mapping[str, Any]]) -> Columns:
    return {row["part"]: {name: value for name, value in row.items() if name != "part"} for row in rows}


HEADINGS_OF_FIGURES = (
    "Landings (about)",
    "Started",
    "Adoptions",
    "Of them late",
    "Of people it brought first",
    "Conversion %",
    "Income £",
    "Gone back £",
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
            *(each.landings, each.started, each.adoptions, each.late, each.first),
            "" if each.conversion_percent is None else each.conversion_percent,
            *(decimal(pence) for pence in (each.income_pence, each.returned_pence, each.year_pence)),
            *(decimal(pence) for pence in (each.mean_pence, each.median_pence, each.cost_pence, each.return_pence)),
        ]


def decimal(pence: int | None) -> str:
    """`-1250` → `-12.50`: what spreadsheets take for a number."""
    if pence is None:
        return ""
    whole, rest = divmod(abs(pence), 100)
    return f"{'-' if pence < 0 else ''}{whole}.{rest:02}"


def words(each: Figures) -> list[tuple[str, str]]:
    """The same for a person, as pairs of what and how much."""
    conversion = "" if each.conversion_percent is None else f", {each.conversion_percent} of 100 who came"
    pairs = [
        ("Landings (about)", f"{each.landings:,}"),
        ("Pressed pay", f"{each.started:,}"),
        ("Adoptions", f"{each.adoptions:,}{conversion}"),
        ("Of people it brought first", f"{each.first:,}"),
        ("Received, less what went back", pounds(each.income_pence)),
        ("Gone back", pounds(each.returned_pence)),
        ("Over twelve months", pounds(each.year_pence)),
    ]
    if each.late:
        pairs.append(("After its end", f"{each.late:,} of the adoptions"))
    if each.mean_pence is not None and each.median_pence is not None:
        middle = f"{pounds(each.mean_pence)} on average, {pounds(each.median_pence)} in the middle"
        pairs.append(("An adoption gives", middle))
    if each.return_pence is not None:
        pairs.append(("Cost", f"{pounds(each.cost_pence)}: {pounds(each.return_pence)} back for each £1"))
    return pairs
