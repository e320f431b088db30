import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from species.markdown import html_of, words_of
from tests.species.makers import make_field_note


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("One.\n\nTwo.", "<p>One.</p>\n<p>Two.</p>\n"),
        ("*seen* **twice**", "<p><em>seen</em> <strong>twice</strong></p>\n"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"),
        ("> said so", "<blockquote>\n<p>said so</p>\n</blockquote>\n"),
        ("[park](https://example.org/)", '<p><a href="https://example.org/" rel="noopener">park</a></p>\n'),
        ("# No heading", "<p># No heading</p>\n"),
        ("5 < 7 & 8", "<p>5 &lt; 7 &amp; 8</p>\n"),
    ],
)
def test_limited_markdown_is_drawn(typed: str, shown: str) -> None:
    assert html_of(typed) == shown


@pytest.mark.threat("C1")
@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHN2Zz4=)",
        "[x](vbscript:x)",
        '[x](https://example.org/"onmouseover="alert(1))',
        "![x](https://example.org/tracker.png)",
        "[x](<javascript:alert(1)>)",
        "&#60;script&#62;alert(1)&#60;/script&#62;",
    ],
)
def test_nothing_that_runs_or_loads_gets_through(typed: str) -> None:
    html = html_of(typed)
    assert not any(tag in html for tag in ("<script", "<img", "<svg", "<iframe"))
    assert 'href="javascript' not in html.lower()
    assert 'href="data' not in html.lower()
    assert " onmouseover=" not in html.replace("&quot;", "")


@given(st.text(alphabet="*_[]()<>!&;#`~-+ \n\t:/\\\"'ax1", max_size=60))
def test_any_text_comes_out_made_of_allowed_tags_alone(typed: str) -> None:
    html = html_of(typed)
    names = {part.lstrip("/").split(">")[0].split(" ")[0] for part in html.split("<")[1:]}
    assert names <= {"p", "br", "em", "strong", "ul", "ol", "li", "blockquote", "a"}


def test_words_are_without_markup() -> None:
    assert words_of("Two *cubs*\nwere **seen**.\n\n- [Here](https://example.org/)") == "Two cubs were seen. Here"


@pytest.mark.django_db
def test_note_is_drawn_on_its_page_and_in_the_feed_and_its_excerpt_is_plain(client: Client) -> None:
    note = make_field_note(body="Two **cubs** seen.", published_at=timezone.now())
    page = client.get(note.get_absolute_url()).content.decode()
    assert "<p>Two <strong>cubs</strong> seen.</p>" in page
    assert '<meta name="description" content="Two cubs seen.">' in page
    feed = client.get("/feeds/field-notes.xml").content.decode()
    assert "&lt;p&gt;Two &lt;strong&gt;cubs&lt;/strong&gt; seen.&lt;/p&gt;" in feed
    assert "**" not in client.get("/").content.decode()
