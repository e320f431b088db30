"""The calendar: when a period ends, and the doing of everything that has fallen due."""

import calendar
from collections.abc import Callable
from datetime import UTC, datetime

from adoptions.stripe_standin.books import Books

DAY = 24 * 3600
HOUR = 3600

type Act = Callable[[Books, str], None]


def period_end(anchor: int, after: int, interval: str, count: int) -> int:
    """The first whole number of intervals from `anchor` that ends later than `after`.

    Counted from the anchor each time: 31 January is followed by 28 February and then by 31 March.
    """
    step = 0
    while True:
        step += count
        end = _add(anchor, interval, step)
        if end > after:
            return end


def _add(moment: int, interval: str, steps: int) -> int:
    if interval in ("day", "week"):
        return moment + steps * DAY * (7 if interval == "week" else 1)
    start = datetime.fromtimestamp(moment, UTC)
    months = start.month - 1 + steps * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def months_from(moment: int, months: int) -> int:
    return _add(moment, "month", months)


def do_what_is_due(books: Books, acts: dict[str, Act]) -> int:
    """Do everything due by now, oldest first; returns how many things were done."""
    return pass_time(books, acts, books.now())


def pass_time(books: Books, acts: dict[str, Act], until: int) -> int:
    """Move the clock to `until`, stopping at each thing due on the way so that it happens at its own time."""
    done = 0
    while True:
        with books.change():
            due = min(books.all("_due"), key=lambda entry: (entry["at"], entry["act"]), default=None)
            if due is None or due["at"] > until:
                books.set_time(until)
                return done
            if due["at"] > books.now():
                books.set_time(due["at"])
            books.unschedule(due["act"], due["subject"])
            acts[due["act"]](books, due["subject"])
            done += 1
