"""Which role may do what, for every screen of the admin: a screen without a line here fails the test."""

import html
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ActionLocation
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.template.response import SimpleTemplateResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from adoptions.models import Adoption, Campaign, Gift, PaymentLink
from config import roles
from config.screens import ABOUT
from species.models import Species
from tests.desk_world import OF_A_MODEL, addresses, make_desk, own_screens

pytestmark = pytest.mark.django_db

STAFF = ("Moderator", "Editor", "Fundraiser", "Finance", "Auditor")
# v looks, a adds, c changes, d deletes; in the order of STAFF.
SCREENS = """
adoptions.adoption             -    -    v    v    v
adoptions.attention            -    -    v    v    v
adoptions.campaign             -    -    vac  v    v
adoptions.campaignday          -    -    v    v    v
adoptions.closure              -    -    -    v    v
adoptions.complaint            -    -    v    -    v
adoptions.comparison           -    -    -    v    v
adoptions.consentevent         -    -    v    -    v
adoptions.difference           -    -    -    v    v
adoptions.exportedfile         -    -    v    v    v
adoptions.failedrenewal        -    -    v    v    v
adoptions.gift                 -    -    v    v    v
adoptions.giftaiddeclaration   -    -    v    v    v
adoptions.handentry            -    -    v    v    v
adoptions.importedfile         -    -    v    -    v
adoptions.likeness             -    -    v    -    v
adoptions.merge                -    -    v    -    v
adoptions.payment              -    -    v    v    v
adoptions.plan                 -    -    v    vac  v
adoptions.refundrequest        -    -    -    v    v
adoptions.stripeevent          -    -    -    v    v
adoptions.supporter            -    -    vc   v    v
auth.group                     -    -    -    -    v
auth.user                      -    -    -    -    v
config.auditentry              -    -    -    -    v
config.blockedload             -    -    -    -    v
config.mail                    -    -    vc   v    v
config.mailwords               -    -    vc   -    -
django_tasks_database.dbtaskresult - -   -    -    v
species.comment                vc   -    -    -    v
species.conflict               -    vac  -    -    v
species.fact                   -    vac  -    -    v
species.fieldnote              -    vac  -    -    v
species.picture                -    vac  -    -    v
species.populationcount        -    vac  -    -    v
species.source                 -    vac  -    -    v
species.species                v    vac  v    v    v
species.text                   -    vac  -    -    v
species.threat                 -    vac  -    -    v
"""
TABLE = {
    model: dict(zip(STAFF, letters, strict=True)) for model, *letters in map(str.split, SCREENS.strip().splitlines())
}
# The acts offered on those screens, above the list or on the page of a row; in the order of STAFF, y for whom.
# Django's own, to delete what is selected, is nobody's.
ACTS = """
adoptions.attention.resolve                         -    -    y    y    -
adoptions.closure.release                           -    -    -    y    -
adoptions.difference.ask_again                      -    -    -    y    -
adoptions.difference.leave                          -    -    -    y    -
adoptions.gift.cancel                               -    -    y    -    -
adoptions.gift.release                              -    -    y    -    -
adoptions.gift.send_again                           -    -    y    -    -
adoptions.giftaiddeclaration.record_posted          -    -    y    -    -
adoptions.giftaiddeclaration.take_back_by_word      -    -    y    -    -
adoptions.giftaiddeclaration.take_back_in_writing   -    -    y    -    -
adoptions.handentry.found_at_the_bank               -    -    -    y    -
adoptions.stripeevent.work_again                    -    -    -    y    -
adoptions.supporter.stop_news                       -    -    y    -    -
adoptions.supporter.stop_news_for_the_service       -    -    y    -    -
auth.user.forget_second_step                        -    -    -    -    -
config.mail.send_again                              -    -    y    -    -
species.comment.approve                             y    -    -    -    -
species.comment.dismiss                             y    -    -    -    -
species.comment.mark_spam                           y    -    -    -    -
species.comment.reject                              y    -    -    -    -
species.comment.reject_off_topic                    y    -    -    -    -
species.comment.reject_personal                     y    -    -    -    -
species.comment.reject_unkind                       y    -    -    -    -
species.comment.reopen                              y    -    -    -    -
species.fact.mark_reviewed                          -    y    -    -    -
species.fieldnote.publish                           -    y    -    -    -
species.fieldnote.unpublish                         -    y    -    -    -
"""
OFFERED = {
    act: {role for role, sign in zip(STAFF, signs, strict=True) if sign == "y"}
    for act, *signs in map(str.split, ACTS.strip().splitlines())
}
# Screens of our own beside those: who gets further than "no". The others are answered 403 or 404.
OWN = {
    "refund": ("Finance",),
    "ask_refund": ("Fundraiser",),
    "refund_second": ("Finance",),
    "enter_adoption": ("Fundraiser", "Finance"),
    "hand_over": ("Fundraiser",),
    "erase_supporter": ("Fundraiser",),
    "merge_supporters": ("Fundraiser",),
    "undo_merge": ("Fundraiser",),
    "payment_link": ("Fundraiser", "Finance"),
    "refund_by_hand": ("Finance",),
    "take_back_payment": ("Finance",),
    "receipt_for_post": ("Fundraiser", "Finance", "Auditor"),
    "declare_gift_aid": ("Fundraiser",),
    "gift_aid_letter": ("Fundraiser", "Finance", "Auditor"),
    "change_plan": ("Fundraiser",),
    "take_over": ("Fundraiser",),
    "put_gift_right": ("Fundraiser",),
    "adoptions_attention_resolve": ("Fundraiser", "Finance"),
    "adoptions_attention_give_back": ("Finance",),
    "adoptions_attention_release": ("Finance",),
    "adoptions_complaint_answer": ("Fundraiser",),
    "enter_complaint": ("Fundraiser",),
    "adoptions_campaign_report": ("Fundraiser", "Finance", "Auditor"),
    "adoptions_campaign_csv": ("Fundraiser", "Finance", "Auditor"),
    "adoptions_campaign_code": ("Fundraiser", "Finance", "Auditor"),
    "adoptions_campaign_preview": ("Fundraiser", "Finance", "Auditor"),
    "adoptions_campaign_test_mail": ("Fundraiser",),
    "adoptions_campaign_answers": ("Fundraiser", "Finance", "Auditor"),
    "adoptions_campaign_sent": ("Fundraiser", "Finance", "Auditor"),
    "adoptions_campaign_forget_list": ("Fundraiser",),
    "adoptions_exportedfile_new": ("Fundraiser", "Finance"),
    "adoptions_exportedfile_progress": ("Fundraiser", "Finance", "Auditor"),
    "adoptions_exportedfile_save": ("Fundraiser", "Finance"),
    "adoptions_importedfile_new": ("Fundraiser",),
    "adoptions_importedfile_look": ("Fundraiser", "Auditor"),
    "adoptions_importedfile_rows": ("Fundraiser", "Auditor"),
    "reports": ("Fundraiser", "Finance", "Auditor"),
    "reports_csv": ("Fundraiser", "Finance", "Auditor"),
    "find_supporter": ("Fundraiser", "Finance", "Auditor"),
    "mail_link": ("Fundraiser",),
    "supporter_timeline": ("Fundraiser", "Finance", "Auditor"),
    "mail_words": ("Fundraiser",),
    "mail_words_preview": ("Fundraiser",),
    "mail_html": ("Fundraiser", "Finance", "Auditor"),
    "species_comment_queue": ("Moderator",),
    **{f"species_{model}_put_in_place": ("Editor",) for model in roles.CONTENT},
}
OF_EVERYBODY = {
    *("index", "login", "logout", "password_change", "password_change_done"),
    *("autocomplete", "jsi18n", "view_on_site", "app_list", "second_step", "second_step_set_up", "still_you"),
}


