from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.migrated_database import put_into

from .checkouts import copy_of_project, open_to_postgres


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Path:
    """A copy of the project in a folder with spaces, whose demonstration has its own data."""
    folder = copy_of_project(open_to_postgres(tmp_path_factory.mktemp("demo") / "a checkout with spaces"))
    with django_db_blocker.unblock():
        return put_into(folder)
