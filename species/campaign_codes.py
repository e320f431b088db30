"""Which codes in addresses are campaigns', told by the app that has the campaigns.

    codes.come_from(read)      # adoptions/apps.py
    codes.at(state)            # all of them, as of a state of the pages

A page with the code of a campaign is a page of its own: its links carry the code on, and the campaign's words may stand
on it. A code that is nobody's, mistyped or made up by a machine, gets the page without a code, which lies in memory: so
however many of them are tried, no page is made for them and none has to leave (species/views/caching.py).

All codes are read at once, when a page with one is first asked for after something changed. They are short, and as
many as appeals were ever made. The table they come from is watched as the tables of the pages are.
"""

from collections.abc import Callable, Iterable

from .page_state import State


class Codes:
    def __init__(self) -> None:
        self._read: Callable[[], Iterable[str]] = tuple
        self._heard: tuple[State, frozenset[str]] | None = None

    def come_from(self, read: Callable[[], Iterable[str]]) -> None:
        self._read = read

    def at(self, state: State) -> frozenset[str]:
        """As they were at this state, or newer. Raises `django.db.Error` if they must be read and cannot be."""
        if self._heard is None or self._heard[0] != state:
            self._heard = state, frozenset(self._read())
        return self._heard[1]

    def last(self) -> frozenset[str]:
        """As this process has last heard them: for while the database is away."""
        return self._heard[1] if self._heard else frozenset()

    def forget(self) -> None:
        self._heard = None


codes = Codes()
