"""A copy of the real data with nobody in it, for developers: as many rows, as long words, the same money, no names.

    manage.py scrub --in <name of the database>

Every text column of every table about people (config/retention.toml) is overwritten unless it is named below; a new
one is overwritten from its first day. What belongs together still does: an address, or an id of Stripe's, becomes the
same other one everywhere, made with a key that nobody keeps. Amounts, dates, references and states stay, so whoever
knows of one payment may find it again: hand the copy to those who need it, and delete it after.
"""

import secrets
from collections.abc import Iterator

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models, transaction

from . import practice, retention
from .models import SiteKind

# Of no use to a developer, or nothing but secrets: their rows go.
EMPTIED = (
    "adoptions.Draft",
    "adoptions.ExportedPart",
    "adoptions.ExportedFile",
    "adoptions.ImportedPiece",
    "adoptions.ImportedRow",
    "adoptions.ImportedFile",
    "adoptions.AccessLink",
    "adoptions.SupporterSession",
    "adoptions.PageOpening",
    "adoptions.Decline",
    "config.RateWindow",
    "config.AuditEntry",
    "admin.LogEntry",
    "sessions.Session",
    "otp_static.StaticToken",
    "otp_static.StaticDevice",
    "otp_totp.TOTPDevice",
    "django_tasks_database.DBTaskResult",
)
# Ours, not somebody's: codes, versions, the words people agreed to.
KEPT = {
    "adoptions.Adoption": {"reference", "campaign_code", "first_campaign_code"},
    "adoptions.Attention": {"key"},
    "adoptions.Complaint": {"reference"},
    "adoptions.ConsentEvent": {"wording_version", "wording", "campaign_code"},
    "adoptions.Difference": {"what"},
    "adoptions.GiftAidDeclaration": {"charity_name", "wording_version", "wording"},
    "adoptions.StripeEvent": {"type", "api_version"},
    "config.Mail": {"kind"},
    "species.Comment": {"akismet_answer"},
}
ADDRESSES = {"email", "to", "recipient_email"}
# What other rows know it by, or what must differ from row to row.
IDENTIFIERS = {
    "adoptions.HandEntry": {"reference"},
    "adoptions.Closure": {"digest"},
    "adoptions.Difference": {"stripe_id"},
    "adoptions.Payment": {"stripe_id", "invoice_id"},
    "adoptions.PastAdoption": {"system", "reference"},
    "adoptions.PastPayment": {"system", "number", "reference"},
    "adoptions.Fee": {"stripe_id", "payout_id"},
    "adoptions.StripeEvent": {"id", "object_id"},
    "adoptions.Supporter": {"stripe_customer_id"},
    "adoptions.Adoption": {"stripe_customer_id"},
    "adoptions.ConsentEvent": {"address_hash"},
}

SHAPE = r"regexp_replace(regexp_replace({0}, '[0-9]', '0', 'g'), '[^[:space:][:punct:]0]', 'x', 'g')"
DIGEST = "encode(sha256(convert_to({0} || current_setting('scrubbing.key'), 'UTF8')), 'hex')"
IDENTIFIER = (
    "CASE WHEN {0} = '' THEN '' ELSE coalesce(substring({0} FROM '^(?:cs_test_|cs_live_|[a-z]+_)'), '')"
    f" || left({DIGEST}, greatest(16, least(64, length({{0}}) - 8))) END"
)
ADDRESS = (
    "CASE WHEN {0} = '' OR {0} LIKE '%.invalid' THEN {0}"
    f" ELSE 'person-' || left({DIGEST.format('lower({0})')}, 16) || '@example.org' END"
)


class CannotScrubError(Exception):
    """Nothing was changed; the message says why in a sentence."""


def scrub(*, database: str) -> int:
    """Overwrite everybody in the database of this name; how many rows that were. Raises CannotScrubError."""
    if practice.kind() != practice.DEVELOPMENT:
        raise CannotScrubError("Only on a development site (DEBUG=True), with a copy of the data. Nothing was changed.")
    if connection.settings_dict["NAME"] != database:
        raise CannotScrubError(f"This site's database is {connection.settings_dict['NAME']}, not {database}.")
    with transaction.atomic(), connection.cursor() as cursor:
        # Triggers keep what happened from being rewritten; here it is to be. Takes a superuser of the database.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT set_config('scrubbing.key', %s, true)", [secrets.token_hex(32)])
        rows = 0
        for statement in statements():
            cursor.execute(statement)
            rows += cursor.rowcount
        SiteKind.objects.update_or_create(pk=SiteKind.ONLY, defaults={"kind": practice.kind()})
    return rows


def statements() -> Iterator[str]:
    """One a table. Table and column names are our own; no value is part of any."""
    for model in tables():
        table = connection.ops.quote_name(model._meta.db_table)
        if model._meta.label in EMPTIED:
            yield f"DELETE FROM {table}"  # noqa: S608  our own names
            continue
        changes = [f"{quoted(field)} = {overwritten(field)}" for field in words(model)]
        if changes:
            yield f"UPDATE {table} SET {', '.join(changes)}"  # noqa: S608  our own names


def tables() -> list[type[models.Model]]:
    """Those about people, each once."""
    labels = dict.fromkeys(rule.table for topic in retention.policy() for rule in topic.rules)
    return [apps.get_model(label) for label in labels]


def words(model: type[models.Model]) -> list[models.Field[object, object]]:
    """The columns to overwrite."""
    free = (models.CharField, models.TextField, models.JSONField, models.BinaryField, ArrayField)
    return [
        field
        for field in model._meta.local_fields
        if isinstance(field, free) and not field.choices and field.name not in KEPT.get(model._meta.label, set())
    ]


def quoted(field: models.Field[object, object]) -> str:
    return connection.ops.quote_name(field.column or field.name)


def overwritten(field: models.Field[object, object]) -> str:
    """The SQL that makes a column's new value from its old one."""
    column = quoted(field)
    label = field.model._meta.label
    if label == "auth.User" and field.name in {"username", "password"}:
        return "'!'" if field.name == "password" else "'staff' || id"
    if isinstance(field, models.BinaryField):
        return "''::bytea"
    if isinstance(field, ArrayField):
        return "'{}'"
    if isinstance(field, models.JSONField):
        return "'{}'::jsonb"
    if field.name in ADDRESSES:
        return ADDRESS.format(column)
    if field.unique or field.name in IDENTIFIERS.get(label, set()):
        return IDENTIFIER.format(column)
    return SHAPE.format(column)


def strangers() -> Iterator[str]:
    """Names above that are in no table any more."""
    for label, names in [*KEPT.items(), *IDENTIFIERS.items(), *((label, set[str]()) for label in EMPTIED)]:
        try:
            model = apps.get_model(label)
            for name in names:
                model._meta.get_field(name)
        except (LookupError, FieldDoesNotExist) as error:
            yield str(error)
