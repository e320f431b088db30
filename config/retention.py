"""How long we keep what: `config/retention.toml` read, checked, carried out, and said on the privacy page.

    purge(dry_run=True)     # what would go now, rule by rule
    manage.py purge         # the same at the keyboard; --dry-run changes nothing

One file, so that what we promise and what we do cannot differ. The source of the periods is in each topic's `why`.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pgtrigger
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError, models, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.tasks import task
from django.utils import timezone
from django.utils.module_loading import import_string
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from .models import ERASED, AuditEntry, Mail
from .tasks import every

FILE = Path(__file__).with_name("retention.toml")
ALWAYS, ALL = "always", "*"
PERIOD = re.compile(r"([1-9][0-9]*) (hour|day|year)s?")
Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long some columns of one table are kept; the file explains each word."""

    table: str
    columns: tuple[str, ...]
    keep: str
    after: str
    what: str = ""
    since: str = ""
    rows: str = ""
    then: str = ""

    def __str__(self) -> str:
        return f"{self.table} ({', '.join(self.columns)})"

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(self.table)

    @property
    def is_forever(self) -> bool:
        return self.keep == ALWAYS

    @property
    def said(self) -> str:
        """The period in words, as on the privacy page."""
        return self.after if self.is_forever else f"{self.keep} after {self.after}"

    def before(self, now: datetime) -> datetime:
        """What is older than this is too old."""
        count, unit = self.keep.rstrip("s").split(" ")
        number = int(count)
        return years_before(now, number) if unit == "year" else now - timedelta(**{f"{unit}s": number})

    def due(self, now: datetime) -> Rows:
        """The rows that are to go. Blank columns need no blanking, so that a second run finds nothing."""
        before = self.before(now)
        if self.rows:
            rows: Rows = import_string(self.rows)(before)
        else:
            rows = self.model._default_manager.filter(**{f"{self.since}__lt": before})
        return rows.exclude(**self.blanks()) if self.then == "blank" else rows

    def blanks(self) -> dict[str, Any]:
        return {name: blank_of(self.model._meta.get_field(name)) for name in self.columns}

    def carry_out(self, rows: Rows) -> None:
        match self.then:
            case "delete":
                rows.delete()
            case "blank":
                rows.update(**self.blanks())
            case _:
                import_string(self.then)(rows)


@dataclass(frozen=True, slots=True)
class Topic:
    about: str
    why: str
    rules: tuple[Rule, ...]

    @property
    def said(self) -> list[Rule]:
        """The rules that the privacy page names; the others repeat one of them for another table."""
        return [rule for rule in self.rules if rule.what]


def years_before(moment: datetime, years: int) -> datetime:
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return moment.replace(year=moment.year - years, day=day)


def blank_of(field: Any) -> Any:
    """Nothing, in a column of this kind."""
    if field.null:
        return None
    return b"" if isinstance(field, models.BinaryField) else ""


# --- reading and checking ----------------------------------------------------------------------------------------


@cache
def policy() -> tuple[Topic, ...]:
    return parse(FILE.read_text(encoding="utf-8"))[0]


def parse(text: str) -> tuple[tuple[Topic, ...], dict[str, tuple[str, ...]]]:
    """The topics, and by table the columns that say nothing about a person."""
    read = tomllib.loads(text)
    topics = tuple(Topic(each["about"], each["why"], tuple(map(rule_of, each["rule"]))) for each in read["topic"])
    return topics, {table: tuple(columns) for table, columns in read["other"].items()}


def rule_of(read: dict[str, Any]) -> Rule:
    return Rule(**read | {"columns": tuple(read["columns"])})


def faults(text: str | None = None) -> Iterator[str]:
    """What is wrong with the policy: a column without a rule, a rule without a column, a rule nobody can carry out."""
    topics, other = parse(text or FILE.read_text(encoding="utf-8"))
    rules = [rule for topic in topics for rule in topic.rules]
    named: dict[str, set[str]] = {}
    for table, columns in [*other.items(), *((rule.table, rule.columns) for rule in rules)]:
        named.setdefault(table, set()).update(columns)
    for model in apps.get_models(include_auto_created=True):
        found = named.pop(model._meta.label, set())
        there = {field.name for field in model._meta.local_fields}
        if ALL in found and is_ours(model):
            yield f'{model._meta.label}: "{ALL}" is for tables that others wrote. Name every column.'
        for column in sorted(there - found) if ALL not in found else ():
            yield f"{model._meta.label}.{column} has no rule: how long is it kept, and why?"
        for column in sorted(found - there - {ALL}):
            yield f"{model._meta.label}.{column} has a rule but does not exist."
    yield from (f"{table} has a rule but does not exist." for table in sorted(named))
    for rule in rules:
        yield from (f"{rule}: {fault}" for fault in faults_of(rule))


