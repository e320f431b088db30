from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from species.models import FieldNote, Species
from tests.makers import make_plan
from tests.our_content import put_our_content


@pytest.fixture(scope="module")
def whole_site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Client]:
    """A visitor of the whole site: the three species as they ship, one field note, and something to adopt.

    Loaded once for all tests of a module, which only read, and undone after the last.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        put_our_content()
        make_plan()
        FieldNote.objects.create(
            species=Species.objects.get(slug="amur-leopard"),
            slug="first-snow",
            title="First snow",
            body="Clear tracks on the ridge.",
            seen_on="2026-11-02",
            published_at="2026-11-03T08:00Z",
        )
        yield Client()
        transaction.set_rollback(True)
