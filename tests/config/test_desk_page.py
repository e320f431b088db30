import re
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.test import RequestFactory

from adoptions.models import Supporter
from config.desk_page import Step, desk_page
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


def test_frame_of_our_own_pages_is_written_once() -> None:
    folder = Path(settings.BASE_DIR, "templates", "admin")
    of_their_own = {path.name for path in folder.rglob("*.html") if 'class="breadcrumbs"' in path.read_text()}
    assert of_their_own == {"desk_page.html"}