@pytest.fixture(autouse=True, scope="module")
def there(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Adoption]:
    """The roles, a person of each, and what they could meet; what most of that hangs on."""
    with django_db_blocker.unblock(), transaction.atomic():
        roles.load()
        for role in STAFF:
            user = User.objects.create_user(role.lower(), f"{role}@example.org", is_staff=True)
            user.groups.add(Group.objects.get(name=role))
        adoption = make_desk(User.objects.create_user("marek"))
        yield adoption
        transaction.set_rollback(True)


def member(role: str) -> User:
    return User.objects.get(username=role.lower())


def test_every_screen_has_its_line() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(TABLE)


def test_every_list_says_what_it_is_for(admin_client: Client) -> None:
    assert set(ABOUT) == set(TABLE)
    for screen in ("adoptions_campaign", "auth_user", "config_mailwords"):
        page = admin_client.get(reverse(f"admin:{screen}_changelist")).text
        assert ABOUT[screen.replace("_", ".", 1)] in html.unescape(page)


@pytest.mark.threat("L5")
@pytest.mark.parametrize("role", STAFF)
def test_role_may_do_what_its_column_says_and_nothing_else(role: str) -> None:
    request = RequestFactory().get("/admin/")
    request.user = member(role)
    found = {}
    for model, screen in admin.site._registry.items():
        may = {
            "v": screen.has_view_permission(request),
            "a": screen.has_add_permission(request),
            "c": screen.has_change_permission(request),
            "d": screen.has_delete_permission(request),
        }
        found[model._meta.label_lower] = "".join(letter for letter, is_so in may.items() if is_so) or "-"
    assert found == {model: columns[role] for model, columns in TABLE.items()}


