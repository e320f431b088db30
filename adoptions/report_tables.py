"""What a report is, for a page, a chart and a file alike."""

from dataclasses import dataclass, field
from datetime import date

from .rows_behind import Behind

MOST_BARS = 60  # with more, a chart as wide as a screen cannot be read


@dataclass(frozen=True)
class Row:
    """One line of a table: its label, its cells, and from which day to which the rows behind it are, and which ones.

    `moved`: the cells with rows behind them that may come to nothing, as what was taken and given back on one day.
    `of_none`: the shares and middles of none at all; the nought in them says nothing.
    """

    label: str
    cells: list[int]
    first: date | None = None
    last: date | None = None
    only: tuple[tuple[str, str], ...] = ()
    moved: frozenset[int] = frozenset()
    of_none: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Report:
    """`money`: columns of pence. `drawn`: the column of the chart. `behind`: for each column, where its rows are.

    `total`: one more line, of all of them. `bars`: what the chart is of instead, where the rows are too many days.
    """

    slug: str
    title: str
    about: str
    headings: list[str]
    rows: list[Row]
    money: list[int] = field(default_factory=list)
    drawn: int = 0
    behind: tuple[Behind, ...] = ()
    total: Row | None = None
    bars: list[Row] = field(default_factory=list)
    nothing: str = "Nothing yet."

    @property
    def lines(self) -> list[Row]:
        """Of the table, and of the file."""
        return [*self.rows, self.total] if self.total else self.rows

    @property
    def is_by_time(self) -> bool:
        """Its lines are days or months, the newest first."""
        return any(row.first and not row.only for row in self.rows)

    @property
    def chart_heading(self) -> str:
        return self.headings[self.drawn]

    @property
    def charted(self) -> list[Row]:
        """From left to right: the oldest first, and of too many the newest."""
        return (self.bars or self.rows)[:MOST_BARS][::-1] if self.is_by_time else self.rows

    @property
    def chart_about(self) -> str:
        if self.bars:
            return " by month"
        return f" of the newest {MOST_BARS}" if self.is_by_time and len(self.rows) > MOST_BARS else ""
