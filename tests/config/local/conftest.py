from pathlib import Path

import pytest

from .checkouts import copy_of_project, open_to_postgres


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in a folder with spaces, whose demonstration has its own data."""
    return copy_of_project(open_to_postgres(tmp_path_factory.mktemp("demo") / "a checkout with spaces"))