@pytest.mark.threat("L5")
@pytest.mark.parametrize("role", STAFF)
def test_lists_open_for_those_who_may_look_and_for_nobody_else(client: Client, role: str) -> None:
    client.force_login(member(role))
    answers = {}
    for model in TABLE:
        app, _, name = model.partition(".")
        answers[model] = client.get(reverse(f"admin:{app}_{name}_changelist"), follow=True).status_code
    assert answers == {model: 200 if "v" in columns[role] else 403 for model, columns in TABLE.items()}


def acts(user: User | None = None) -> set[str]:
    """Of every screen in both places: those this user is offered, or all there are of ours."""
    request = RequestFactory().get("/admin/")
    found = set()
    for model, screen in admin.site._registry.items():
        names = {str(name) for name in screen.actions or ()}
        if user:
            request.user = user
            names = {name for place in ActionLocation for name in screen.get_actions(request, place)}
        found |= {f"{model._meta.label_lower}.{name}" for name in names}
    return found


def test_every_act_has_its_line() -> None:
    assert acts() == set(OFFERED)


@pytest.mark.threat("L5")
@pytest.mark.parametrize("role", STAFF)
def test_role_is_offered_the_acts_of_its_column_and_no_others(role: str) -> None:
    assert acts(member(role)) == {act for act, whose in OFFERED.items() if role in whose}


def test_every_screen_of_our_own_has_its_line() -> None:
    names = {name for name, _ in own_screens() if not OF_A_MODEL.search(name) or name in OWN}
    assert names - OF_EVERYBODY == set(OWN)


OF_WHO_ASKED = {"adoptions_exportedfile_save"}  # nobody else finds the file


def addresses_of_our_own() -> dict[str, str]:
    """Of each screen in OWN."""
    return {name: address for name, address in addresses() if name in OWN}


@pytest.mark.threat("L5")
@pytest.mark.parametrize("role", STAFF)
def test_screens_of_our_own_turn_the_others_away(client: Client, role: str) -> None:
    client.force_login(member(role))
    wrong = []
    for name, address in addresses_of_our_own().items():
        got = client.get(address).status_code
        if role not in OWN[name]:
            wrong += [] if {got, client.post(address).status_code} <= {403, 404, 405} else [(name, "let in")]
        elif got not in {200, 302, 405} and (name not in OF_WHO_ASKED or got != 404):
            wrong.append((name, f"answered {got}"))
    assert wrong == []


@pytest.mark.threat("L5")
def test_nobody_and_staff_without_a_role_get_no_screen_and_no_act(client: Client) -> None:
    shut = addresses_of_our_own()
    for model in TABLE:
        shut[model] = reverse(f"admin:{model.replace('.', '_')}_changelist")
    sign_in = {name: client.get(address).headers.get("Location", "") for name, address in shut.items()}
    assert [name for name, leads_to in sign_in.items() if not leads_to.startswith("/admin/login/")] == []
    sam = User.objects.create_user("sam", is_staff=True)
    client.force_login(sam)
    answers = {name: client.get(address, follow=True).status_code for name, address in shut.items()}
    assert [name for name, code in answers.items() if code not in {403, 404, 405}] == []
    assert acts(sam) == set()


