"""The figures of a species: one module each, data in, what its template draws out.

    {% for figure in figures %}{{ figure.html }}{% endfor %}

`figure.html` is drawn once for all pages on which a figure says the same; `{% include figure.template %}`, with the
figure under that name, gives the same markup anew.

Nothing here asks the database: facts come by key, facts and counts with their sources prefetched, and `sources` is
the page's own list, whose order references follow. A figure that lacks a fact it needs is absent, never empty.
"""

from collections.abc import Iterable, Mapping

from species.models import Fact, PopulationCount, Source, Species

from . import (
    beside_a_person,
    coat,
    counted_twice,
    day_and_night,
    each_dot_is_one,
    life_in_one_look,
    numbers_and_variety,
    then_and_now,
)
from .coat import coat_svg
from .figure import Evidence, Figure, Statement

__all__ = ["Figure", "Statement", "coat_svg", "figures_for"]

DRAWN_BY = (
    each_dot_is_one.draw,
    then_and_now.draw,
    beside_a_person.draw,
    counted_twice.draw,
    day_and_night.draw,
    coat.draw,
    numbers_and_variety.draw,
    life_in_one_look.draw,
)


def figures_for(
    species: Species,
    facts: Mapping[str, Fact],
    counts: Iterable[PopulationCount],
    sources: Iterable[Source],
) -> list[Figure]:
    evidence = Evidence(species=species, facts=facts, counts=tuple(counts), sources=tuple(sources))
    return [figure for draw in DRAWN_BY if (figure := draw(evidence))]
