import json
import re
import textwrap
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from species import content_files
from species.content_files import ContentError
from species.content_loading import load
from species.models import (
    Citation,
    Confidence,
    Conflict,
    Direction,
    Fact,
    FactGroup,
    PopulationCount,
    Qualifier,
    Section,
    Source,
    SourceKind,
    Species,
    Text,
    Threat,
)
from species.models.species import STATUS_BY_NAME
from species.models.texts import SECTIONS_OF_ITEMS
from tests.species.makers import make_moderator

GROUPS = ", ".join(FactGroup.values)
pytestmark = pytest.mark.django_db

THREATS: list[dict[str, Any]] = [{"slug": "deforestation", "name": "Deforestation", "summary": "Trees fall."}]
FACTS: dict[str, Any] = {
    "slug": "lynx",
    "common_name": "Lynx",
    "scientific_name": "Lynx lynx",
    "position": 1,
    "as_of": "2026-11",
    "status_assessed": "2015",
    "facts": [
        {
            "id": "iucn-status",
            "group": "identity",
            "label": "IUCN category",
            "value": "Least Concern",
            "confidence": "high",
            "sources": ["breitenmoser-2015"],
        },
        {
            "id": "pop",
            "group": "population",
            "label": "Europe",
            "value": {"low": 8000, "high": 9000},
            "qualifier": "about",
            "unit": "animals",
            "period": "2015",
            "confidence": "medium",
            "sources": ["breitenmoser-2015"],
        },
    ],
    "population_counts": [
        {
            "start": 2015,
            "end": 2015,
            "place": "Europe",
            "series": "red-list",
            "fact": "pop",
            "unit": "animals",
            "method": "estimate",
            "confidence": "medium",
            "sources": ["breitenmoser-2015"],
        }
    ],
    "conflicts": [
        {
            "id": "how-many",
            "topic": "How many?",
            "show": "We say {pop}.",
            "positions": [
                {"says": "{pop}", "covers": "Europe", "sources": ["breitenmoser-2015"]},
                {"says": "more", "covers": "hunters", "sources": ["breitenmoser-2015"]},
            ],
        }
    ],
    "threats": [{"threat": "deforestation", "direction": "falling"}],
    "sources": [
        {"id": "breitenmoser-2015", "title": "Lynx lynx", "publisher": "IUCN", "year": 2015, "kind": "red-list"}
    ],
}
TEXTS: dict[str, Any] = {
    "species": "lynx",
    "language": "en-gb",
    "sections": {"standfirst": ["In Europe live {pop} lynx. [^pop]"], "habitat": ["They like forest."]},
    "at_a_glance": [{"id": "number", "label": "Number", "text": "{pop:cap}"}],
    "threats": [{"threat": "deforestation", "title": "Felling", "trend": "less now", "body": ["It eased."]}],
    "did_you_know": [{"id": "ears", "body": ["Their ears have tufts."]}],
    "faq": [{"id": "danger", "question": "Are they dangerous?", "answer": ["No."]}],
}


