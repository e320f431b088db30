"""What spam looks like, in rules a moderator can read. A rule adds weight and a sentence; none deletes anything.

Any rule that speaks holds the comment apart, with its sentence. Only where several agree, to a hundred and more, is
it marked as spam, where a moderator finds it and can take it back. A slow writer, a long one, a foreign one and one
who names a web page are nobody's suspects.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .spam_words import BAD_PHRASES, FLATTERY

MARKED_FROM = 100
FAST = 3  # seconds; people need longer than that to write anything


@dataclass(frozen=True, slots=True)
class Arrival:
    """A comment as it came in, before anything invisible was taken out of it."""

    name: str
    body: str
    raw: str = ""
    fell_into_trap: bool = False
    seconds: float | None = FAST  # since the form was loaded; None if it does not say, or says something untrue
    likeness: float = 0.0  # how alike the most similar of the newest comments is, 0 to 1
    like_spam: bool = False  # … and that one was spam
    learned: float | None = None  # what moderators' decisions make of its words, 0 to 1


@dataclass(frozen=True, slots=True)
class Suspicion:
    weight: int
    sentence: str


LINK = re.compile(
    r"h[tx]{2}ps?\s?:/\s?/|\bwww\.|(?<![@\w])[\w-]{2,63}\s?\.\s?(?:com|net|org|info|biz|ru|cn|io|me|top|xyz|site|online|shop|club|ly|co)"
    r"(?![\w.-]*@)(?:/|\b)|(?<![@\w])[\w-]{2,63}\.example\b",
    re.IGNORECASE,
)
MARKUP = re.compile(r"<\s?a\s|\[\s?url|\[\s?link|<\s?/\s?\w{1,10}\s?>", re.IGNORECASE)
SPACED_OUT = re.compile(r"\b\w(?:[.\-_*\u200b\u2060]\w){3,}", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")
DIGIT_FOR_LETTER = re.compile(
    r"\b(?=\w*[a-zA-Z]{2})(?:[a-zA-Z]+[01345]){1,3}[a-zA-Z]+\b|\b[a-zA-Z]{1,2}0[a-zA-Z]\b|\bn0\b"
)
CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{6,}", re.IGNORECASE)
INVISIBLE_IN_WORD = re.compile(r"(?<=[A-Za-z])[\u200b\u200e\u200f\u2060\ufeff\u00ad\u202a-\u202e](?=[A-Za-z])")


def suspicions(arrival: Arrival) -> Iterator[Suspicion]:
    yield from _manner(arrival)
    yield from _words(arrival)
    yield from _letters(arrival)
    yield from _links(arrival)


def _manner(arrival: Arrival) -> Iterator[Suspicion]:
    if arrival.fell_into_trap:
        yield Suspicion(60, "The field that people cannot see was filled in.")
    if arrival.seconds is None:
        yield Suspicion(20, "It does not say when its form was loaded.")
    elif arrival.seconds < FAST:
        yield Suspicion(40, "It was sent within three seconds of loading the page.")
    if arrival.likeness >= 0.8:
        weight, what = (80, "a comment marked as spam") if arrival.like_spam else (40, "another recent comment")
        yield Suspicion(weight, f"It says nearly the same as {what}.")
    if arrival.learned is not None and arrival.learned >= 0.9:
        yield Suspicion(50, "Its words are those of comments that moderators marked as spam.")


def _words(arrival: Arrival) -> Iterator[Suspicion]:
    text = folded(f"{arrival.name}\n{arrival.body}")
    kinds = [kind for kind, phrases in BAD_PHRASES.items() if phrases.search(text)]
    hits = sum(len({hit.lower() for hit in BAD_PHRASES[kind].findall(text)}) for kind in kinds)
    if kinds:
        yield Suspicion(min(40 * hits, 120), f"It speaks as advertisements do ({', '.join(kinds)}).")
    praise = len({hit.lower() for hit in FLATTERY.findall(text)})
    if praise:
        yield Suspicion(min(30 * praise, 60), "It praises in words that would fit any page.")


def _letters(arrival: Arrival) -> Iterator[Suspicion]:
    text = f"{arrival.name} {arrival.body}"
    if any(_mixes_scripts(word) for word in WORD.findall(text)):
        yield Suspicion(60, "A word is made of letters of two alphabets that look alike.")
    if INVISIBLE_IN_WORD.search(arrival.raw or arrival.body):
        yield Suspicion(60, "There were invisible characters inside its words.")
    if sum(unicodedata.normalize("NFKC", c) != c for c in text if c.isalpha() and not _is_everyday(c)) >= 4:
        yield Suspicion(60, "It uses ornamental letters.")
    if SPACED_OUT.search(arrival.body) or len(DIGIT_FOR_LETTER.findall(arrival.body)) >= 2:
        yield Suspicion(50, "Its words are written so that a filter would not know them.")
    words = WORD.findall(arrival.body)
    garbled = sum(_is_garbled(word) for word in words)
    if garbled >= 2 and garbled * 3 >= len(words):
        yield Suspicion(50, "It is not in any language.")


def _links(arrival: Arrival) -> Iterator[Suspicion]:
    links = len(LINK.findall(arrival.body))
    if links:
        yield Suspicion(min(30 * links, 90), "It names a web page." if links == 1 else "It names several web pages.")
    if MARKUP.search(arrival.body):
        yield Suspicion(60, "It is written in the code of web pages.")
    if LINK.search(arrival.name):
        yield Suspicion(50, "The name is a web address.")


def folded(text: str) -> str:
    """Ornamental letters as plain ones, and without what hides inside words."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")


def _mixes_scripts(word: str) -> bool:
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in word}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1


def _is_everyday(character: str) -> bool:
    """Letters that have a compatibility form and yet stand in ordinary text: ª º ŀ, half of Arabic, Hangul, kana."""
    return not (
        "\uff21" <= character <= "\uff5a" or "\U0001d400" <= character <= "\U0001d7ff" or "Ⓐ" <= character <= "ⓩ"
    )


def _is_garbled(word: str) -> bool:
    """No word of a language written in Latin letters has six consonants in a row and no sense of capitals."""
    if not word.isascii() or len(word) < 6:
        return False
    humps = sum(a.islower() and b.isupper() for a, b in pairwise(word))
    return humps >= 3 or bool(CONSONANTS.search(word))
