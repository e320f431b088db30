"""Our templates reach readers without their indentation."""

from pathlib import Path

import pytest
from django.template import Context, Engine

from config.template_loading import WithoutIndentation


@pytest.mark.parametrize(
    ("name", "drawn"),
    [("page.html", "<ul>\n<li>  two spaces</li>\n</ul>\n"), ("mail.txt", "<ul>\n  <li>  two spaces</li>\n</ul>\n")],
)
def test_indentation_of_a_page_is_left_out_and_what_was_typed_is_not(tmp_path: Path, name: str, drawn: str) -> None:
    (tmp_path / name).write_text("<ul>\n  <li>{{ typed }}</li>\n</ul>\n")
    engine = Engine(dirs=[str(tmp_path)])
    engine.template_loaders = [WithoutIndentation(engine)]
    assert engine.get_template(name).render(Context({"typed": "  two spaces"})) == drawn
