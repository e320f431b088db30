"""Lists in the admin that open as fast at a million rows as at a thousand.

Three things make a list slow as it grows: counting all of it, sorting it by what has no index, and searching for a
word anywhere in a text. So rows are counted up to a thousand and estimated beyond, only columns with an index can be
sorted by, and a search asks each index for the little it knows: the beginnings of words and of references.
"""

import json
import re
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.core.paginator import Page, Paginator
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.http import HttpRequest
from django.utils.functional import cached_property

COUNTED = 1000  # also as far as one can page: a later page costs as much as all pages before it
FOUND = 200
MOST_WORDS = 5
LONGEST_TERM = 200
NAMES = "names"  # words as they are, without their accents; made by a migration of adoptions


class AnyOf(Lookup[bool]):
    """`AnyOf(F("adoption_id"), ids)`: __in with one parameter, for thousands, which would be parsed one by one."""

    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", (*params, self.rhs)


class Known(NamedTuple):
    """`rows` are as a list shows them, in its order, and need no more than an id to be found."""

    ids: list[int]
    rows: QuerySet[Any]


class CappedPaginator(Paginator[Any]):
    """`count` is exact up to COUNTED and the planner's estimate beyond; the pages end there.

    `known` are the rows of those pages, by id, and one more if there is any, where a list has found them by itself.
    """

    object_list: Any

    def __init__(self, *args: Any, known: Known | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known

    def page(self, number: int | str) -> Page[Any]:
        if self.known is None:
            return super().page(number)
        number = self.validate_number(number)
        before = (number - 1) * self.per_page
        ids = self.known.ids[before : min(before + self.per_page, self.count)]
        return Page(self.known.rows.filter(pk__in=ids), number, self)

    @cached_property
    def count(self) -> int:
        rows = self.object_list.order_by().values("pk")
        counted: int = rows[: COUNTED + 1].count() if self.known is None else len(self.known.ids)
        if counted <= COUNTED:
            return counted
        estimate = json.loads(rows.explain(format="json"))[0]["Plan"]["Plan Rows"]
        return max(counted, int(estimate))

    @property
    def is_estimate(self) -> bool:
        return self.count > COUNTED

    @cached_property
    def num_pages(self) -> int:
        return max(1, -(-min(self.count, COUNTED) // self.per_page))


class LongList[Row: Model](admin.ModelAdmin[Row]):
    """`searches` gives one query for each index that may know the words; put `search_fields` for the box.

    A list without them has no box, and a ?q= somebody wrote into its address is ignored.
    """

    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/long_list.html"
    found_at_most = FOUND

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term[:LONGEST_TERM].split()[:MOST_WORDS]
        if not words or not self.get_search_fields(request):
            return queryset, False
        first, *more = [a_few(rows) for rows in self.searches(words)]
        found = first.union(*more, all=True) if more else first  # the one as it was, if all others are none()
        ids = by_index_alone(found.order_by() if found.query.combinator else found)
        return queryset.filter(pk__in=ids), False


class OwnTitle(admin.FieldListFilter):
    """Mixed into a filter: headed "By …" with these words, where those of its field make no sense there."""

    own_title: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = self.own_title


def a_few(rows: QuerySet[Any], column: str = "pk", *more: str) -> QuerySet[Any]:
    """For the inside of a search. In no order: a model's own would have the planner walk through the table in it."""
    return rows.order_by().values_list(column, *more, flat=not more)[:FOUND]


def by_index_alone(rows: QuerySet[Any]) -> set[Any]:
    """The first ids, or rows of what was asked for beside them.

    The planner hopes to come upon so few rows soon and reads the whole table; a word nobody has is then looked for in
    a million rows. So it may not, and with the ids in hand it cannot for the list either.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        return set(rows[:FOUND])


def with_words(
    rows: QuerySet[Any], field: str | tuple[str, ...], words: list[str], *, config: str = NAMES
) -> QuerySet[Any]:
    """Rows in whose field, or fields, each word begins one; needs a GIN index on that vector in that configuration.

    In ours for names, accents aside.
    """
    terms = [term for term in map(as_beginning, words) if term]
    if not terms:
        return rows.none()
    fields = (field,) if isinstance(field, str) else field
    query = SearchQuery(" & ".join(terms), search_type="raw", config=config)
    found: QuerySet[Any] = rows.alias(words_in=SearchVector(*fields, config=config)).filter(words_in=query)
    return found


def as_beginning(word: str) -> str:
    """For to_tsquery. PostgreSQL parts O'Brien in two and keeps O’Brien whole; both are found by either."""
    parts = re.findall(r"[^\W_]+", word)
    term = " & ".join(f"{part}:*" for part in parts)
    whole = "’".join(parts)
    return f"({term} | '{whole}':*)" if len(parts) > 1 and re.search("['’]", word) else term
