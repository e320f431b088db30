"""What the workers' databases are copied from."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import migrated_database


@pytest.mark.django_db
def test_copy_has_every_migration() -> None:
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_other_migrations_or_other_libraries_are_another_database(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = migrated_database.digest()
    assert migrated_database.digest() == usual
    with monkeypatch.context() as patch:
        patch.setattr(migrated_database, "version", lambda name: f"newer {name}")
        assert migrated_database.digest() != usual
    text_of_module = migrated_database.text_of_module
    for edited in ("adoptions.migrations.0001_initial", "adoptions.models.gifts"):
        with monkeypatch.context() as patch:
            patch.setattr(
                migrated_database, "text_of_module", lambda name, it=edited: text_of_module(name) + b"#" * (name == it)
            )
            assert migrated_database.digest() != usual
