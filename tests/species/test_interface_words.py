"""That pages can be said in another language: each word of the interface is in the catalogue, none is kept over."""

import ast
import gettext
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation.template import templatize

from config import errors
from species import comment_links, previewing
from species.models import Comment, Conflict, Fact, PopulationCount, Section, Source, Species, Text, Threat
from tests.species.makers import (
    make_approved_comment,
    make_comment,
    make_fact,
    make_field_note,
    make_moderator,
    make_source,
    make_species,
    make_text,
    make_threat_text,
)
from tests.species.test_translated import Foreign

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
CATALOGUE = ROOT / "species" / "locale" / "ru" / "LC_MESSAGES"
COMMAND = "see “Another language” in species/content/README.md"
LETTER = re.compile(r"[^\W\d_]")
# A message: its context, its words, and its words for many.
Message = tuple[str, str, str]


def scanned() -> list[Path]:
    """The templates of the reading side, of error pages and of what all pages share."""
    return [
        path
        for pattern in ("*.html", "components/*.html", "species/**/*.html", "django/**/*.html")
        for path in sorted(TEMPLATES.glob(pattern))
    ]


# --- templates --------------------------------------------------------------------------------------------


class Said(HTMLParser):
    """Every stretch of words in markup, to eyes or to ears."""

    spoken = frozenset({"alt", "aria-label", "title", "placeholder"})
    spoken_by_others = frozenset({"description", "og:title", "og:description", "og:image:alt"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.is_hidden = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.is_hidden = tag in {"script", "style"}
        is_for_others = {values.get("name"), values.get("property")} & self.spoken_by_others
        for name, value in attrs:
            if name in self.spoken or (name == "content" and is_for_others):
                self.handle_data(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.is_hidden = False

    def handle_data(self, data: str) -> None:
        if LETTER.search(data) and not self.is_hidden:
            self.words.append(data.strip())


LITERAL = re.compile(r'=\s*"[A-Z][^"]*"')  # {% with title="Habitat" %}; what begins small is the name of something
FALLBACK = re.compile(r'\|(?:default|default_if_none|yesno|add|join):"[^"]*[^\W\d_]|\|pluralize')


def untranslated(template: str) -> list[str]:
    """What a template says by itself, outside of every tag that translates."""
    markup, found, is_translated = [], [], False
    for token in Lexer(template).tokenize():
        if token.token_type == TokenType.BLOCK:
            name = token.split_contents()[0]
            is_translated = name == "blocktranslate" or (is_translated and name != "endblocktranslate")
            found += LITERAL.findall(token.contents)
        elif token.token_type == TokenType.VAR and FALLBACK.search(token.contents):
            found.append(token.contents)
        elif token.token_type == TokenType.TEXT and not is_translated:
            markup.append(token.contents)
    return found + Said("".join(markup)).words


@pytest.mark.parametrize(
    "template",
    [
        "<p>{{ name }} is here</p>",
        '{% translate "Here" %}<b>there</b>',
        '<a title="{% if x %}Here{% endif %}">{{ x }}</a>',
        '<meta property="og:title" content="Here">',
        "{% blocktranslate %}One{% endblocktranslate %} and more",
        '{% with title="Here" %}{{ title }}{% endwith %}',
        '{{ year|default:"undated" }}',
        "{{ total }}{{ total|pluralize }}",
    ],
)
def test_words_that_nobody_could_translate_are_found(template: str) -> None:
    assert len(untranslated(template)) == 1


def test_templates_say_nothing_that_nobody_could_translate() -> None:
    found = {str(path.relative_to(TEMPLATES)): untranslated(path.read_text()) for path in scanned()}
    allowed = {"Pugmark", "Pugmark ·", "· Pugmark"}
    assert len(found) > 70
    assert {name: said for name, words in found.items() if (said := set(words) - allowed)} == {}


# --- the catalogue ----------------------------------------------------------------------------------------

CALL = re.compile(r"\b(n?p?gettext|_)\(((?:u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?:, )?)+)")
CALLED = re.compile(r"_|(n?)(p?)gettext(?:_lazy|_noop)?")


def message(function: str, words: tuple[str, ...]) -> Message:
    found = CALLED.fullmatch(function)
    assert found, function
    context = words[0] if found[2] else ""
    rest = words[1:] if found[2] else words
    return context, rest[0], rest[1] if found[1] else ""


def messages_of_template(template: str) -> Iterator[Message]:
    for function, arguments in CALL.findall(templatize(template)):
        yield message(function, ast.literal_eval(f"({arguments.rstrip(', ')},)"))


def calls(tree: ast.AST) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and CALLED.fullmatch(node.func.id):
            words = (each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str))
            yield message(node.func.id, tuple(words))


def modules() -> list[Path]:
    return [path for app in ("config", "species") for path in (ROOT / app).rglob("*.py")]


def written() -> dict[Message, list[str]]:
    """The file people edit: what each message is in Russian, in as many forms as it has."""
    found: dict[Message, list[str]] = {}
    for block in (CATALOGUE / "django.po").read_text().split("\n\n")[1:]:
        values = dict.fromkeys(("msgctxt", "msgid", "msgid_plural"), "")
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            head, _, quoted = line.partition('"')
            name = head.strip() or name
            values[name] = values.get(name, "") + ast.literal_eval(f'"{quoted}')
        forms = [value for name, value in sorted(values.items()) if name.startswith("msgstr")]
        found[values["msgctxt"], values["msgid"], values["msgid_plural"]] = forms
    return found


def test_every_word_of_the_interface_is_in_the_catalogue_and_no_other() -> None:
    templates = (path for path in TEMPLATES.rglob("*.*") if "adoptions" not in path.parts)
    wanted = {said for path in templates for said in messages_of_template(path.read_text())}
    wanted |= {said for path in modules() for said in calls(ast.parse(path.read_text()))}
    assert len(wanted) > 400
    assert (wanted - set(written()), set(written()) - wanted) == (set(), set()), COMMAND


def test_no_word_stands_where_the_tool_that_collects_them_does_not_look() -> None:
    """xgettext does not read what is between the braces of an f-string."""
    strings = (node for path in modules() for node in ast.walk(ast.parse(path.read_text())))
    assert [said for node in strings if isinstance(node, ast.JoinedStr) for said in calls(node)] == []


PLACE, TAG = re.compile(r"%\(\w+\)s"), re.compile(r"<[^>]+>")


def test_every_message_is_translated_whole() -> None:
    text = (CATALOGUE / "django.po").read_text()
    assert ("#, fuzzy" in text, "\n#~" in text) == (False, False), COMMAND
    faults = []
    for (_context, one, many), forms in written().items():
        places, tags = (set(pattern.findall(one + many)) for pattern in (PLACE, TAG))
        is_whole = len(forms) == (4 if many else 1) and all(
            form and set(PLACE.findall(form)) == places and set(TAG.findall(form)) == tags for form in forms
        )
        faults += [] if is_whole else [one]
    assert faults == []


def test_compiled_words_are_those_of_the_file_people_edit() -> None:
    wanted: dict[str | tuple[str, int], str] = {}
    for (context, one, many), forms in written().items():
        key = f"{context}\x04{one}" if context else one
        wanted |= {(key, number): form for number, form in enumerate(forms)} if many else {key: forms[0]}
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = dict(vars(gettext.GNUTranslations(file))["_catalog"])
    del compiled[""]
    assert compiled == wanted, COMMAND


# --- pages ------------------------------------------------------------------------------------------------


def write_all_in_russian() -> Species:
    """One of everything, so that any word in Latin letters is one of the interface."""
    species = make_species(common_name="амурский леопард", status="CR", status_assessed="2020")
    make_species("amur-tiger", common_name="амурский тигр", status="EN")
    fact = make_fact(low=1, high=2, label="Сколько", unit="штук", period="2015", place="Приморье", qualifier="about")
    fact.sources.add(make_source("undated", year=None, reading="часть"))
    for section in set(Section) - {Section.THREAT}:
        key = "key" if section in {Section.AT_A_GLANCE, Section.FAQ, Section.DID_YOU_KNOW} else ""
        make_text("Их {range-now}. [^range-now]", section, key=key, title="О чём")
    make_threat_text("Леса рубят. [^range-now]", title="Вырубка")
    Threat.objects.update(name="Вырубка", summary="Деревья падают.")
    count = PopulationCount(species=species, start=2000, end=2001, place="Приморье", series="a", point=3)
    count.unit, count.method, count.confidence = "леопарда", "следы", "low"
    count.save()
    count.sources.add(make_source())
    Source.objects.update(title="Название", publisher="Издатель")
    conflict = Conflict.objects.create(species=species, key="c", topic="Сколько их?", show="Их {range-now}.")
    conflict.positions.create(say="Мало", covers="все").sources.add(make_source())
    first = make_approved_comment("Красивые.", name="Сэм", is_by_adopter=True)
    for number in range(12):
        make_approved_comment(f"Да {number}.", name="Амара", parent=first, is_from_charity=number == 1)
    make_comment("Как их считают?", name="Эля", parent=first, held_because="Номер", wants_replies=True)
    make_field_note(title="Два котёнка", body="Снято камерой.", place="Приморье", published_at=timezone.now())
    return species


def pages_of(species: Species) -> list[str]:
    shown, waiting = Comment.objects.public().order_by("pk")[0], Comment.objects.pending()[0]
    own = [comment_links.own_view(comment) for comment in (shown, waiting)]
    return [
        *("/", "/species/", "/species/amur-leopard/", "/species/amur-leo/", "/threats/", "/threats/deforestation/"),
        *("/sources/", "/search/", "/search/?q=леопард", "/search/?q=щщщ", "/field-notes/two-cubs/", "/my-comments/"),
        *("/my-comments/sent/", "/species/amur-leopard/comments/waiting/", f"/comments/{shown.pk}/"),
        *(f"/comments/{shown.pk}/report/", "/my-comment/cut/", previewing.link_to(species)),
        *(address.removeprefix(settings.SITE_URL) for address in (*own, *(f"{each}erase/" for each in own))),
        comment_links.stop_replies(waiting).removeprefix(settings.SITE_URL),
        comment_links.moderate(make_moderator()).removeprefix(settings.SITE_URL),
    ]


# Names, and what is kept in English: “A reader” is whom a comment is by when its writer has taken the name off.
OUR_OWN = {"Pugmark", "JSON", "cookie", "Panthera", "pardus", "orientalis", "marek", "reader"}


def latin(html: str) -> set[str]:
    """Words in Latin letters on a page of which all the content is Russian."""
    for name in ("name", "number", "regulator", "address"):
        html = html.replace(str(settings.CHARITY[name]), "")
    html = re.sub(rf"{settings.SITE_URL}[\w/-]*", "", html)
    return set(Foreign(html.replace('lang="en-GB"', 'lang="ru"')).found) - OUR_OWN


@pytest.mark.django_db
def test_no_page_says_an_english_word_of_its_own_in_russian(client: Client) -> None:
    pages = pages_of(write_all_in_russian())
    for page in pages:
        client.get(page)  # so that whatever is remembered is remembered in English first
    with translation.override("ru"):
        found = {page: latin(client.get(page).text) for page in pages}
        answer = client.post("/species/amur-leopard/comments/", {}, headers={"Origin": "http://testserver"})
        found["refused"] = latin(answer.text)
        found |= {str(status): latin(errors.error_page(status).text) for status in (400, 403, 404, 413, 429, 500, 503)}
    assert {page: words for page, words in found.items() if words} == {}


@pytest.mark.parametrize("page", ["/species/amur-leopard/", "/sources/"])
def test_what_is_remembered_in_one_language_is_not_said_in_another(
    client: Client, our_content: None, page: str
) -> None:
    """Sentences, figures and lists of sources are drawn once and kept: for each language by itself."""

    def said() -> list[str]:
        html = client.get(page).text
        return Said(re.sub(r'value="[^"]*" id="id_loaded"', "", html)).words

    english = said()
    with translation.override("ru"):
        russian = said()
    assert said() == english
    interface = {one: forms[0] for (_, one, many), forms in written().items() if forms[0] != one and not many}
    content = {said for names in Text.objects.values_list("title", "summary") for said in names}
    content |= {said for names in Fact.objects.values_list("label", "value") for said in names}
    shown = (set(english) & set(interface)) - content
    assert len(shown) > 5
    assert shown & set(russian) == set()
    assert {interface[words] for words in shown} <= set(russian)
