"""The installed `stripe` package as a tree of classes: which class a name means, and what a class declares."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

import stripe

PACKAGE = Path(stripe.__file__).parent


class Ref(NamedTuple):
    """A class: its module, and its name there with the names of the classes around it."""

    module: str
    name: str


_imports: dict[str, dict[str, Ref]] = {}
_classes: dict[Ref, ast.ClassDef] = {}


def class_of(ref: Ref) -> ast.ClassDef:
    return _classes[ref]


def classes_in(module: str) -> list[Ref]:
    load(module)
    return [ref for ref in _classes if ref.module == module]


@cache
def load(module: str) -> None:
    """Read a module once. One that is not a file of the package has no classes."""
    imports = _imports[module] = {}
    path = PACKAGE.parent / module.replace(".", "/")
    source = next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.exists()), None)
    if source:
        tree = ast.parse(source.read_text())
        _note_imports(tree.body, imports)
        _note_classes(tree.body, module, "")


def _note_imports(body: list[ast.stmt], imports: dict[str, Ref]) -> None:
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module:
            imports.update({one.asname or one.name: Ref(node.module, one.name) for one in node.names})
        elif isinstance(node, ast.If):
            _note_imports(node.body, imports)


def _note_classes(body: list[ast.stmt], module: str, prefix: str) -> None:
    for node in body:
        if isinstance(node, ast.ClassDef):
            _classes[Ref(module, prefix + node.name)] = node
            _note_classes(node.body, module, f"{prefix}{node.name}.")


def resolve(module: str, scope: str, name: str) -> Ref | None:
    """What `name` means inside the class `scope`: a class around it, of the module, or imported."""
    load(module)
    around = scope.split(".") if scope else []
    for depth in range(len(around), -1, -1):
        ref = Ref(module, ".".join([*around[:depth], name]))
        if ref in _classes:
            return ref
    imported = _imports[module].get(name)
    if imported is None:
        return None
    load(imported.module)
    if imported in _classes:
        return imported
    return resolve(imported.module, "", imported.name) if imported.name in _imports[imported.module] else None


def object_name(ref: Ref) -> str | None:
    """What the `object` field of this class's objects says, if it is one of Stripe's objects."""
    for node in class_of(ref).body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "OBJECT_NAME":
            value = node.value
            return str(value.value) if isinstance(value, ast.Constant) else None
    return None


def fields_of(ref: Ref) -> list[tuple[str, ast.expr]]:
    """Declared fields as the API spells them, with their annotations."""
    names: dict[str, str] = {}
    for node in class_of(ref).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_field_remappings":
            names = ast.literal_eval(node.value)
    return [
        (names.get(node.target.id, node.target.id), node.annotation)
        for node in class_of(ref).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and not node.target.id.startswith("_")
        and "ClassVar" not in ast.unparse(node.annotation)
    ]
