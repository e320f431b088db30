"""A session that was stolen, or a screen left open, gives no money back, takes no list along and lets nobody in."""

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import resolve, reverse

from adoptions.models import RefundRequest, Supporter
from config import fresh_sign_in, roles, second_step
from config.models import AuditEntry
from config.staff_sign_in import TOO_MANY, WRONG
from tests.config.test_second_step import PASSWORD, code_of, give_phone
from tests.config.test_typed_again import hidden
from tests.desk_world import own_screens
from tests.makers import make_active_adoption
from tests.site.test_roles import OWN

pytestmark = [pytest.mark.django_db, pytest.mark.threat("L8")]

STILL_YOU = "/admin/still-you/"
# Which ask before their page is seen, which only before what is filled in there is sent, and which are files.
ASK = {
    "refund": "see",
    "refund_second": "send",
    "refund_by_hand": "see",
    "take_back_payment": "see",
    "adoptions_attention_give_back": "send",
    "adoptions_exportedfile_new": "see",
    "adoptions_exportedfile_save": "save",
    "adoptions_importedfile_rows": "save",
    "hand_over": "save",
    "erase_supporter": "see",
    "adoptions_supporter_change": "send",
    "put_gift_right": "send",
    "merge_supporters": "send",
    "undo_merge": "send",
    "adoptions_importedfile_look": "send",
    "mail_words": "send",
    "password_change": "see",
    "auth_user_add": "see",
    "auth_user_change": "send",
    "auth_user_changelist": "send",
    "auth_user_delete": "see",
    "auth_user_password_change": "see",
    "auth_group_add": "see",
    "auth_group_change": "send",
    "auth_group_changelist": "send",
    "auth_group_delete": "see",
}

# Of our own screens those that do not ask, and why: they move no money out, hand nobody's data over and open no door.
ASK_NOTHING = {
    "only looked at": (
        *("adoptions_campaign_answers", "adoptions_campaign_code", "adoptions_campaign_csv"),
        *("adoptions_campaign_preview", "adoptions_campaign_report", "adoptions_exportedfile_progress"),
        *("find_supporter", "gift_aid_letter", "mail_html", "mail_words_preview", "receipt_for_post", "reports"),
        *("reports_csv", "supporter_timeline"),
    ),
    "brings people or money in": (
        *("adoptions_campaign_sent", "declare_gift_aid", "enter_adoption", "enter_complaint"),
        *("adoptions_importedfile_new", "payment_link", "take_over"),
    ),
    "goes to the address that stands with the person": ("adoptions_complaint_answer", "mail_link"),
    "takes nothing that cannot be put back by hand": (
        *("adoptions_attention_release", "adoptions_attention_resolve", "adoptions_campaign_forget_list"),
        *("change_plan", "species_comment_queue", *(f"species_{model}_put_in_place" for model in roles.CONTENT)),
    ),
    "asks a colleague who has to say who they are": ("ask_refund",),
    "goes to whoever presses it": ("adoptions_campaign_test_mail",),
}


@pytest.fixture
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", PASSWORD)


@pytest.fixture
def later(client: Client, marek: User) -> Iterator[Client]:
    """Marek's browser, half an hour after he signed in."""
    client.force_login(marek)
    at = time.time() + fresh_sign_in.FRESH_FOR
    with mock.patch("config.fresh_sign_in.time.time", return_value=at):
        yield client


def admin_addresses() -> dict[str, tuple[str, Any]]:
    """Of each named page of the desk, with a number or a kind of mail for each argument, and what it asks."""
    found = {}
    for name, path in own_screens():
        arguments = re.findall(r"<(?:\w+:)?(\w+)>", path)
        if "app_label" not in arguments:
            kwargs = {each: "receipt" if each == "kind" else 1 for each in arguments}
            found[name] = reverse(f"admin:{name}", kwargs=kwargs)
    return {name: (path, asked_by(path)) for name, path in found.items()}


def asked_by(path: str) -> Any:
    return getattr(resolve(path).func, "asks_once_more", None)


def test_these_pages_ask_and_no_others() -> None:
    assert {name: asks for name, (_, asks) in admin_addresses().items() if asks} == ASK


def test_every_screen_of_our_own_is_said_to_ask_or_why_it_does_not() -> None:
    free = [name for names in ASK_NOTHING.values() for name in names]
    assert sorted(free) == sorted(OWN.keys() - ASK.keys())