def is_ours(model: type[models.Model]) -> bool:
    """Written in this repository, or one of the tables of others that hold names."""
    return model._meta.app_label in {"config", "species", "adoptions"} or model is User


def faults_of(rule: Rule) -> Iterator[str]:
    if rule.is_forever:
        if rule.since or rule.rows or rule.then:
            yield "what is always kept is never purged."
        return
    if not PERIOD.fullmatch(rule.keep):
        yield f"“{rule.keep}” is no period. Say 24 hours, 30 days or 6 years."
    if bool(rule.since) == bool(rule.rows):
        yield "say either since or rows."
    if not rule.then:
        yield "say what happens then."
    for name in filter(None, (rule.rows, rule.then if "." in rule.then else "")):
        try:
            import_string(name)
        except ImportError:
            yield f"{name} cannot be imported."
    if rule.since:
        try:
            rule.model._meta.get_field(rule.since)
        except (FieldDoesNotExist, LookupError):
            yield f"there is no column {rule.since}."


# --- carrying out -------------------------------------------------------------------------------------------------


def purge(*, dry_run: bool = False, now: datetime | None = None) -> list[tuple[Rule, int]]:
    """Let go of what is too old; how many rows that was, or would be, by rule.

    A dry run does all of it and takes it back, so that it foretells what follows from what.

    Each rule is a transaction of its own: one that fails keeps no other from being carried out, and is raised at the
    end: ExceptionGroup of DatabaseError.
    """
    with transaction.atomic() if dry_run else nullcontext():
        done = _purge(now or timezone.now())
        if dry_run:
            transaction.set_rollback(True)
    return done


def _purge(now: datetime) -> list[tuple[Rule, int]]:
    done, failed = [], []
    for rule in (rule for topic in policy() for rule in topic.rules if not rule.is_forever):
        try:
            with transaction.atomic():
                rows = rule.due(now)
                count = rows.count()
                if count:
                    rule.carry_out(rows)
        except DatabaseError as error:
            error.add_note(str(rule))
            failed.append(error)
        else:
            done.append((rule, count))
    if failed:
        raise ExceptionGroup("Not all that is too old could be purged.", failed)
    return done


@every(hours=1)
@task
def purge_old() -> None:
    purge()


def unlocked(trigger: str, act: Callable[[], object]) -> None:
    """Do what a trigger refuses to everybody else. Only for rows whose time is over."""
    with pgtrigger.ignore(trigger):
        act()


# --- the tables of this app, and of Django ----------------------------------------------------------------------


def mails_of_long_ago(before: datetime) -> QuerySet[Mail]:
    return Mail.objects.filter(created_at__lt=before).exclude(text=ERASED)


def forget_mails(rows: QuerySet[Mail]) -> None:
    copies = Mail.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))
    copies.update(to="erased@erased.invalid", error="")
    copies.blank()


def delete_acts(rows: QuerySet[AuditEntry]) -> None:
    unlocked("config.AuditEntry:append_only", rows.delete)


def staff_of_long_ago(before: datetime) -> QuerySet[User]:
    """Accounts that are closed and were last used, or never used and made, before a moment."""
    closed = User.objects.annotate(seen_at=Coalesce("last_login", "date_joined")).filter(is_active=False)
    return closed.filter(seen_at__lt=before).exclude(username__startswith="former-")


def forget_staff(rows: QuerySet[User]) -> None:
    """The row stays, for what they did hangs on it."""
    for device in (TOTPDevice, StaticDevice):
        device.objects.filter(user__in=rows.values("pk")).delete()
    User.objects.filter(pk__in=rows.values("pk")).update(
        username=Concat(Value("former-"), Cast("pk", models.CharField())),
        first_name="",
        last_name="",
        email="",
        password=make_password(None),
    )
