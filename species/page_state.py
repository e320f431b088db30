"""Which state of the database a public page shows, and whether that is still the latest.

PostgreSQL tells it with one short question. Asked for every page, it takes as long as handing the page out; so the
threads of a process share the answer for a moment. Who has just written something through this site sees it at the
very next request all the same, whichever process of the host answers that (config/shared_mark.py). What another host
wrote, or somebody with SQL, is there `SHARED_FOR` seconds later.
"""

from dataclasses import dataclass
from time import monotonic

from django.db import connection

from config.shared_mark import mark

from .models import PageChange

SHARED_FOR = 0.02  # seconds: sooner than anybody could look

type State = tuple[int, int | None]
NO_STATE: State = (0, None)
STATE = f"SELECT count(*), max(id) FROM {PageChange._meta.db_table}"  # noqa: S608  our own name


@dataclass(frozen=True, slots=True)
class Heard:
    state: State
    mark: bytes
    until: float


class Latest:
    """What any thread of this process has last heard."""

    def __init__(self) -> None:
        self._heard: Heard | None = None

    def state(self) -> State:
        """Raises `django.db.Error` if the database has to be asked and does not answer."""
        heard, now, marked = self._heard, monotonic(), mark.read()
        if heard and heard.mark == marked and now < heard.until:
            return heard.state
        state = ask()
        # As of before the question: what was written meanwhile is not in its answer for certain.
        self._heard = Heard(state, marked, now + SHARED_FOR)
        return state

    def forget(self) -> None:
        self._heard = None


latest = Latest()


def ask() -> State:
    """The state as this question sees it. A page made after it may be newer than it says, and never older.

    In SQL, because it is asked so often: putting the query together took four times as long as its answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        number, newest = cursor.fetchone() or NO_STATE
    return number, newest
