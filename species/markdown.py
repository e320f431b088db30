"""Limited Markdown for what staff write at length: paragraphs, emphasis, lists, quotations, links. Nothing else.

Markup typed as HTML stays words on the page. What the renderer makes is cleaned once more against a short list, so
that a fault in one of the two opens nothing.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {"p", "br", "em", "strong", "ul", "ol", "li", "blockquote", "a"}
SCHEMES = {"https", "http", "mailto"}
# Quotation in quotation in quotation: deeper is a mistake, and deep nesting is slow to draw.
DEEPEST = 20

renderer = MarkdownIt("zero", {"html": False, "maxNesting": DEEPEST}).enable(
    ["list", "blockquote", "emphasis", "link", "newline", "escape", "entity"]
)


@lru_cache(maxsize=256)
def html_of(text: str) -> SafeString:
    """The text as HTML that may stand in a page as it is."""
    return SafeString(
        nh3.clean(
            renderer.render(text),
            tags=TAGS,
            clean_content_tags={"script", "style"},
            attributes={"a": {"href"}},
            url_schemes=SCHEMES,
            link_rel="noopener",
        )
    )


def words_of(text: str) -> str:
    """The text without any markup, for excerpts and descriptions."""
    blocks = (token.children or () for token in renderer.parse(text) if token.type == "inline")
    return " ".join("".join(_words(tokens)) for tokens in blocks)


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    return (" " if token.type in {"softbreak", "hardbreak"} else token.content for token in tokens)
