"""No screen shows a person what programs write for each other: JSON, identifiers of code, names of classes."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max

from config.tasks_admin import in_words

pytestmark = pytest.mark.django_db


def row(path: str, *args: Any, **values: Any) -> DBTaskResult[Any, Any]:
    given = {"args": list(args), "kwargs": values.pop("kwargs", {})}
    return DBTaskResult.objects.create(
        task_path=path, args_kwargs=given, backend_name="default", run_after=get_date_max(), **values
    )


def test_task_is_told_in_words(admin_client: Client) -> None:
    done = {"status": "SUCCESSFUL", "started_at": timezone.now(), "finished_at": timezone.now(), "worker_ids": ["ab"]}
    for one, words in (
        (row("adoptions.tasks.send_access_link", 17, **done), ["Send access link", "<dt>Link id</dt><dd>17</dd>"]),
        (row("config.mail.deliver", kwargs={"mail_id": 9}, return_value={"sent": True}), ["Mail id", "At once"]),
        (row("gone.since.then", 5, "x"), ["Then", "does not know it any more", "<dt>1</dt><dd>5</dd>"]),
        (row("config.mail.deliver", 1, 2, 3), ["<dt>3</dt><dd>3</dd>"]),
        (row("config.mail.deliver", status="FAILED", exception_class_path="a.OSError", traceback="<b>"), ["OSError"]),
    ):
        listed = admin_client.get(reverse("admin:django_tasks_database_dbtaskresult_changelist")).text
        page = admin_client.get(reverse("admin:django_tasks_database_dbtaskresult_change", args=[one.pk])).text
        assert [each for each in words if each not in page] == []
        assert words[0] in listed or "<dt>" in words[0]
        for raw in ("kwargs", "DBTaskResult object", "[&quot;", "{&quot;", "<b>"):
            assert raw not in page + listed


def test_whatever_json_holds_is_said_in_words() -> None:
    assert in_words({"sent": True, "to": ["a", "<b>"]}) == (
        "<dl><div><dt>Sent</dt><dd>yes</dd></div><div><dt>To</dt><dd>a, &lt;b&gt;</dd></div></dl>"
    )
    assert (in_words(None), in_words(0), in_words(False), in_words([])) == ("Nothing", "0", "no", "Nothing")


def test_no_screen_shows_json_or_names_a_row_by_its_class() -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("fiona")
    raw, nameless = [], []
    for model, screen in admin.site._registry.items():
        held = {field.name for field in model._meta.fields if isinstance(field, models.JSONField)}
        shown = {*screen.get_fields(request), *screen.get_list_display(request)}
        raw += [f"{model._meta.label}.{name}" for name in held & shown]
        nameless += [model._meta.label] if model.__str__ is models.Model.__str__ else []
    assert (raw, nameless) == ([], [])


def test_deleting_a_role_says_who_loses_it(admin_client: Client) -> None:
    role = Group.objects.create(name="Volunteers")
    role.permissions.set([1, 2])
    User.objects.create_user("sam").groups.add(role)
    page = admin_client.get(reverse("admin:auth_group_delete", args=[role.pk])).text
    assert "Volunteers: taken from sam" in page
    assert "Group_permissions" not in page
