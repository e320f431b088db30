"""The rules of the house that a machine can check."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("config", "species", "adoptions")
TOP_FOLDERS = {".ci", "config", "adoptions", "species", "templates", "static", "tests"}
VAGUE_NAMES = re.compile(r"(^|/)(utils?|helpers?|services|managers|constants|common|core|misc)(\.py|/)")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository, as git lists them."""
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def sources(*folders: str) -> list[Path]:
    return [p for p in tracked(*(f"{folder}/*.py" for folder in folders)) if "migrations" not in p.parts]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module a file imports, and whether at module level."""
    tree = ast.parse(path.read_text())
    package = relative(path).removesuffix(".py").split("/")[:-1]
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, node.module or ""]).rstrip("."), id(node) in top


def test_top_folders_are_the_fixed_ones() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    assert folders == TOP_FOLDERS


def test_files_are_named_for_something_people_know() -> None:
    assert [relative(p) for p in tracked() if VAGUE_NAMES.search(relative(p))] == []


def test_species_never_imports_adoptions() -> None:
    found = [relative(p) for p in sources("species") for module, _ in imports(p) if module.startswith("adoptions")]
    assert found == []


def test_config_imports_no_app_but_in_its_urls() -> None:
    found = [
        relative(p)
        for p in sources("config")
        if p.name != "urls.py"
        for module, is_top in imports(p)
        if is_top and module.split(".")[0] in {"species", "adoptions"}
    ]
    assert found == []


def test_only_the_gateway_and_the_standin_import_stripe() -> None:
    found = {relative(p) for p in sources(*APPS) for module, _ in imports(p) if module.split(".")[0] == "stripe"}
    allowed = {f for f in found if f == "adoptions/stripe_gateway.py" or f.startswith("adoptions/stripe_standin/")}
    assert found == allowed


def test_standin_is_imported_by_nothing_in_the_site() -> None:
    found = {
        relative(p)
        for p in sources("config", "species", "adoptions")
        for module, _ in imports(p)
        if "stripe_standin" in module and "stripe_standin" not in relative(p)
    }
    assert found == set()


def test_no_float_touches_money() -> None:
    # The stand-in is not ours to count with, and a certificate draws in millimetres.
    money = [p for p in sources("adoptions") if "stripe_standin" not in str(p) and "certificate" not in p.name]
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in [*money, ROOT / "config/money.py", ROOT / "config/fields.py"]
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id in {"float", "Decimal"})
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
    assert found == []


def test_state_is_never_assigned() -> None:
    """A transition is a conditional UPDATE that says how many rows moved."""
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in sources("species", "adoptions")
        if "stripe_standin" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute)
        and target.attr in {"state", "status"}
        and not (isinstance(target.value, ast.Name) and target.value.id == "self")
    ]
    assert found == []


@pytest.mark.parametrize("app", APPS)
def test_functions_have_at_most_forty_lines(app: str) -> None:
    found = [
        f"{relative(path)}::{node.name} {node.end_lineno - node.lineno + 1}"
        for path in sources(app)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.end_lineno and node.end_lineno - node.lineno + 1 > 40
    ]
    assert found == []


@pytest.mark.parametrize("app", APPS)
def test_views_have_at_most_twenty_five_lines(app: str) -> None:
    found = [
        f"{relative(path)}::{node.name}"
        for path in sources(app)
        if "views" in relative(path) and "stripe_standin" not in path.parts
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.end_lineno and len(node.body) and body_lines(node) > 25
    ]
    assert found == []


def body_lines(node: ast.FunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    return (node.end_lineno or 0) - first.lineno + 1


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        ("config/*.py", 400),
        ("species/*.py", 400),
        ("adoptions/*.py", 400),
        ("templates/*.html", 120),
        ("static/css/*.css", 150),
    ],
)
def test_files_stay_short(pattern: str, limit: int) -> None:
    found = [
        f"{relative(p)} {lines}"
        for p in tracked(pattern)
        if "migrations" not in p.parts and (lines := len(p.read_text().splitlines())) > limit
    ]
    assert found == []


@pytest.mark.threat("C1")
def test_templates_hold_no_inline_style_or_script() -> None:
    inline = re.compile(r"<style|\sstyle=|<script(?![^>]*(\ssrc=|application/ld\+json))|\son[a-z]+=", re.IGNORECASE)
    pages = [p for p in tracked("templates/*.html") if "emails" not in p.parts]
    assert [relative(p) for p in pages if inline.search(p.read_text())] == []


@pytest.mark.threat("C1")
def test_no_text_is_marked_safe() -> None:
    escape_hatch = re.compile(r"\|\s*safe\b|mark_safe|autoescape off")
    found = [relative(p) for p in [*sources(*APPS), *tracked("templates/*.html")] if escape_hatch.search(p.read_text())]
    assert found == []


@pytest.mark.threat("O1")
def test_rows_for_a_spreadsheet_are_written_in_one_place() -> None:
    """Where words that would be a formula are made harmless."""
    writes = re.compile(r"csv\.(writer|DictWriter)|import (openpyxl|xlsxwriter|odf)")
    assert [relative(p) for p in sources(*APPS) if writes.search(p.read_text())] == ["config/spreadsheet.py"]


def test_no_signals_of_our_own() -> None:
    found = [
        relative(p) for p in sources(*APPS) if re.search(r"\bSignal\(\)|post_save|pre_save|m2m_changed", p.read_text())
    ]
    assert found == []


def test_no_file_names_a_package_registry() -> None:
    hosts = re.compile(
        r"pypi" + r"\.org|python" + r"hosted\.org|registry\.npm" + r"js|deb\.debian" + r"\.org|index-url[= ]+\"?http"
    )
    texts = [
        p
        for p in tracked()
        if p.suffix not in {".png", ".webp", ".avif", ".ttf", ".otf", ".woff2", ".gz", ".ico", ".jpg"}
    ]
    assert [relative(p) for p in texts if hosts.search(p.read_text(errors="replace"))] == []


def test_every_module_of_an_app_has_a_reason_in_its_first_line() -> None:
    """A use-case module opens by saying what it is for."""
    silent = [
        relative(p)
        for p in sources("adoptions", "config", "species")
        if p.parent.name in {"adoptions", "config", "species"}
        and p.name not in {"__init__.py", "apps.py", "urls.py", "context_processors.py", "static.py"}
        and not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert silent == []
