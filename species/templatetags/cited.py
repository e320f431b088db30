"""Sentences with the numbers of the sources they rest on, which open in place.

    {% cited_paragraphs page.range %}   {% cited page.standfirst %}   {% source_list page.sources %}

Markup in Python, not in templates: a page has hundreds of sentences, and a template for each of them takes most of
the time that the whole page does. `of` names the list of sources where a page has more than one. What is remembered
has words of the interface in it, so each is remembered under the language that is spoken.
"""

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from species.models import Source, SourceKind
from species.models.facts import label_of
from species.notebook import Paragraph

register = template.Library()

OF_THE_PAGE = "source"
BUTTON = '<button class="cite" type="button" popovertarget="{}-{}"><i>{} </i>{}</button>'


def cites(numbers: Iterable[int], of: str = OF_THE_PAGE) -> SafeString:
    buttons = format_html_join("", BUTTON, ((of, number, _("Source"), number) for number in numbers))
    return format_html('<span class="cites">{}</span>', buttons) if buttons else buttons


@lru_cache(maxsize=4096)  # sentences are values: one whose fact has changed is another
def sentence_html(text: str, sources: tuple[int, ...], of: str, _speaking: str | None) -> SafeString:
    return format_html("{}{}", text, cites(sources, of))


def paragraph_html(paragraph: Paragraph, of: str) -> SafeString:
    speaking = get_language()
    return format_html_join(" ", "{}", ((sentence_html(each.text, each.sources, of, speaking),) for each in paragraph))


@register.simple_tag
def cited(paragraphs: Iterable[Paragraph], of: str = OF_THE_PAGE) -> SafeString:
    """All sentences in one line, for a place that is a paragraph or a cell already."""
    return format_html_join(" ", "{}", ((paragraph_html(each, of),) for each in paragraphs))


@register.simple_tag
def cited_paragraphs(paragraphs: Iterable[Paragraph], of: str = OF_THE_PAGE) -> SafeString:
    return format_html_join("\n", "<p>{}</p>", ((paragraph_html(each, of),) for each in paragraphs))


@register.simple_tag
def source_list(sources: Iterable[Source], of: str = OF_THE_PAGE) -> SafeString:
    """The sources by number. Each opens beside the sentence that names it, as a popover."""
    speaking = get_language()
    items = (
        source_html(of, n, each.title, each.url, each.publisher, each.year, each.kind, each.reading, speaking)
        for n, each in enumerate(sources, 1)
    )
    return format_html(
        '<ol class="sources" role="list">\n{}\n</ol>', format_html_join("\n", "{}", ((item,) for item in items))
    )


@lru_cache(maxsize=1024)
def source_html(
    of: str,
    number: int,
    title: str,
    url: str,
    publisher: str,
    year: int | None,
    kind: str,
    reading: str,
    _speaking: str | None,
) -> SafeString:
    name = format_html('<a href="{}">{}</a>', url, title) if url else title
    return format_html(
        '<li class="source" id="{}-{}" popover><b>{}.</b> {}. <span class="source__meta">{}</span></li>',
        of,
        number,
        number,
        name,
        about(publisher, year, kind, reading),
    )


@register.simple_tag
def about_source(source: Source, fact_total: int) -> str:
    """The same in the list of all sources, and how many facts rest on it."""
    return weighed(source.publisher, source.year, source.kind, source.reading, fact_total, get_language())


@lru_cache(maxsize=1024)
def weighed(publisher: str, year: int | None, kind: str, reading: str, total: int, _speaking: str | None) -> str:
    facts = ngettext("%(total)s fact.", "%(total)s facts.", total) % {"total": total}
    return f"{about(publisher, year, kind, reading)} {facts}"


def about(publisher: str, year: int | None, kind: str, reading: str) -> str:
    """A year that is not known is said; how much of a source we read is said where we know it."""
    when, read = year or _("undated"), _("we read: %(reading)s") % {"reading": reading}
    return f"{publisher}, {when}. {label_of(SourceKind, kind)}{f'; {read}' if reading else ''}."
