import pytest

from species.content_loading import load


@pytest.fixture
def our_content(db: None) -> None:
    """The three species as they ship."""
    load()