def test_each_asks_before_it_looks_at_anything(later: Client) -> None:
    """Even at whether there is such a row."""
    addresses, wrong = admin_addresses(), []
    for name, to in ASK.items():
        path = addresses[name][0]
        if to != "send" and not later.get(path).headers.get("Location", "").startswith(STILL_YOU):
            wrong.append((name, "seen"))
        if to != "save" and "nothing you typed is lost" not in later.post(path, {"words": "kept words"}).text:
            wrong.append((name, "sent"))
    assert wrong == []


def test_refund_that_was_typed_half_an_hour_ago_comes_back_and_goes_on_by_a_press(later: Client) -> None:
    payment = make_active_adoption(amount_pence=3600).payments.get()
    address = reverse("admin:refund", args=[payment.pk])
    typed = {"amount": "5.00", "reason": "duplicate", "note": "She rang & cried", "request": "", "step": "ask"}
    asked = later.post(address, typed)
    wrong = later.post(STILL_YOU, hidden(asked.text) | {"password": "a guess"})
    assert (wrong.status_code, WRONG in wrong.text) == (422, True)
    assert not RefundRequest.objects.exists()
    back = later.post(STILL_YOU, hidden(wrong.text) | {"password": PASSWORD})
    assert f'action="{address}"' in back.text
    assert "<dd>She rang &amp; cried</dd>" in back.text
    assert "Your session had ended" not in back.text
    sent = later.post(address, {name: value for name, value in hidden(back.text).items() if name in typed})
    assert 'value="5.00"' in sent.text
    assert "Is it still you?" not in sent.text