class Files:
    """A small content directory that a test may spoil before it is loaded."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.threats = json.loads(json.dumps(THREATS))
        self.facts = json.loads(json.dumps(FACTS))
        self.texts = json.loads(json.dumps(TEXTS))

    def write(self) -> Path:
        (self.directory / "lynx").mkdir(exist_ok=True)
        for name, data in (
            ("threats.json", self.threats),
            ("lynx/facts.json", self.facts),
            ("lynx/texts.en-gb.json", self.texts),
        ):
            (self.directory / name).write_text(json.dumps(data), encoding="utf-8")
        return self.directory


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_our_own_content_loads_and_loading_again_changes_nothing() -> None:
    first = load()
    assert (first.counts["updated"], first.kept, first.left_over) == (0, [], [])
    assert set(Species.objects.values_list("slug", "status")) == {
        ("amur-leopard", "CR"),
        ("amur-tiger", "EN"),
        ("snow-leopard", "VU"),
    }
    before = {model: list(model._default_manager.order_by("pk").values()) for model in (Fact, Text, Source, Citation)}
    second = load()
    assert second.changed == 0
    assert second.counts["unchanged"] == first.counts["created"] + first.counts["unchanged"]
    assert before == {model: list(model._default_manager.order_by("pk").values()) for model in before}


def test_rows_hold_what_the_files_say(files: Files) -> None:
    load(files.write())
    fact = Fact.objects.get(key="pop")
    assert (fact.value_text, fact.unit, fact.period) == ("about 8,000 to 9,000", "animals", "2015")
    assert [source.key for source in fact.sources.all()] == ["breitenmoser-2015"]
    assert Species.objects.get().status == "LC"
    count = PopulationCount.objects.get()
    assert (count.low, count.high, count.point) == (Decimal(8000), Decimal(9000), None)
    assert {(text.section, text.key) for text in Text.objects.all()} == {
        ("standfirst", ""),
        ("habitat", ""),
        ("at_a_glance", "number"),
        ("threat", ""),
        ("did_you_know", "ears"),
        ("faq", "danger"),
    }
    assert Citation.objects.filter(fact=fact).count() == 2


def test_corrected_file_corrects_the_row(files: Files) -> None:
    load(files.write())
    files.facts["facts"][1]["value"] = 8500
    files.facts["sources"][0]["title"] = "Eurasian lynx"
    report = load(files.write())
    assert (report.counts["updated"], report.kept) == (2, [])
    fact = Fact.objects.get(key="pop")
    assert (fact.point, fact.low, fact.high) == (Decimal(8500), None, None)
    assert PopulationCount.objects.get().point == Decimal(8500)


def test_row_that_staff_edited_is_kept_and_reported(files: Files) -> None:
    load(files.write())
    fact = Fact.objects.get(key="pop")
    fact.high = Decimal(9500)
    fact.save(update_fields=["high"])
    files.facts["facts"][1]["value"] = 8500
    report = load(files.write())
    assert report.kept == ["fact pop"]
    fact.refresh_from_db()
    assert (fact.high, fact.point) == (Decimal(9500), None)
    assert PopulationCount.objects.get().high == Decimal(9500)


def test_reviewing_a_fact_is_not_an_edit(files: Files) -> None:
    load(files.write())
    Fact.objects.filter(key="pop").update(reviewed_by=make_moderator(), reviewed_on="2026-11-20")
    files.facts["facts"][1]["value"] = 8500
    assert load(files.write()).kept == []


def test_row_no_file_speaks_of_is_reported_and_stays(files: Files) -> None:
    load(files.write())
    del files.texts["faq"]
    assert load(files.write()).left_over == ["text Questions people ask · Are they dangerous?"]
    assert Text.objects.filter(section="faq").exists()


def test_edited_conflict_keeps_its_positions(files: Files) -> None:
    load(files.write())
    Conflict.objects.get().positions.filter(covers="hunters").update(say="many more")
    files.facts["conflicts"][0]["topic"] = "How many are there?"
    assert load(files.write()).kept == ["conflict how-many"]
    assert Conflict.objects.get().positions.filter(say="many more").exists()


def spoil_source(files: Files) -> None:
    files.facts["facts"][1]["sources"] = ["nobody-2020"]


def spoil_period(files: Files) -> None:
    del files.facts["facts"][1]["period"]


def spoil_fact_id(files: Files) -> None:
    files.facts["facts"][1]["id"] = "iucn-status"


def spoil_source_id(files: Files) -> None:
    files.facts["sources"].append(files.facts["sources"][0])


def spoil_language(files: Files) -> None:
    files.texts["language"] = "xx"


def spoil_sentence(files: Files) -> None:
    files.texts["sections"]["habitat"] = ["They like forest. [^forest]"]


def spoil_value(files: Files) -> None:
    files.facts["facts"][1]["value"] = {"low": 8000}


def spoil_group(files: Files) -> None:
    files.facts["facts"][1]["group"] = "gossip"


def spoil_status(files: Files) -> None:
    files.facts["facts"][0]["value"] = "EN"


def spoil_order(files: Files) -> None:
    files.facts["facts"][1]["value"] = {"low": 9000, "high": 8000}


def spoil_name_of_a_value(files: Files) -> None:
    files.facts["facts"][1]["confidance"] = "low"


def spoil_list_of_sentences(files: Files) -> None:
    files.texts["sections"]["habitat"] = "They like forest."


def spoil_question(files: Files) -> None:
    del files.texts["faq"][0]["question"]


def spoil_month(files: Files) -> None:
    del files.facts["as_of"]


def spoil_confidence(files: Files) -> None:
    del files.facts["facts"][1]["confidence"]


def spoil_no_source(files: Files) -> None:
    files.facts["facts"][1]["sources"] = []


def spoil_threat(files: Files) -> None:
    files.facts["threats"] = [{"threat": "boredom"}]


def spoil_threat_text(files: Files) -> None:
    files.facts["threats"] = []


def spoil_positions(files: Files) -> None:
    files.facts["conflicts"][0]["positions"].pop()


def spoil_conflict_marker(files: Files) -> None:
    files.facts["conflicts"][0]["show"] = "{pop:point}"


def spoil_count(files: Files) -> None:
    files.facts["population_counts"][0]["point"] = 8000


def spoil_count_fact(files: Files) -> None:
    files.facts["population_counts"][0]["fact"] = "pop-2099"


def spoil_slug(files: Files) -> None:
    files.facts["slug"] = "caracal"


def spoil_text_species(files: Files) -> None:
    files.texts["species"] = "caracal"


def spoil_missing_id(files: Files) -> None:
    del files.texts["faq"][0]["id"]


def remove_cited_fact(files: Files) -> None:
    files.facts["population_counts"] = []
    files.facts["conflicts"] = []
    del files.facts["facts"][1]


def unpublish_cited_fact(files: Files) -> None:
    files.facts["conflicts"] = []
    files.facts["facts"][1]["is_published"] = False


def test_smallest_species_of_the_readme_loads_and_has_a_whole_page(tmp_path: Path, client: Client) -> None:
    readme = (content_files.CONTENT / "README.md").read_text(encoding="utf-8")
    facts, texts = re.findall(r"\n\n((?:    .*\n)+)", readme.split("## The smallest species")[1])[:2]
    (tmp_path / "sand-cat").mkdir()
    (tmp_path / "threats.json").write_text("[]", encoding="utf-8")
    for name, text in (("facts.json", facts), ("texts.en-gb.json", texts)):
        (tmp_path / "sand-cat" / name).write_text(textwrap.dedent(text), encoding="utf-8")
    load(tmp_path)
    page = client.get("/species/sand-cat/").text
    for shown in ("Sand cat", "Least Concern", "A cat of the deserts.", "An adoption is a way to give."):
        assert shown in page


def test_readme_names_every_word_that_a_file_may_take() -> None:
    readme = (content_files.CONTENT / "README.md").read_text(encoding="utf-8")
    sections = set(Section.values) - {*SECTIONS_OF_ITEMS, Section.THREAT}
    for words in (FactGroup.values, Confidence.values, Qualifier.values, SourceKind.values, Direction.values, sections):
        for word in filter(None, words):
            assert f"`{word}`" in readme


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (spoil_source, "lynx/facts.json: pop: names the source “nobody-2020”, which is not in this file."),
        (spoil_period, "lynx/facts.json: pop: A number needs a period: the year or years it speaks of."),
        (spoil_fact_id, "lynx/facts.json: iucn-status: stands twice in “facts”."),
        (spoil_source_id, "lynx/facts.json: breitenmoser-2015: stands twice in “sources”."),
        (spoil_language, "lynx/texts.en-gb.json: language: “xx” is no language of this site, or not the file's."),
        (spoil_sentence, "lynx/texts.en-gb.json: habitat: No published fact of this species is called “forest”."),
        (spoil_value, "lynx/facts.json: pop: The value must be words, a number, or a range with low and high."),
        (spoil_group, f"lynx/facts.json: pop: group: Value 'gossip' is not a valid choice. It is one of: {GROUPS}."),
        (spoil_status, f"lynx/facts.json: iucn-status: value: The status must be one of: {', '.join(STATUS_BY_NAME)}."),
        (spoil_order, "lynx/facts.json: pop: The low end is above the high one, or the point is outside them."),
        (
            spoil_name_of_a_value,
            (
                "lynx/facts.json: pop: “confidance” means nothing here. Known are: confidence, group, id, "
                "is_published, label, note, period, place, qualifier, sources, unit, value."
            ),
        ),
        (spoil_list_of_sentences, "lynx/texts.en-gb.json: habitat: must be a list of sentences."),
        (spoil_question, "lynx/texts.en-gb.json: danger: has no question."),
        (
            spoil_month,
            "lynx/facts.json: as_of: is needed: the year and month the facts are from, such as “2026-11”.",
        ),
        (spoil_confidence, "lynx/facts.json: pop: A fact needs a group, a label and a confidence."),
        (spoil_no_source, "lynx/facts.json: pop: names no source."),
        (spoil_threat, "lynx/facts.json: boredom: This threat is not in threats.json."),
        (
            spoil_threat_text,
            "lynx/texts.en-gb.json: deforestation: This threat is not one of the species' threats.",
        ),
        (spoil_positions, "lynx/facts.json: how-many: A conflict needs at least two positions."),
        (spoil_conflict_marker, "lynx/facts.json: how-many: The fact “pop” has no point to print."),
        (
            spoil_count,
            "lynx/facts.json: count red-list 2015 Europe: has either its own numbers or a fact to follow.",
        ),
        (
            spoil_count_fact,
            "lynx/facts.json: count red-list 2015 Europe: follows the fact “pop-2099”, which is not in this file.",
        ),
        (spoil_slug, "lynx/facts.json: caracal: The slug must be the folder's name, “lynx”."),
        (spoil_text_species, "lynx/texts.en-gb.json: species: must be “lynx”."),
        (spoil_missing_id, "lynx/texts.en-gb.json: faq 1: has no id."),
        (remove_cited_fact, "lynx/texts.en-gb.json: standfirst: No published fact of this species is called “pop”."),
        (unpublish_cited_fact, "lynx/texts.en-gb.json: standfirst: No published fact of this species is called “pop”."),
    ],
)
def test_bad_file_stops_the_load_and_changes_nothing(
    files: Files, spoil: Callable[[Files], None], complaint: str
) -> None:
    load(files.write())
    rows_before = sorted(Fact.objects.values_list("pk", "updated_at"))
    files.facts["common_name"] = "Eurasian lynx"
    spoil(files)
    with pytest.raises(ContentError) as refusal:
        load(files.write())
    assert str(refusal.value) == complaint
    assert Species.objects.get().common_name == "Lynx"
    assert sorted(Fact.objects.values_list("pk", "updated_at")) == rows_before


def test_file_that_is_no_json_is_named(files: Files) -> None:
    (files.write() / "lynx" / "facts.json").write_text("{")
    with pytest.raises(ContentError, match=r"lynx/facts\.json: the file: cannot be read: Expecting"):
        load(files.directory)
    assert not Species.objects.exists()
    assert not Threat.objects.exists()


def test_one_source_id_means_one_source_for_all_species(files: Files) -> None:
    files.write()
    other = files.directory / "caracal"
    other.mkdir()
    facts = files.facts | {"slug": "caracal", "facts": [], "population_counts": [], "conflicts": [], "threats": []}
    facts["sources"] = [facts["sources"][0] | {"title": "Caracal caracal"}]
    (other / "facts.json").write_text(json.dumps(facts))
    with pytest.raises(ContentError, match=r"breitenmoser-2015: is another source in caracal/facts\.json"):
        load(files.directory)


def test_text_that_no_longer_fits_an_edited_fact_is_named(files: Files) -> None:
    load(files.write())
    Fact.objects.filter(key="pop").update(is_published=False)
    files.texts["sections"]["standfirst"] = ["Today {pop} lynx live in Europe. [^pop]"]
    with pytest.raises(ContentError, match="standfirst: does not fit the facts as staff have edited them"):
        load(files.write())


def test_command_reports_and_refuses_in_plain_words(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("species.management.commands.load_species.load", lambda: load(files.write()))
    out = StringIO()
    call_command("load_species", stdout=out)
    assert out.getvalue() == "Species content: 14 created, 0 updated, 0 unchanged, 0 kept.\n"
    Fact.objects.filter(key="pop").update(note="Checked.")
    files.facts["facts"][1]["note"] = "Rough."
    del files.texts["did_you_know"]
    out = StringIO()
    call_command("load_species", stdout=out)
    assert out.getvalue().splitlines() == [
        "Species content: 0 created, 0 updated, 12 unchanged, 1 kept.",
        "  kept as staff edited it: fact pop",
        "  no longer in the files (unpublish it if it is wrong): text Did you know?",
    ]
    spoil_period(files)
    with pytest.raises(CommandError, match=r"^Nothing was loaded\. lynx/facts\.json: pop: A number needs a period"):
        call_command("load_species")


def test_every_species_has_what_its_page_needs() -> None:
    content = content_files.read()
    for species in content.species:
        sections = {row.values["section"] for row in species.texts if row.values["language"] == "en-gb"}
        assert {"standfirst", "at_a_glance", "habitat", "why_they_matter", "threat", "did_you_know"} <= sections
