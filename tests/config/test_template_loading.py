"""Our templates reach readers without their indentation."""

from pathlib import Path

import pytest
from django.template import Context, Engine
from django.template.loader import render_to_string

from config.template_loading import WithoutIndentation, read_all


@pytest.mark.parametrize(
    ("name", "drawn"),
    [("page.html", "<ul>\n<li>  two spaces</li>\n</ul>\n"), ("mail.txt", "<ul>\n  <li>  two spaces</li>\n</ul>\n")],
)
def test_indentation_of_a_page_is_left_out_and_what_was_typed_is_not(tmp_path: Path, name: str, drawn: str) -> None:
    (tmp_path / name).write_text("<ul>\n  <li>{{ typed }}</li>\n</ul>\n")
    engine = Engine(dirs=[str(tmp_path)])
    engine.template_loaders = [WithoutIndentation(engine)]
    assert engine.get_template(name).render(Context({"typed": "  two spaces"})) == drawn


@pytest.mark.threat("X6")
def test_process_draws_with_the_templates_that_were_there_when_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that extend others, and mails: nothing is read any more, whatever lies in its place."""
    assert read_all() > 300

    def read(*_: object) -> str:
        raise AssertionError("A template was read late.")

    monkeypatch.setattr(WithoutIndentation, "get_contents", read)
    assert "<h1" in render_to_string("503.html")
    assert render_to_string("components/pugmark.html")
