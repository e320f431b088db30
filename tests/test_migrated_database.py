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
    monkeypatch.setattr(migrated_database, "text_of", lambda migration: b"edited")
    assert migrated_database.digest() != usual
