"""The small notation in which staff write about a species, so that sentences and facts cannot drift apart.

    In 2007 {pop-low} Amur leopards were left in Russia. [^pop-low]
    It covers about {range-now:3sf} square kilometres. [^range-now][^range-share]

One line is one sentence; an empty line starts a new paragraph. `[^key]` at a line's end says which facts it rests
on. `{key}` prints a fact's own value, with its caution ("about", "at least"); after a colon comes a wish:
`number` without the caution, `point`, `low` or `high` for one part of it, `3sf` to three significant figures,
`cap` for the start of a sentence. `{charity}` prints the charity's name.
Nothing here knows the database: facts are anything with the attributes of `Printable`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from django.conf import settings

from .numbers import written, written_range

KEY = r"[a-z][a-z0-9-]*"
CITATIONS = re.compile(rf"(?:\s*\[\^{KEY}\])+\s*$")
CITATION = re.compile(rf"\[\^({KEY})\]")
VALUE = re.compile(rf"\{{({KEY})((?::[a-z0-9]+)*)\}}")
WISHES = re.compile(r"number|point|low|high|cap|[1-9]sf")
CHARITY = "charity"


class Printable(Protocol):
    """What a value marker needs of a fact."""

    @property
    def value_text(self) -> str: ...
    @property
    def is_number(self) -> bool: ...
    @property
    def low(self) -> Decimal | None: ...
    @property
    def high(self) -> Decimal | None: ...
    @property
    def point(self) -> Decimal | None: ...
    def get_qualifier_display(self) -> str: ...


class MarkerError(ValueError):
    """A marker that cannot be read or names no fact; the message is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a sentence: plain words (no key), or the value of the fact called `key`."""

    text: str
    key: str = ""
    wishes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence as written: its parts, with values not yet printed, and the keys of the facts it rests on."""

    parts: tuple[Part, ...]
    cites: tuple[str, ...]

    @property
    def fact_keys(self) -> tuple[str, ...]:
        """Cited facts first, then those whose value is printed but which are not cited."""
        printed = (part.key for part in self.parts if part.key and part.key != CHARITY)
        return tuple(dict.fromkeys((*self.cites, *printed)))


@lru_cache(maxsize=2048)  # pure, and the same few hundred texts are read on every request
def parse(text: str) -> tuple[tuple[Line, ...], ...]:
    """Paragraphs of sentences; raises MarkerError, saying which line, where a marker cannot be read."""
    paragraphs: list[tuple[Line, ...]] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = tuple(parse_line(line.strip()) for line in block.split("\n") if line.strip())
        if lines:
            paragraphs.append(lines)
    return tuple(paragraphs)


def parse_line(line: str) -> Line:
    found = CITATIONS.search(line)
    words, cites = (line[: found.start()], found.group()) if found else (line, "")
    return Line(parts=tuple(_parts(words.rstrip())), cites=tuple(dict.fromkeys(CITATION.findall(cites))))


def _parts(words: str) -> Iterator[Part]:
    position = 0
    for marker in VALUE.finditer(words):
        if marker.start() > position:
            yield Part(_plain(words[position : marker.start()]))
        wishes = tuple(wish for wish in marker.group(2).split(":") if wish)
        for wish in wishes:
            if not WISHES.fullmatch(wish):
                raise MarkerError(f"“{marker.group()}”: “{wish}” is not something a value can be asked for.")
        yield Part("", key=marker.group(1), wishes=wishes)
        position = marker.end()
    if position < len(words):
        yield Part(_plain(words[position:]))


def _plain(words: str) -> str:
    if "[^" in words:
        raise MarkerError(f"Citations stand at the end of a line, as in [^key]: “{words.strip()}”.")
    if "{" in words or "}" in words:
        raise MarkerError(f"This is not a value marker such as {{key}} or {{key:3sf}}: “{words.strip()}”.")
    return words


def fact_keys(text: str) -> tuple[str, ...]:
    """Every fact a text rests on or prints, in order of appearance."""
    return tuple(dict.fromkeys(key for lines in parse(text) for line in lines for key in line.fact_keys))


def value_markers(text: str) -> Iterator[Part]:
    """Every place where a text prints a fact."""
    return (part for lines in parse(text) for line in lines for part in line.parts if part.key)


def check(text: str, facts: Mapping[str, Printable]) -> tuple[str, ...]:
    """The keys a text uses; raises MarkerError for an unknown one or for a wish its fact cannot grant."""
    keys = fact_keys(text)
    for key in keys:
        if key not in facts:
            raise MarkerError(f"No published fact of this species is called “{key}”.")
    for lines in parse(text):
        for line in lines:
            tuple(filled(line.parts, facts))
    return keys


def filled(parts: Iterable[Part], facts: Mapping[str, Printable]) -> Iterator[Part]:
    """The same parts with every value printed."""
    for part in parts:
        if not part.key:
            yield part
        elif part.key == CHARITY:
            yield Part(settings.CHARITY["name"])
        elif part.key in facts:
            yield Part(printed(part, facts[part.key]), key=part.key, wishes=part.wishes)
        else:
            raise MarkerError(f"No published fact of this species is called “{part.key}”.")


def printed(part: Part, fact: Printable) -> str:
    text = _value(part, fact)
    return text[:1].upper() + text[1:] if "cap" in part.wishes else text


def _value(part: Part, fact: Printable) -> str:
    figures = next((int(wish[0]) for wish in part.wishes if wish.endswith("sf")), None)
    for name in ("point", "low", "high"):
        if name in part.wishes:
            number: Decimal | None = getattr(fact, name)
            if number is None:
                raise MarkerError(f"The fact “{part.key}” has no {name} to print.")
            return written(number, figures=figures)
    if not fact.is_number:
        if set(part.wishes) - {"cap"}:
            raise MarkerError(f"The fact “{part.key}” is in words: write {{{part.key}}}.")
        return fact.value_text
    if figures is None and "number" not in part.wishes:
        return fact.value_text
    number_text = written_range(low=fact.low, high=fact.high, point=fact.point, figures=figures)
    caution = "" if "number" in part.wishes else fact.get_qualifier_display()
    return f"{caution} {number_text}".strip()


def plain_text(text: str, facts: Mapping[str, Printable]) -> str:
    """One string without markers, for titles, feeds and machine-read data."""
    sentences = ("".join(part.text for part in filled(line.parts, facts)) for lines in parse(text) for line in lines)
    return " ".join(sentences)
