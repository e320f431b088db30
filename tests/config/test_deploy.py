"""DEPLOY.md is what an operator trusts at three in the morning: it names what the code really reads and handles."""

import re
from pathlib import Path

import pytest

from adoptions import stripe_gateway, webhooks
from config import settings as project

MANUAL = (project.BASE_DIR / "config/deploy/DEPLOY.md").read_text()
SETTINGS = (project.BASE_DIR / "config/settings.py").read_text()


def test_manual_names_every_variable_and_no_other() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS)) | {"DATABASE_URL"}
    section = MANUAL.split("## Environment variables")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == read


def test_manual_marks_what_production_refuses_to_start_without() -> None:
    rows = [line.split("|") for line in MANUAL.splitlines() if line.startswith("| `")]
    required = {
        name for row in rows if row[2].strip().startswith("required") for name in re.findall(r"`(\w+)`", row[1])
    }
    assert required == set(project.REQUIRED_IN_PRODUCTION)


def blocks_of(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_manual_asks_of_an_empty_server_only_what_it_has_installed() -> None:
    """Debian has no sudo unless asked, and the fonts of the image are wanted without an image, too."""
    commands = "".join(blocks_of(MANUAL))
    installed = set(re.findall(r"apt-get install --yes (.+)", commands)[0].split())
    fonts = re.findall(r"fonts-\S+", (project.BASE_DIR / "config/deploy/Dockerfile").read_text())
    assert fonts
    assert installed >= {"git", "python3-venv", "postgresql", "caddy", "curl", *fonts}
    assert not re.search(r"\bsudo\b", commands)
    copied = re.findall(r"config/deploy/([\w*.]+)", commands)
    assert copied
    assert [name for name in copied if not list((project.BASE_DIR / "config/deploy").glob(name))] == []


def test_smallest_environment_of_the_manual_starts_production() -> None:
    [block] = [block for block in blocks_of(MANUAL) if 'SECRET_KEY="' in block]
    named = dict(re.findall(r'^([A-Z_]+)="([^"$`\\]+)"$', block, re.MULTILINE))
    assert len(named) == len(block.splitlines()), "each line is one that the shell and systemd read alike"
    assert set(project.REQUIRED_IN_PRODUCTION) <= set(named)


def test_manual_lists_the_events_that_are_handled() -> None:
    section = MANUAL.split("## Stripe")[1].split("Others do no harm")[0]
    assert set(re.findall(r"`([a-z_]+\.[a-z_.]+)`", section)) == set(webhooks.HANDLERS)
    assert f"**{stripe_gateway.API_VERSION}**" in section


def test_every_command_of_the_manual_is_there() -> None:
    deploy = Path(project.BASE_DIR / "config/deploy")
    texts = [path.read_text() for path in deploy.iterdir() if path.is_file()]
    commands = {name for text in texts for name in re.findall(r"manage\.py ([a-z_]+)", text)}
    django = {"check", "migrate", "collectstatic", "createsuperuser"}
    ours = {path.stem for path in project.BASE_DIR.glob("*/management/commands/[a-z]*.py")}
    assert commands - django <= ours


def test_money_commands_are_told_to_whoever_needs_them() -> None:
    for text in (MANUAL, (project.BASE_DIR / "CHANGELOG.md").read_text()):
        assert {"reconcile", "rebuild_ledger"} <= set(re.findall(r"manage\.py ([a-z_]+)", text))


def test_readme_names_every_variable_that_makes_tests_look_longer() -> None:
    read = {
        name
        for path in (project.BASE_DIR / "tests").rglob("*.py")
        for name in re.findall(r'environ\.get\("(PUGMARK_[A-Z]+)"', path.read_text())
    }
    assert read
    readme = (project.BASE_DIR / "README.md").read_text()
    assert set(re.findall(r"PUGMARK_[A-Z]+", readme)) == read


@pytest.mark.threat("P8")
@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-optional.txt", "requirements-local.txt", "requirements-dev.txt"]
)
def test_every_package_is_pinned_to_its_hashes(name: str) -> None:
    listed = (project.BASE_DIR / name).read_text().replace("\\\n", " ").splitlines()
    packages = [line for line in listed if line.strip() and not line.lstrip().startswith("#")]
    assert len(packages) >= 14
    assert [
        line for line in packages if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


@pytest.mark.threat("P8")
def test_packages_are_installed_by_their_hashes_alone() -> None:
    deploy = project.BASE_DIR / "config/deploy"
    texts = [path.read_text() for path in (project.BASE_DIR / "Makefile", *deploy.iterdir()) if path.is_file()]
    installs = [line for text in texts for line in text.splitlines() if re.search(r"pip\b.* install\b|uv sync", line)]
    assert installs
    assert [line for line in installs if "--require-hashes" not in line] == []


@pytest.mark.threat("L2")
def test_nothing_we_start_keeps_the_addresses_of_visitors() -> None:
    """An access log holds whole paths, and with them the secrets of links."""
    texts = [path.read_text() for path in (project.BASE_DIR / "config/deploy").iterdir() if path.suffix != ".md"]
    assert sum("gunicorn" in text for text in texts) == 3
    assert [text for text in texts if re.search(r"access-?log", text)] == []
