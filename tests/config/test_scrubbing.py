"""What developers get has nobody in it, and is otherwise like the real thing."""

import re
from typing import Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.utils import timezone
from pytest_django import Settings

from adoptions.models import Adoption, Payment, Supporter
from config import practice, scrubbing
from config.models import Mail, SiteKind

pytestmark = pytest.mark.django_db
SHORTEST_TOLD = 6  # characters of a value that is looked for afterwards; shorter ones may stand there by chance


@pytest.fixture(autouse=True)
def development(settings: Settings) -> None:
    settings.DEBUG = True


def scrub() -> None:
    call_command("scrub", "--in", connection.settings_dict["NAME"], verbosity=0)


def secret(field: models.Field[Any, Any], number: int) -> Any:
    """Something that can be recognized, if it were still there."""
    if isinstance(field, (models.CharField, models.TextField)):
        if field.choices:
            return field.flatchoices[0][0]
        return f"Zaphod{number}é"[: field.max_length or None]
    if isinstance(field, ArrayField):
        return [f"Zaphod{number}"]
    if isinstance(field, models.JSONField):
        return f'{{"name": "Zaphod{number}"}}'
    if isinstance(field, models.BinaryField):
        return f"Zaphod{number}".encode()
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return timezone.localdate()
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.UUIDField):
        return f"00000000-0000-4000-8000-{number:012}"
    return number


def one_row(model: type[models.Model], number: int) -> list[str]:
    """A row with a secret in each column, past all rules; the secrets that must be gone afterwards."""
    fields = [field for field in model._meta.local_fields if not field.generated]
    values = [secret(field, number + place) for place, field in enumerate(fields)]
    names = ", ".join(scrubbing.quoted(field) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [table])
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {connection.ops.quote_name(name)}")
        places = ", ".join("%s" for _ in values)
        cursor.execute(f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places})", values)
    told = {field.name for field in scrubbing.words(model)}
    if model._meta.label in scrubbing.EMPTIED:
        told = {field.name for field in fields}
    found = [str(value) for field, value in zip(fields, values, strict=True) if field.name in told]
    return [one for one in re.findall(r"Zaphod\d+é?", " ".join(found)) if len(one) > SHORTEST_TOLD]


def everything() -> str:
    """The whole database, as a dump would have it."""
    dumped = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")
            dumped += [row for (row,) in cursor.fetchall()]
    return "\n".join(dumped)


def test_nothing_of_anybody_is_left_in_any_table() -> None:
    secrets: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    for place, model in enumerate(scrubbing.tables()):
        secrets += one_row(model, 1000 + 100 * place)
    before = everything()
    assert len(secrets) > 80
    assert [one for one in secrets if one not in before and one.encode().hex() not in before] == []
    scrub()
    after = everything()
    assert [one for one in secrets if one in after or one.encode().hex() in after] == []


@pytest.mark.django_db(transaction=True)
def test_money_rows_and_what_belongs_together_stay() -> None:
    call_command("make_load", "--adoptions=40", verbosity=0)
    first = Supporter.objects.earliest("pk")
    letter = Mail.objects.create(key="receipt:1", kind="receipt", to=first.email, subject="Hello")
    before = [Adoption.objects.count(), *Payment.objects.order_by("pk").values_list("amount_pence", "kind")]
    addresses = set(Supporter.objects.values_list("email", flat=True))
    scrub()
    assert before == [Adoption.objects.count(), *Payment.objects.order_by("pk").values_list("amount_pence", "kind")]
    now = set(Supporter.objects.values_list("email", flat=True))
    assert len(now) == len(addresses)
    assert now.isdisjoint(addresses)
    assert Mail.objects.get(pk=letter.pk).to == Supporter.objects.get(pk=first.pk).email
    assert str(SiteKind.objects.get()) == "development"


def test_words_keep_their_length_and_lose_their_letters() -> None:
    Supporter.objects.create(name="Zoë O’Neill-Łęcka 3rd", email="zoe@example.org")
    scrub()
    name = Supporter.objects.get().name
    assert len(name) == len("Zoë O’Neill-Łęcka 3rd")
    assert set(name) <= set("x0 -’")


def test_only_a_copy_on_a_development_site_is_scrubbed(settings: Settings) -> None:
    Supporter.objects.create(name="Zoë", email="zoe@example.org")
    with pytest.raises(CommandError, match="not pugmark"):
        call_command("scrub", "--in", "pugmark")
    for name in ("PRACTICE", "DEBUG"):
        setattr(settings, name, name == "PRACTICE")
        with pytest.raises(CommandError, match="Only on a development site"):
            scrub()
    assert Supporter.objects.get().name == "Zoë"


def test_real_data_is_a_development_sites_afterwards() -> None:
    SiteKind.objects.create(pk=SiteKind.ONLY, kind=practice.LIVE)
    scrub()
    practice.check_database()


def test_every_exception_is_a_column_that_exists() -> None:
    assert list(scrubbing.strangers()) == []


def test_every_column_is_overwritten_or_of_a_kind_that_holds_no_words() -> None:
    wordless = (models.IntegerField, models.BooleanField, models.DateField, models.UUIDField)
    doubtful = [
        str(field)
        for model in scrubbing.tables()
        if model._meta.label not in scrubbing.EMPTIED
        for field in model._meta.local_fields
        if not (isinstance(field, wordless) or field.is_relation or field.generated)  # made of what is here
        and not field.choices
        and field not in scrubbing.words(model)
        and field.name not in scrubbing.KEPT.get(model._meta.label, set())
    ]
    assert doubtful == []
