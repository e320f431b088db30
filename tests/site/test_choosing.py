"""Rows of another table are chosen from a whole list only where that table stays small."""

from collections.abc import Iterator

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple, ForeignKeyRawIdWidget
from django.contrib.auth.models import User
from django.db import models
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse

from adoptions.admin.by_campaign import ByCampaign
from adoptions.models import Campaign
from tests.makers import make_active_adoption

pytestmark = pytest.mark.django_db

SMALL = {
    "species.Species": "as many as the charity writes pages about",
    "species.Threat": "a page each, common to all species",
    "species.SpeciesThreat": "a handful for each species, sorted by it",
    "adoptions.Plan": "a handful for each species",
    "auth.Group": "the roles",
    "auth.Permission": "four for each table, on the screen of roles alone",
    "auth.User": "the staff",
}
LOOKED_UP = {AutocompleteSelect, AutocompleteSelectMultiple, ForeignKeyRawIdWidget, forms.HiddenInput}


def whole_lists(form: type[forms.BaseForm]) -> Iterator[tuple[str, str]]:
    fields: dict[str, forms.Field] = getattr(form, "base_fields", {})
    for name, field in fields.items():
        widget = getattr(field.widget, "widget", field.widget)  # within the one that adds a pencil and a plus
        if isinstance(field, forms.ModelChoiceField) and field.queryset is not None and type(widget) not in LOOKED_UP:
            yield name, field.queryset.model._meta.label


def all_below(kind: type[forms.BaseForm]) -> Iterator[type[forms.BaseForm]]:
    for each in kind.__subclasses__():
        yield each
        yield from all_below(each)


def test_no_form_of_the_desk_lists_a_table_that_may_grow() -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("fiona")
    found = []
    for model, screen in admin.site._registry.items():
        if not (screen.has_add_permission(request) or screen.has_change_permission(request)):
            continue  # who only looks is shown words
        fields = [*whole_lists(screen.get_form(request))]
        for inline in screen.inlines:
            formset = inline(model, admin.site).get_formset(request)
            fields += whole_lists(formset.form)
        found += [(model._meta.label, *field) for field in fields if field[1] not in SMALL]
    assert get_resolver().url_patterns  # every form of our own is read by now
    for form in all_below(forms.BaseForm):
        if form.__module__.split(".")[0] in ("adoptions", "species", "config"):
            found += [(form.__name__, *field) for field in whole_lists(form) if field[1] not in SMALL]
    assert found == []


def test_no_filter_of_a_list_names_every_row_of_a_table_that_may_grow() -> None:
    found = []
    for model, screen in admin.site._registry.items():
        for each in screen.list_filter:
            name = str(each[0] if isinstance(each, tuple) else each if isinstance(each, str) else "")
            field = model._meta.get_field(name.partition("__")[0]) if name else None
            if isinstance(field, models.ForeignKey) and "__" not in name:
                label = field.related_model._meta.label
                found += [(model._meta.label, name)] if label not in SMALL else []
    assert found == []


def test_adoptions_are_filtered_by_a_campaign_however_old(admin_client: Client) -> None:
    old = Campaign.objects.create(code="first-of-all", name="First", destination="home")
    made = make_active_adoption(campaign=old)
    Campaign.objects.bulk_create(
        Campaign(code=f"later-{n}", name=f"Later {n}", destination="home") for n in range(ByCampaign.newest)
    )
    rows = reverse("admin:adoptions_adoption_changelist")
    assert "first-of-all" not in admin_client.get(rows, {"q": "xqxq"}).text
    for asked, is_found in ((old.pk, True), ("none", False), (old.pk + 1, False), ("x", False), ("9" * 30, False)):
        page = admin_client.get(rows, {"campaign__id__exact": asked})
        assert (asked, made.reference in page.text) == (asked, is_found)
    assert "first-of-all" in admin_client.get(rows, {"campaign__id__exact": old.pk}).text