def test_page_that_was_asked_for_is_there_after_the_answer(later: Client) -> None:
    wanted = reverse("admin:adoptions_exportedfile_new") + "?q=amara&state=active"
    asked = later.get(wanted, follow=True)
    answer = later.post(STILL_YOU, hidden(asked.text) | {"password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, wanted)
    assert "Take out a list" in later.get(wanted).text


def test_file_comes_by_a_press_on_a_page_of_its_own(later: Client) -> None:
    """In place of the question it would come to nobody's notice, and the question would stand there still."""
    supporter = make_active_adoption().supporter
    wanted = reverse("admin:hand_over", args=[supporter.pk])
    asked = later.get(wanted, follow=True)
    page = later.post(STILL_YOU, hidden(asked.text) | {"password": PASSWORD})
    assert re.findall(r'class="button default" href="([^"]+)"', page.text) == [wanted]
    assert later.get(wanted).headers["Content-Disposition"].startswith("attachment")


def test_code_is_asked_of_who_has_one_and_the_password_shows_nothing(later: Client, marek: User) -> None:
    device = give_phone(marek)
    with mock.patch("config.second_step.is_missing", return_value=False):  # he took the step this morning
        wanted = reverse("admin:auth_user_add")
        asked = later.get(wanted, follow=True)
        assert 'name="password"' not in asked.text
        fields = hidden(asked.text)
        assert later.post(STILL_YOU, fields | {"code": "000000", "password": PASSWORD}).status_code == 422
        # Signing in once more with the password that was stolen as well.
        later.post("/admin/login/", {"username": "marek", "password": PASSWORD})
        assert later.get(wanted).status_code == 302
        assert later.post(STILL_YOU, fields | {"code": code_of(device)}).headers["Location"] == wanted
        assert later.get(wanted).status_code == 200


def test_guesses_at_the_question_are_those_of_a_sign_in(later: Client) -> None:
    fields = hidden(later.get(reverse("admin:auth_user_add"), follow=True).text)
    answers = [later.post(STILL_YOU, fields | {"password": f"guess {number}"}).text for number in range(7)]
    assert [TOO_MANY in answer for answer in answers] == [False] * 5 + [True] * 2
    assert TOO_MANY in later.post(STILL_YOU, fields | {"password": PASSWORD}).text


def test_moment_of_a_clock_that_was_ahead_counts_for_nothing(client: Client, marek: User) -> None:
    with mock.patch("config.fresh_sign_in.time.time", return_value=4e9):
        client.force_login(marek)
    assert client.get(reverse("admin:auth_user_add")).status_code == 302


def test_colleague_is_looked_at_without_a_question_and_made_a_superuser_only_after_it(later: Client) -> None:
    amara = User.objects.create_user("amara", is_staff=True)
    finance = Group.objects.create(name="Finance")
    address = reverse("admin:auth_user_change", args=[amara.pk])
    page = later.get(address)
    assert page.status_code == 200
    fields = hidden(page.text) | {"username": "amara", "is_superuser": "on", "groups": [finance.pk], "_save": "Save"}
    later.post(address, fields)
    amara.refresh_from_db()
    assert (amara.is_superuser, amara.groups.count()) == (False, 0)


def test_address_of_a_supporter_is_a_key_and_changed_only_after_the_question(later: Client) -> None:
    amara = make_active_adoption().supporter
    address, beneath = reverse("admin:adoptions_supporter_change", args=[amara.pk]), "adoptions-{}_FORMS"
    fields = {"name": amara.name, "email": "thief@example.org", "_save": "Save"}
    fields |= {beneath.format(name): "0" for name in ("TOTAL", "INITIAL")}
    asked = later.post(address, fields)
    assert Supporter.objects.get().email == amara.email
    back = later.post(STILL_YOU, hidden(asked.text) | {"password": PASSWORD})
    later.post(address, hidden(back.text))
    assert Supporter.objects.get().email == "thief@example.org"


def test_new_phone_in_place_of_one_asks_first(later: Client, marek: User) -> None:
    give_phone(marek)
    with mock.patch("config.second_step.is_missing", return_value=False):
        assert later.get("/admin/second-step/set-up/").headers["Location"].startswith(STILL_YOU)


@pytest.mark.parametrize("is_production", [True, False])
def test_first_phone_asks_for_the_password_so_that_a_stolen_session_gives_itself_none(
    later: Client, settings: Any, is_production: bool
) -> None:
    """It would be a proof for all the rest; also where a colleague has just let them set it up anew."""
    settings.STAFF_TWO_FACTOR = is_production
    wanted = "/admin/second-step/set-up/"
    asked = later.get(wanted, follow=True)
    assert 'name="key"' not in asked.text
    key = second_step.new_key(User.objects.get())
    code = code_of(second_step.unconfirmed(User.objects.get(), key))
    later.post(wanted, {"key": key, "code": code})
    assert not second_step.is_set_up(User.objects.get())
    assert later.get(reverse("admin:auth_user_add")).status_code == 302
    assert later.post(STILL_YOU, hidden(asked.text) | {"password": PASSWORD}).headers["Location"] == wanted
    assert 'name="key"' in later.get(wanted).text


@pytest.mark.parametrize("path", [STILL_YOU, "/admin/login/"])
def test_proof_is_worth_nothing_to_who_had_taken_the_session_before(later: Client, path: str) -> None:
    thief = Client()
    thief.cookies["staff"] = later.cookies["staff"].value
    assert thief.get("/admin/").status_code == 200
    later.post(path, {"shows": "1", "username": "marek", "password": PASSWORD})
    assert later.get(reverse("admin:auth_user_add")).status_code == 200
    assert thief.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_answer_is_in_the_log_of_staff(later: Client) -> None:
    fields = hidden(later.get(reverse("admin:auth_user_add"), follow=True).text)
    later.post(STILL_YOU, fields | {"password": "a guess"})
    later.post(STILL_YOU, fields | {"password": PASSWORD})
    entries = AuditEntry.objects.filter(how="once more").order_by("pk")
    assert list(entries.values_list("act", flat=True)) == ["not_signed_in", "signed_in"]


def test_session_that_ends_before_the_answer_loses_nothing(later: Client) -> None:
    supporter = make_active_adoption().supporter
    asked = later.post(reverse("admin:erase_supporter", args=[supporter.pk]), {"sure": "on", "words": "kept words"})
    later.logout()
    page = later.post(STILL_YOU, hidden(asked.text) | {"password": PASSWORD})
    assert "Nothing you typed is lost" in page.text
    assert Supporter.objects.get(pk=supporter.pk).erased_at is None


def test_answer_sent_to_another_page_than_the_question_is_not_even_looked_at(later: Client) -> None:
    """A guess there would be in no log as one."""
    guarded = reverse("admin:auth_user_add")
    for password in ("a guess", PASSWORD):
        asked = later.post(guarded, {"shows": "1", "password": password})
        assert (asked.status_code, WRONG in asked.text) == (200, False)
    assert later.get(guarded).status_code == 302


def test_question_leads_nowhere_but_to_the_desk(later: Client) -> None:
    climbing = ("/admin/../adopt/", "/admin/x/..", "/admin/%2E%2e/adopt/", "/admin/..\\adopt/")
    for elsewhere in ("https://evil.example/", "//evil.example/", "/adopt/", "javascript:alert(1)", *climbing):
        page = later.get(STILL_YOU, {"next": elsewhere, "file": "1"})
        assert unescape(hidden(page.text)["next"]) == "/admin/"
