"""Of which days the reports are: of late, of a year as finance counts them, or from one day to another."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django import forms
from django.utils import timezone

DAYS, MONTHS = 31, 13  # of late
MOST_DAYS, MOST_MONTHS = 366, 120  # that are shown each by itself
MOST_YEARS = 15  # of each kind, to choose from
WAYS_TO_WRITE = ["%Y-%m-%d", "%d/%m/%Y"]
NAMES = ("period", "from", "to")
TWO_YEARS = "two-years"
KINDS = {  # of years: what each is called, and the month and day on which it begins
    "calendar": ("Calendar year", (1, 1)),
    "tax": ("Tax year", (4, 6)),
    "financial": ("Financial year", (4, 1)),
}
OF_A_YEAR = re.compile(rf"({'|'.join(KINDS)})-([0-9]{{4}})")


class NoPeriod(Exception):
    """What was asked for is no period."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence  # for whoever asked


def month_before(day: date, months: int) -> date:
    """The first day of the month that many months before a day's own."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def end_of(month: date) -> date:
    return month_before(month, -1) - timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """From one day to another, both within."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first:%-d %B %Y} to {self.last:%-d %B %Y}"

    @property
    def of_month(self) -> str:
        """Of a month or a part of it."""
        if self.first.day == 1 and self.last == end_of(self.first):
            return f"{self.first:%B %Y}"
        begins = f"{self.first:%-d} to " if self.first != self.last else ""
        return f"{begins}{self.last:%-d %B %Y}"

    def whole_months(self) -> list["Span"]:
        """Those that any of these days is in, the newest first."""
        found, month = [], self.last.replace(day=1)
        while month >= self.first.replace(day=1):
            found.append(Span(month, end_of(month)))
            month = month_before(month, 1)
        return found

    def months(self) -> list["Span"]:
        """The same, the first and the last cut to these days."""
        return [Span(max(one.first, self.first), min(one.last, self.last)) for one in self.whole_months()]

    def each_day(self) -> list[date]:
        """The newest first; none, if they are too many to show."""
        number = (self.last - self.first).days + 1
        return [self.last - timedelta(days=back) for back in range(number)] if number <= MOST_DAYS else []


@dataclass(frozen=True)
class Period:
    """`days`: no later than today. `span`: what the months are of; the one that runs is in it to its end."""

    title: str
    days: Span
    span: Span
    asked: tuple[tuple[str, str], ...] = ()  # as it stands in an address

    @property
    def query(self) -> str:
        return f"?{urlencode(self.asked)}" if self.asked else ""

    @property
    def whole(self) -> Span | None:
        """What is counted by whole months, where those go beyond the days asked for."""
        months = self.span.whole_months()
        whole = Span(months[-1].first, months[0].last)
        return None if whole == self.span else whole


def of_late() -> Period:
    today = timezone.localdate()
    days = Span(today - timedelta(days=DAYS - 1), today)
    return Period(
        f"The last {DAYS} days and {MONTHS} months", days, Span(month_before(today, MONTHS - 1), end_of(today))
    )


def read(query: Mapping[str, str]) -> Period:
    """What an address asks for. Raises NoPeriod."""
    name, since, until = (query.get(each, "").strip() for each in NAMES)
    if since or until:
        if not since:
            raise NoPeriod("Say from which day on.")
        first, last = day_in(since), day_in(until) if until else timezone.localdate()
        return period_of("", first, last, ("from", first.isoformat()), ("to", last.isoformat()))
    if not name:
        return of_late()
    if name == TWO_YEARS:
        this = timezone.localdate().year
        title = "This calendar year and the last one: "
        return period_of(title, date(this - 1, 1, 1), date(this, 12, 31), ("period", name))
    if not (found := OF_A_YEAR.fullmatch(name)) or not 1900 <= (year := int(found[2])) < 2200:
        raise NoPeriod("There is no such period.")
    return period_of(f"{title_of(found[1], year)}: ", *ends_of(found[1], year), ("period", name))


def day_in(text: str) -> date:
    try:
        day: date = forms.DateField(input_formats=WAYS_TO_WRITE).clean(text)
    except forms.ValidationError as error:
        raise NoPeriod("The first or the last day is not one. Write them as 2026-01-31 or 31/01/2026.") from error
    return day


def ends_of(kind: str, year: int) -> tuple[date, date]:
    month, day = KINDS[kind][1]
    return date(year, month, day), date(year + 1, month, day) - timedelta(days=1)


def title_of(kind: str, year: int) -> str:
    """`Calendar year 2025`, `Tax year 2025–26`."""
    return f"{KINDS[kind][0]} {year}" + (f"–{(year + 1) % 100:02}" if kind != "calendar" else "")


def period_of(title: str, first: date, last: date, *asked: tuple[str, str]) -> Period:
    today = timezone.localdate()
    if last < first:
        raise NoPeriod("The last day is before the first.")
    if first > today:
        raise NoPeriod("These days are still to come.")
    days, span = Span(first, min(last, today)), Span(first, min(last, end_of(today)))
    if month_before(span.last, MOST_MONTHS - 1) > first:
        raise NoPeriod(f"No more than {MOST_MONTHS} months can be shown at once.")
    return Period(f"{title}{days}", days, span, asked)


def choices(oldest: date | None) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Groups to choose from: the years since the oldest day of which there are sums."""
    today = timezone.localdate()
    yield (
        "Of late",
        [
            ("", f"The last {DAYS} days and {MONTHS} months"),
            (TWO_YEARS, "This calendar year and the last one"),
        ],
    )
    for kind in KINDS:
        known = range(today.year, max((oldest or today).year - 2, today.year - MOST_YEARS), -1)
        years = [
            year for year in known if ends_of(kind, year)[0] <= today and ends_of(kind, year)[1] >= (oldest or today)
        ]
        yield f"{KINDS[kind][0]}s", [(f"{kind}-{year}", title_of(kind, year)) for year in years]
