"""A new version's migrations run while the version before it still answers: none may break or stop that.

Each migration after the last release (tests/released.toml) is read. What would break the old code, rewrite a table or
look at all of its rows under a lock is refused, unless the migration says in one line why it does not:

    # safe: RemoveField adoption.colour: not read since the release before last.

Ours, because the known linter (django-migration-linter 6.0) knows Django as far as 6.0 and reads SQL, which does not
tell a table made a moment ago from one with a million rows.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres import operations as postgres
from django.db import connection, models
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import NOT_PROVIDED, Q
from django.db.models.functions import Abs
from pgtrigger import migrations as triggers

ROOT = Path(__file__).resolve().parent.parent
SAID = re.compile(r"^\s*# safe: (\w+(?: [\w.]+)?): .{20,}$", re.MULTILINE)
VARCHAR = re.compile(r"varchar\((\d+)\)")

HARMLESS = (
    ops.AlterConstraint,  # of its words alone: in the database it does nothing
    *(ops.CreateModel, ops.AlterModelOptions, ops.AlterModelManagers, ops.AlterModelTableComment, ops.RemoveIndex),
    *(ops.RemoveConstraint, ops.RenameIndex, postgres.AddIndexConcurrently, postgres.RemoveIndexConcurrently),
    *(postgres.AddConstraintNotValid, postgres.ValidateConstraint, postgres.CreateExtension, triggers.RemoveTrigger),
)
GONE = (ops.DeleteModel, ops.RenameModel, ops.AlterModelTable, ops.RemoveField, ops.RenameField)


def dangers(operation: Operation, state: ProjectState, app: str, young: set[str]) -> Iterator[tuple[str, str]]:
    """What an operation is about, and what is wrong with it. `young`: tables that no released version knows."""
    if isinstance(operation, ops.CreateModel):
        young.add(operation.name_lower)
    if isinstance(operation, ops.SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from dangers(inner, state, app, young)
        return
    model = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
    if isinstance(operation, HARMLESS) or model in young:
        return
    field = getattr(operation, "name", "") if hasattr(operation, "model_name") else ""
    for wrong in faults(operation, state, app, model):
        yield f"{type(operation).__name__} {model}{'.' if field else ''}{field}".rstrip(), wrong


def faults(operation: Operation, state: ProjectState, app: str, model: str) -> Iterator[str]:
    if isinstance(operation, GONE):
        yield "the version before still uses it"
    elif isinstance(operation, ops.AddField):
        yield from faults_of_a_new(operation.field)
    elif isinstance(operation, ops.AlterField):
        yield from faults_of_a_change(state.models[app, model].fields[operation.name], operation.field)
    elif isinstance(operation, ops.AddIndex):
        yield "nobody can write while it is built: use AddIndexConcurrently"
    elif isinstance(operation, ops.AddConstraint):
        yield "nobody can write while all rows are looked at: use AddConstraintNotValid, then ValidateConstraint"
    elif isinstance(operation, triggers.AddTrigger):
        yield "the version before meets it unprepared"
    else:
        yield "what it does cannot be told"


def faults_of_a_new(field: models.Field[Any, Any]) -> Iterator[str]:
    if field.many_to_many:
        return
    if isinstance(field, models.GeneratedField):
        yield "it writes the whole table anew"
    elif not field.null and field.db_default is NOT_PROVIDED:
        yield "the version before leaves it empty: allow null, or give a db_default"
    if has_index(field):
        yield "nobody can write while its index is built: add that concurrently"


def faults_of_a_change(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> Iterator[str]:
    kinds = [kind_of(old), kind_of(new)]
    lengths = [VARCHAR.fullmatch(kind) for kind in kinds]
    is_wider = all(lengths) and int(lengths[0][1]) <= int(lengths[1][1])  # type: ignore[index]  # both were found
    if kinds[0] != kinds[1] and not is_wider:
        yield f"{kinds[0]} becomes {kinds[1]}, which writes the table anew or refuses what the version before writes"
    if old.null and not new.null:
        yield "the version before leaves it empty"
    if has_index(new) and not has_index(old):
        yield "nobody can write while its index is built: add that concurrently"
    if old.db_default is not NOT_PROVIDED and new.db_default is NOT_PROVIDED:
        yield "the version before relies on the default"


def kind_of(field: models.Field[Any, Any]) -> str:
    """The column's type. In a migration's state a key knows the table it leads to by name alone."""
    if field.remote_field:
        return f"a key to {field.remote_field.model}".lower()
    return str(field.db_type(connection) or "")


def has_index(field: models.Field[Any, Any]) -> bool:
    return bool(getattr(field, "db_index", False) or field.unique)


def unexcused(source: str, found: Iterator[tuple[str, str]]) -> list[str]:
    said = set(SAID.findall(source))
    return [f"{about}: {wrong}." for about, wrong in found if about not in said]


def test_no_migration_after_the_release_breaks_the_version_that_is_running() -> None:
    released = tomllib.loads((ROOT / "tests/released.toml").read_text())["migrations"]
    loader = MigrationLoader(None)
    assert set(released) == {app for app in loader.migrated_apps if (ROOT / app / "migrations").is_dir()}
    young: dict[str, set[str]] = {app: set() for app in released}
    found = []
    for app, name in loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True):
        if app not in released or name <= released[app]:
            continue
        state = loader.project_state((app, name), at_end=False)
        source = (ROOT / app / "migrations" / f"{name}.py").read_text()
        for operation in loader.graph.nodes[app, name].operations:
            found += [f"{app}.{name}: {each}" for each in unexcused(source, dangers(operation, state, app, young[app]))]
            operation.state_forwards(app, state)
    assert found == []


# --- that it can fail -------------------------------------------------------------------------------------

FIELDS: list[tuple[str, models.Field[Any, Any]]] = [
    ("id", models.BigAutoField(primary_key=True)),
    ("name", models.CharField(max_length=50)),
    ("note", models.TextField(null=True)),
    ("pence", models.IntegerField(db_default=0)),
]
char, text, number = models.CharField, models.TextField, models.IntegerField
generated = models.GeneratedField(expression=Abs("pence"), output_field=number(), db_persist=True)
index, check = models.Index(fields=["name"], name="x"), models.CheckConstraint(condition=Q(pence__gt=0), name="x")
RIGHT: list[Operation] = [
    ops.AddField("adoption", "colour", char(max_length=9, null=True)),
    ops.AddField("adoption", "colour", char(max_length=9, db_default="")),
    ops.AddField("adoption", "others", models.ManyToManyField("adoptions.adoption")),
    ops.AlterField("adoption", "name", char(max_length=80, help_text="Longer.")),
    ops.AlterField("adoption", "pence", number(db_default=0, null=True)),
    postgres.AddIndexConcurrently("adoption", index),
    postgres.AddConstraintNotValid("adoption", check),
    ops.RemoveConstraint("adoption", "x"),
    ops.AlterModelOptions("adoption", {"ordering": ["id"]}),
    ops.SeparateDatabaseAndState(state_operations=[ops.RemoveField("adoption", "note")]),
    postgres.TrigramExtension(),
]
WRONG: list[tuple[Operation, str]] = [
    (ops.RemoveField("adoption", "note"), "RemoveField adoption.note"),
    (ops.RenameField("adoption", "note", "remark"), "RenameField adoption.note"),
    (ops.DeleteModel("Adoption"), "DeleteModel adoption"),
    (ops.AlterModelTable("adoption", "x"), "AlterModelTable adoption"),
    (ops.AddField("adoption", "colour", char(max_length=9, default="red")), "AddField adoption.colour"),
    (ops.AddField("adoption", "colour", char(max_length=9, null=True, db_index=True)), "AddField adoption.colour"),
    (ops.AddField("adoption", "twice", generated), "AddField adoption.twice"),
    (ops.AlterField("adoption", "note", text()), "AlterField adoption.note"),
    (ops.AlterField("adoption", "name", char(max_length=20)), "AlterField adoption.name"),
    (ops.AlterField("adoption", "name", char(max_length=50, unique=True)), "AlterField adoption.name"),
    (ops.AlterField("adoption", "pence", models.BigIntegerField(db_default=0)), "AlterField adoption.pence"),
    (ops.AlterField("adoption", "pence", number(default=0)), "AlterField adoption.pence"),
    (ops.AddIndex("adoption", index), "AddIndex adoption"),
    (ops.AddConstraint("adoption", check), "AddConstraint adoption"),
    (ops.RunPython(ops.RunPython.noop), "RunPython"),
    (ops.RunSQL("SELECT 1"), "RunSQL"),
    (ops.SeparateDatabaseAndState([ops.RemoveField("adoption", "note")]), "RemoveField adoption.note"),
]


def found_in(*operations: Operation) -> list[tuple[str, str]]:
    state, young = ProjectState(), set[str]()
    state.add_model(ModelState("adoptions", "Adoption", FIELDS))
    return [each for operation in operations for each in dangers(operation, state, "adoptions", young)]


@pytest.mark.parametrize("operation", RIGHT, ids=range(len(RIGHT)))
def test_what_the_version_before_does_not_feel_is_let_through(operation: Operation) -> None:
    assert found_in(operation) == []


@pytest.mark.parametrize(("operation", "about"), WRONG, ids=range(len(WRONG)))
def test_what_would_break_or_stop_the_version_before_is_found(operation: Operation, about: str) -> None:
    [(found, wrong)] = found_in(operation)
    assert (found, bool(wrong)) == (about, True)
    assert unexcused(f"    # safe: {about}: nobody has written there since 2025.", iter([(found, wrong)])) == []
    assert unexcused(f"    # safe: {about}: yes.", iter([(found, wrong)])) == [f"{about}: {wrong}."]


def test_table_that_no_release_knows_may_be_changed_at_will() -> None:
    made = ops.CreateModel("Colour", [("id", models.BigAutoField(primary_key=True))])
    assert found_in(made, ops.AddField("colour", "name", text(default="")), ops.AddIndex("colour", index)) == []
