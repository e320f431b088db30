import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import formats

from adoptions.models import Supporter
from config.desk_page import Step, desk_page
from config.models import AuditEntry
from tests.makers import make_supporter

pytestmark = pytest.mark.django_db


class NameForm(forms.Form):
    name = forms.CharField()


def test_page_says_where_it_stands_and_refuses_what_it_cannot_take() -> None:
    amara = make_supporter("<b>Amara</b>")
    request = RequestFactory().post("/admin/")
    request.user = User.objects.create_superuser("fiona")
    trail: list[Step] = [Supporter, amara, ("Elsewhere", "/admin/elsewhere/")]
    page = desk_page(request, "admin/adoptions/enter_complaint.html", "A page", trail=trail, form=NameForm({}))
    html = page.render().content.decode()
    way = html.split('<ol class="breadcrumbs">')[1].split("</ol>")[0]
    assert page.status_code == 422
    assert re.findall(r'<a href="([^"]*)">([^<]*)</a>', way) == [
        ("/admin/", "Home"),
        ("/admin/adoptions/supporter/", "Supporters"),
        (f"/admin/adoptions/supporter/{amara.pk}/change/", "&lt;b&gt;Amara&lt;/b&gt; &lt;amara@example.org&gt;"),
        ("/admin/elsewhere/", "Elsewhere"),
    ]
    assert '<li aria-current="page">A page</li>' in way
    assert "This field is required." in html


def test_lists_of_the_desk_tell_the_time_as_its_own_pages_do(client: Client) -> None:
    """Not 12:47 on one and 12:47 p.m. on the next."""
    noon = datetime(2026, 11, 29, 12, 47, tzinfo=UTC)
    client.force_login(User.objects.create_superuser("fiona"))
    AuditEntry.objects.create(at=noon, act="changed", what="adoptions.adoption", path="/admin/")
    assert "29 Nov 2026, 12:47<" in client.get("/admin/config/auditentry/").text
    ways = ("TIME_FORMAT", "DATETIME_FORMAT", "SHORT_DATETIME_FORMAT")
    assert [formats.date_format(noon, way) for way in ways] == ["12:47", "29 Nov 2026, 12:47", "29/11/2026 12:47"]
    assert formats.get_format("SHORT_DATE_FORMAT") == "d/m/Y"  # all else is as Django has it


def test_frame_of_our_own_pages_is_written_once() -> None:
    folder = Path(settings.BASE_DIR, "templates", "admin")
    of_their_own = {path.name for path in folder.rglob("*.html") if 'class="breadcrumbs"' in path.read_text()}
    assert of_their_own == {"desk_page.html"}
