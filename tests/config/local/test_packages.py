"""The list that goes with a release names every locked package; a known hole stops the build, silence does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.local import packages


def told(**holes: list[str]) -> dict[str, Any]:
    found = [
        {"name": name, "version": "1.0", "vulns": [{"id": hole, "fix_versions": ["1.1"]} for hole in ids]}
        for name, ids in holes.items()
    ]
    return {"dependencies": found}


@pytest.mark.threat("P8")
def test_list_of_a_release_names_every_package_with_its_hashes(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    count = packages.write_list(file)
    pinned = set(packages.locked().items())
    listed = json.loads(file.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert {(each["name"], each["version"]) for each in listed["components"]} == pinned
    assert count == len(pinned)
    assert all(each["externalReferences"][0]["hashes"] for each in listed["components"])


@pytest.mark.threat("P8")
@pytest.mark.parametrize(
    ("found", "may_go_on", "words"),
    [
        (None, True, "did not answer"),
        ({"dependencies": [{"name": "django", "skip_reason": "not found"}]}, True, "did not answer"),
        (told(django=[], stripe=[]), True, "2 packages were looked at, 0 known holes"),
        (told(django=[], pillow=["PYSEC-1"]), False, "pillow 1.0: PYSEC-1, mended in 1.1."),
    ],
)
def test_known_hole_stops_the_build_and_silence_does_not(found: Any, may_go_on: bool, words: str) -> None:
    sentences, goes_on = packages.judge(found)
    assert goes_on is may_go_on
    assert words in " ".join(sentences)


@pytest.mark.threat("P8")
def test_hole_that_is_argued_does_not_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "ARGUED", {"PYSEC-1": "We never open a file of that kind."})
    assert packages.judge(told(pillow=["PYSEC-1"]))[1] is True


def test_packages_behind_their_newest_release_are_named() -> None:
    django = packages.locked()["django"]
    one = packages.behind({"django": "99.0", "ruff": "99.0"})
    assert f"have a newer release: django {django} (99.0)" in one
    assert "ruff" not in one  # not in a release
    assert packages.behind({}).startswith("0 of ")
    assert "did not answer" in packages.behind(None)


def test_registry_that_cannot_be_asked_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert packages.newest() is None


def test_all_lock_files_name_the_same_versions() -> None:
    files = sorted(packages.BASE_DIR.glob("requirements*.txt"))
    assert len(files) == 4
    pins = {pin for file in files for pin in packages.locked(file).items()}
    assert len(pins) == len({name for name, _ in pins})
