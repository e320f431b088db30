"""A rule of the database that staff may break on a form is told in words, never by the name it has there."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import BaseConstraint, CheckConstraint, Model, Q, UniqueConstraint
from django.test import Client, RequestFactory

pytestmark = pytest.mark.django_db


def editable() -> Iterator[tuple[type[Model], set[str]]]:
    """Every model with the fields that can be typed into on the desk, within others as well."""
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("fiona")
    for screen in admin.site._registry.values():
        if screen.has_change_permission(request):
            yield screen.model, set(screen.get_form(request, change=False).base_fields)
            for part in screen.get_inline_instances(request):
                yield part.model, set(part.get_formset(request).form.base_fields)


def names_in(condition: Q) -> Iterator[str]:
    for part in condition.children:
        if isinstance(part, Q):
            yield from names_in(part)
        elif isinstance(part, tuple):
            yield part[0].partition("__")[0]


def fields_of(rule: BaseConstraint) -> set[str]:
    if isinstance(rule, CheckConstraint):
        return set(names_in(rule.condition)) if isinstance(rule.condition, Q) else set()
    if isinstance(rule, UniqueConstraint):
        return {*rule.fields, *re.findall(r"F\((\w+)\)", repr(rule.expressions))}
    return set()


def has_djangos_words(rule: BaseConstraint) -> bool:
    """“A plan price with this plan and frequency already exists”: by the names of its fields."""
    return isinstance(rule, UniqueConstraint) and bool(rule.fields) and not rule.condition


def test_every_rule_that_can_be_broken_on_a_form_has_words() -> None:
    silent = [
        f"{model.__name__}: {rule.name}"
        for model, fields in editable()
        for rule in model._meta.constraints
        if fields & fields_of(rule)
        and not has_djangos_words(rule)
        and rule.violation_error_message in {None, rule.default_violation_error_message}
    ]
    assert silent == []


def test_campaign_without_a_species_is_told_what_is_missing(client: Client) -> None:
    client.force_login(User.objects.create_superuser("fiona"))
    sent = {"name": "Winter", "destination": "adopt", "starts_at_0": "2026-11-01", "starts_at_1": "09:00"}
    page = client.post("/admin/adoptions/campaign/add/", sent).text
    assert "Say which species the link leads to" in page
    assert "is violated" not in page
