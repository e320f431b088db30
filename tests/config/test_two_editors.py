"""Of two who edit one row the second is told, and neither's words are lost."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.forms import CharField
from django.test import Client, RequestFactory
from django.urls import reverse

from adoptions.models import Campaign, PlanPrice
from tests.desk_world import make_desk
from tests.makers import make_plan, make_species

pytestmark = pytest.mark.django_db


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(name))
    return client


def form_on(page: Any) -> dict[str, Any]:
    """What a browser would send back of a change form as it stands."""
    form = page.context["adminform"].form
    sent: dict[str, Any] = {}
    for part in (form, *(f.formset.management_form for f in page.context["inline_admin_formsets"])):
        sent |= {part.add_prefix(name): part[name].value() for name in part.fields}
    for inline in page.context["inline_admin_formsets"]:
        for row in inline.formset.forms:
            sent |= {row.add_prefix(name): row[name].value() for name in row.fields}
    for field in form.fields:
        if hasattr(form.fields[field], "fields"):  # a day and a time
            value = form[field].value()
            day, time = value if isinstance(value, list) else form[field].field.widget.decompress(value)
            del sent[field]
            sent |= {f"{field}_0": day or "", f"{field}_1": time or ""}
    [seen] = re.findall(r'name="_as_seen" value="([^"]*)"', page.text)
    sent["_as_seen"] = seen.replace("&amp;", "&")
    typed = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in sent.items()}
    return {name: value for name, value in typed.items() if value is not None and value is not False}


def test_second_to_save_is_told_who_changed_what_and_may_save_again() -> None:
    fiona, marek = signed_in("fiona"), signed_in("marek")
    campaign = Campaign.objects.create(code="spring", name="Spring", species=make_species())
    address = reverse("admin:adoptions_campaign_change", args=[campaign.pk])
    first, second = form_on(fiona.get(address)), form_on(marek.get(address))
    assert fiona.post(address, {**first, "name": "Spring, first mail"}).status_code == 302
    told = marek.post(address, {**second, "name": "Spring, to all", "utm_source": "mail"})
    assert told.status_code == 200
    assert re.search(r"fiona changed it at \d\d:\d\d while you had it open: Name\.", told.text)
    assert "It says now: Spring, first mail" in told.text
    again = form_on(told)
    assert (again["name"], again["utm_source"]) == ("Spring, to all", "mail")
    assert marek.post(address, again).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.name, campaign.utm_source) == ("Spring, to all", "mail")


def test_change_of_a_price_beneath_a_plan_is_told_as_well() -> None:
    fiona = signed_in("fiona")
    plan = make_plan()
    address = reverse("admin:adoptions_plan_change", args=[plan.pk])
    sent = form_on(fiona.get(address))
    PlanPrice.objects.filter(plan=plan, frequency="once").update(minimum_pence=700)
    assert "It was changed while you had it open: plan prices." in fiona.post(address, sent).text


def test_what_nobody_else_changed_is_saved_at_once() -> None:
    fiona = signed_in("fiona")
    plan = make_plan()
    address = reverse("admin:adoptions_plan_change", args=[plan.pk])
    saved = fiona.post(address, {**form_on(fiona.get(address)), "name": "Friend"})
    assert (saved.status_code, saved.context and saved.context["errors"]) == (302, None)


# A mail and a comment are read and never edited; the words of a mail are compared on their own page.
UNTOLD = {"config.mail", "species.comment", "config.mailwords"}


def screens_that_change(user: User) -> dict[str, type[Model]]:
    request = RequestFactory().get("/admin/")
    request.user = user
    screens = admin.site._registry.items()
    return {model._meta.label_lower: model for model, screen in screens if screen.has_change_permission(request)}


def test_every_screen_that_changes_a_row_refuses_what_is_out_of_date_and_keeps_its_words() -> None:
    """A colleague changes the first field of words of each while it is open."""
    fiona = signed_in("fiona")
    make_desk(User.objects.get())
    models = screens_that_change(User.objects.get(username="fiona"))
    assert set(models) > UNTOLD
    wrong = []
    for label in models.keys() - UNTOLD:
        model = models[label]
        row = model._default_manager.earliest("pk")
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])
        page = fiona.get(address)
        sent = {name: value for name, value in form_on(page).items() if not isinstance(value, FieldFile)}
        fields = page.context["adminform"].form.fields
        name = next(name for name, field in fields.items() if type(field) in {CharField, UsernameField})
        theirs, mine = f"{sent[name]}2", f"{sent[name]}3"
        model._default_manager.filter(pk=row.pk).update(**{name: theirs})
        answer = fiona.post(address, {**sent, name: mine})
        stands = model._default_manager.values_list(name, flat=True).get(pk=row.pk)
        shown = answer.context["adminform"].form if answer.status_code == 200 else {}
        if stands != theirs or "changed while you had it open" not in answer.text or shown[name].value() != mine:
            wrong.append((label, answer.status_code, stands))
    assert wrong == []