@pytest.mark.threat("L5")
def test_desk_leads_to_public_pages_of_rows_that_one_may_see_and_to_nobodys_own(client: Client) -> None:
    """The addresses of a present, of a link to pay and of thanks are keys: who holds one is taken for its owner."""

    def led_to(row: Model, *, kind: object = None) -> int:
        of = kind or ContentType.objects.get_for_model(row).pk
        return client.get(reverse("admin:view_on_site", args=[of, row.pk])).status_code

    rows: list[Model] = [model.objects.get() for model in (Species, Campaign, Gift, PaymentLink)]
    rows.append(Adoption.objects.get(is_gift=True))
    client.force_login(User.objects.create_user("sam", is_staff=True))
    assert [led_to(row) for row in rows] == [404] * 5
    client.force_login(member("Fundraiser"))
    assert [led_to(row) for row in rows] == [302, 302, 404, 404, 404]
    assert {
        led_to(rows[2], kind=kind) for kind in (f" {ContentType.objects.get_for_model(Gift).pk}", "x", "9" * 5000)
    } == {404}


def test_roles_come_back_in_line_and_a_persons_own_rights_stay() -> None:
    marek = member("Moderator")
    marek.user_permissions.add(Permission.objects.get(codename="view_fact"))
    Group.objects.get(name="Moderator").permissions.set(Permission.objects.filter(codename="delete_user"))
    roles.load()
    marek = User.objects.get(pk=marek.pk)
    assert not marek.has_perm("auth.delete_user")
    assert marek.has_perm("species.change_comment")
    assert marek.has_perm("species.view_fact")


def test_permission_that_does_not_exist_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(roles.ROLES, "Moderator", ("species.fly_comment",))
    with pytest.raises(LookupError, match=r"species\.fly_comment"):
        roles.load()
    assert Group.objects.get(name="Moderator").permissions.count() == 3


@pytest.mark.parametrize("role", STAFF)
def test_no_role_is_shown_a_link_that_turns_it_away(
    client: Client, role: str, there: Adoption, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the pages of a row, in its line of the list and on reports: each link beneath the breadcrumbs is followed."""
    client.force_login(member(role))
    pages: dict[str, str] = {}
    for name, columns in TABLE.items():
        app, _, model_name = name.partition(".")
        row = apps.get_model(name)._default_manager.order_by("-pk").first()
        if "v" not in columns[role] or row is None or name == "config.mailwords":
            continue
        page = client.get(reverse(f"admin:{app}_{model_name}_change", args=[row.pk])).text.partition('id="content"')[2]
        page += client.get(reverse(f"admin:{app}_{model_name}_changelist"), follow=True).text.partition("<tbody")[2]
        pages[name] = page
    if role in OWN["enter_adoption"]:
        page = client.get(reverse("admin:adoptions_adoption_change", args=[PaymentLink.objects.get().adoption_id])).text
        assert "The payment link" in page
        assert "/admin/auth/user/" not in page
    also = {"supporter_timeline": [there.supporter_id], "reports": [], "adoptions_campaign_report": []}
    for name, arguments in also.items():
        pages[name] = client.get(reverse(f"admin:{name}", args=arguments)).text.partition('id="content"')[2]
    # Of links to rows of one kind, the last: what may be opened does not hang on the number.
    links = {
        re.sub(r"\d+(?=\D*$)", "", link): (name, html.unescape(link))
        for name, page in pages.items()
        for link in re.findall(r'<a [^>]*href="(/admin/[^"]+)"', page)
    }
    # Whom a page turns away is settled before it is drawn, which takes most of the time.
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    answers = {led: client.get(led[1], follow=True).status_code for led in links.values()}
    wrong = [(*led, got) for led, got in answers.items() if got == 403 or (got == 404 and led[0] in also)]
    assert wrong == []
