"""Sentences with the numbers of the sources they rest on, which open in place.

    {% cited_paragraphs page.range %}   {% cited page.standfirst %}   {% cites count.source_numbers %}
    {% source_list page.sources %}

Markup in Python, not in templates: a page has hundreds of sentences, and a template for each of them takes most of
the time that the whole page does. `of` names the list of sources where a page has more than one.
"""

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from species.models import Source
from species.notebook import Paragraph

register = template.Library()

OF_THE_PAGE = "source"


@register.simple_tag
def cites(numbers: Iterable[int], of: str = OF_THE_PAGE) -> SafeString:
    of = conditional_escape(of)
    buttons = "".join(
        f'<button class="cite" type="button" popovertarget="{of}-{n}"><i>Source </i>{n}</button>'
        for n in map(int, numbers)
    )
    # Nothing but our own markup, whole numbers, and a name that is escaped.
    return mark_safe(f'<span class="cites">{buttons}</span>' if buttons else "")  # noqa: S308 - see above


@lru_cache(maxsize=4096)  # sentences are values: one whose fact has changed is another
def sentence_html(text: str, sources: tuple[int, ...], of: str) -> str:
    return conditional_escape(text) + cites(sources, of)


def paragraph_html(paragraph: Paragraph, of: str) -> str:
    return " ".join(sentence_html(sentence.text, sentence.sources, of) for sentence in paragraph)


@register.simple_tag
def cited(paragraphs: Iterable[Paragraph], of: str = OF_THE_PAGE) -> SafeString:
    """All sentences in one line, for a place that is a paragraph or a cell already."""
    return mark_safe(" ".join(paragraph_html(each, of) for each in paragraphs))  # noqa: S308 - each is escaped above


@register.simple_tag
def cited_paragraphs(paragraphs: Iterable[Paragraph], of: str = OF_THE_PAGE) -> SafeString:
    html = "\n".join(f"<p>{paragraph_html(each, of)}</p>" for each in paragraphs)
    return mark_safe(html)  # noqa: S308 - each is escaped above


@register.simple_tag
def source_list(sources: Iterable[Source], of: str = OF_THE_PAGE) -> SafeString:
    """The sources by number. Each opens beside the sentence that names it, as a popover."""
    # A year that is not known is said; how much of a source we read is said where we know it.
    items = (
        source_html(of, n, each.title, each.url, each.publisher, each.year, each.get_kind_display(), each.reading)
        for n, each in enumerate(sources, 1)
    )
    return format_html('<ol class="sources" role="list">\n{}\n</ol>', mark_safe("\n".join(items)))  # noqa: S308 - escaped


@lru_cache(maxsize=1024)
def source_html(
    of: str, number: int, title: str, url: str, publisher: str, year: int | None, kind: str, reading: str
) -> SafeString:
    name = format_html('<a href="{}">{}</a>', url, title) if url else title
    about = f"{publisher}, {year or 'undated'}. {kind}{f'; we read: {reading}' if reading else ''}."
    return format_html(
        '<li class="source" id="{}-{}" popover><b>{}.</b> {}. <span class="source__meta">{}</span></li>',
        of,
        number,
        number,
        name,
        about,
    )
