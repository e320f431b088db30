"""Two stylesheets out of one file per component."""

import os
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from config.stylesheet import GIVING, OF_THE_ADMIN, SITE, StylesheetFinder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "css"
    folder.mkdir()
    (folder / "layers.css").write_text("/* why */\n@layer base, components;\n")
    (folder / "card.css").write_text("@layer components {\n  .card {\n    color: red;\n  }\n}\n")
    (folder / "standin.css").write_text(".standin {}\n")
    (folder / "adopt.css").write_text(".amounts { gap: 0 }\n")
    return folder


@pytest.fixture
def finder(folder: Path, tmp_path: Path) -> StylesheetFinder:
    return StylesheetFinder(folder, tmp_path / "out")


def found(finder: StylesheetFinder) -> str:
    return Path(finder.find(SITE)).read_text()


def later(path: Path) -> None:
    """Give a file a time that no clock's grain can hide."""
    moment = path.stat().st_mtime + 10
    os.utime(path, (moment, moment))


def test_layers_come_first_without_comments_and_indentation(finder: StylesheetFinder) -> None:
    assert found(finder) == "@layer base,components;@layer components{.card{color:red;}}\n"


def test_stylesheet_of_another_page_is_left_out(finder: StylesheetFinder) -> None:
    assert "standin" not in found(finder)


def test_rules_of_giving_are_in_a_stylesheet_of_their_own(finder: StylesheetFinder) -> None:
    assert "amounts" not in found(finder)
    assert Path(finder.find(GIVING)).read_text() == ".amounts{gap:0}\n"


def test_changed_part_is_taken_in(finder: StylesheetFinder, folder: Path) -> None:
    found(finder)
    (folder / "card.css").write_text(".card { color: blue }\n")
    later(folder / "card.css")
    assert "blue" in found(finder)


def test_new_part_is_taken_in(finder: StylesheetFinder, folder: Path) -> None:
    found(finder)
    (folder / "badge.css").write_text(".badge { color: green }\n")
    later(folder)
    assert "green" in found(finder)


def test_removed_part_is_left_out(finder: StylesheetFinder, folder: Path) -> None:
    found(finder)
    (folder / "card.css").unlink()
    later(folder)
    assert "card" not in found(finder)


def test_other_names_are_left_to_other_finders(finder: StylesheetFinder) -> None:
    assert finder.find("css/card.css") == finder.find("css/card.css", find_all=True) == []
    assert finders.find("css/no-such.css") is None
    assert len(finder.find(SITE, find_all=True)) == 1


def test_collecting_finds_the_stylesheets(finder: StylesheetFinder) -> None:
    assert [name for name, _storage in finder.list([])] == [SITE, GIVING]


def test_site_serves_its_stylesheet() -> None:
    path = finders.find(SITE)
    assert isinstance(path, str)
    assert Path(path).read_text().startswith("@layer reset,tokens,base,components,pages,utilities;")


def test_every_part_of_the_site_lives_in_a_layer() -> None:
    folder = StylesheetFinder().folder
    loose = [
        path.name
        for path in folder.glob("*.css")
        if path.name not in {"standin.css", "practice.css"}
        and not path.name.startswith(OF_THE_ADMIN)
        and "@layer" not in path.read_text()
    ]
    assert loose == []
