"""For words that people typed, where mail programs would make more of them than they are."""

import re

from django import template

register = template.Library()

WORD_JOINER = "\u2060"
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
# Mail programs turn https://…, www.…, name@host and host.tld into links by themselves, in plain text and in HTML.
LINKED_BY_READERS = re.compile(r"(?<=\S)(?=[.:/@](?=\S))")


@register.filter
def typed(words: object) -> str:
    """One line that no mail program makes a link of, and whose direction stays its own.

    `evil.example` keeps its looks and gets an invisible joiner before the dot; a right-to-left name does not turn
    the rest of the line around. HTML is escaped afterwards as everywhere.
    """
    line = " ".join(str(words or "").split())
    unlinked = LINKED_BY_READERS.sub(WORD_JOINER, line)
    return f"{FIRST_STRONG_ISOLATE}{unlinked}{POP_ISOLATE}" if unlinked and not unlinked.isascii() else unlinked


@register.filter
def typed_lines(words: object) -> str:
    """The same for several lines, which stay lines."""
    return "\n".join(typed(line) for line in str(words or "").strip().splitlines())


@register.filter
def quoted(words: object) -> str:
    """Several lines for a plain-text mail, each marked as somebody else's: no message can pass for our own words."""
    return "\n".join(f"> {line}".rstrip() for line in typed_lines(words).splitlines())
