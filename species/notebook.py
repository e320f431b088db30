"""What a reader may check: sentences with the facts they rest on, and facts with their sources, numbered.

One notebook serves one page; it numbers each source when the page first uses it.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from . import prose
from .knowledge import Knowledge
from .models import ConflictPosition, Fact, Source

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FactNote:
    """A fact as a page shows it; `sources` are numbers in the page's list of sources."""

    key: str
    label: str
    value: str
    when: str
    where: str
    how_sure: str
    confidence: str
    note: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    parts: tuple[prose.Part, ...]
    facts: tuple[FactNote, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)

    @property
    def sources(self) -> tuple[int, ...]:
        """The number of each source the sentence rests on, once."""
        return tuple(sorted({number for fact in self.facts for number in fact.sources}))


Paragraph = tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Position:
    say: str
    covers: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    topic: str
    show: str
    positions: tuple[Position, ...]


@dataclass
class Notebook:
    knowledge: Knowledge
    numbers: dict[int, int] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    facts: dict[str, FactNote] = field(default_factory=dict)

    def number(self, source: Source) -> int:
        if source.pk not in self.numbers:
            self.sources.append(source)
            self.numbers[source.pk] = len(self.sources)
        return self.numbers[source.pk]

    def numbers_of(self, sources: Iterable[Source]) -> tuple[int, ...]:
        return tuple(sorted(map(self.number, sources)))

    def fact(self, key: str) -> FactNote:
        if key not in self.facts:
            fact = self.knowledge.facts[key]
            self.facts[key] = FactNote(
                key=key,
                label=fact.label,
                value=with_unit(fact),
                when=fact.period,
                where=fact.place,
                how_sure=fact.get_confidence_display(),
                confidence=fact.confidence,
                note=fact.note,
                sources=self.numbers_of(self.knowledge.fact_sources.get(fact.pk, ())),
            )
        return self.facts[key]

    def paragraphs(self, body: str) -> tuple[Paragraph, ...]:
        return tuple(tuple(self._sentences(lines)) for lines in prose.parse(body))

    def plain(self, text: str) -> str:
        """One string, for a heading or a table's cell."""
        return " ".join(sentence.text for sentences in self.paragraphs(text) for sentence in sentences)

    def _sentences(self, lines: Iterable[prose.Line]) -> Iterator[Sentence]:
        """Readable sentences. One whose fact is gone is left out and logged: forms refuse to make such a text."""
        for line in lines:
            try:
                parts = tuple(prose.filled(line.parts, self.knowledge.facts))
                yield Sentence(parts=parts, facts=tuple(map(self.fact, line.fact_keys)))
            except (KeyError, prose.MarkerError):
                logger.exception("A sentence about %s cannot be printed.", self.knowledge.species.slug)

    def disagreements(self) -> Iterator[Disagreement]:
        rows: dict[int, list[ConflictPosition]] = {}
        for position in self.knowledge.positions:
            rows.setdefault(position.conflict_id, []).append(position)
        for positions in rows.values():
            conflict = positions[0].conflict
            yield Disagreement(
                topic=conflict.topic,
                show=self.plain(conflict.show),
                positions=tuple(map(self._position, positions)),
            )

    def _position(self, position: ConflictPosition) -> Position:
        sources = self.knowledge.position_sources.get(position.pk, ())
        return Position(say=self.plain(position.say), covers=position.covers, sources=self.numbers_of(sources))


def with_unit(fact: Fact) -> str:
    """`64 to 78 cm`, `2.96%`, or the words of a fact in words."""
    space = "" if fact.unit == "%" else "\N{NO-BREAK SPACE}"
    return f"{fact.value_text}{space}{fact.unit}" if fact.unit else fact.value_text
