import pytest

from tests.our_content import put_our_content


@pytest.fixture
def our_content(db: None) -> None:
    """The three species as they ship."""
    put_our_content()
