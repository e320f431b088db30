"""What staff see, take out and change leaves a line that nobody can alter."""

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from adoptions.models import Campaign
from config.models import Act, AuditEntry, Mail
from tests.config.test_second_step import code_of, set_up
from tests.makers import make_active_adoption, make_species, make_supporter

pytestmark = pytest.mark.django_db

PASSWORD = "a pass phrase of staff"


@pytest.fixture
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", PASSWORD)


@pytest.fixture
def desk(client: Client, marek: User) -> Client:
    client.force_login(marek)
    return client


def lines() -> list[tuple[str, str, list[str], str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("act", "what", "rows", "how"))


def test_look_at_a_person_names_the_row_and_not_the_person(desk: Client, marek: User) -> None:
    amara = make_supporter()
    desk.get(reverse("admin:adoptions_supporter_change", args=[amara.pk]))
    desk.get(reverse("admin:supporter_timeline", args=[amara.pk]))
    assert lines() == [("looked", "adoptions.supporter", [str(amara.pk)], "")] * 2
    assert set(AuditEntry.objects.values_list("by", "network")) == {(marek.pk, "127.0.0.0/24")}


def test_list_keeps_who_stood_in_it_and_not_what_was_searched_for(desk: Client) -> None:
    amara = make_supporter()
    make_supporter("Chloe", "chloe@example.org")
    desk.get(reverse("admin:adoptions_supporter_changelist"), {"q": "amara@example.org"})
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.rows) == (Act.LISTED, [str(amara.pk)])
    assert "amara" not in f"{entry.path}{entry.how}"


def test_payment_is_named_where_the_page_is_about_one(desk: Client) -> None:
    payment = make_active_adoption().payments.get()
    desk.get(reverse("admin:refund", args=[payment.pk]))
    assert lines() == [("looked", "adoptions.payment", [str(payment.pk)], "")]


def test_change_keeps_its_fields_and_the_row_it_made(desk: Client) -> None:
    make_species()
    values = {"code": "spring-27", "name": "Spring", "destination": "adopt", "starts_at_0": "2026-11-01"}
    values |= {"starts_at_1": "08:00", "cost_pence": "0", "species": str(make_species().pk)}
    desk.post(reverse("admin:adoptions_campaign_add"), values)
    made = Campaign.objects.get()
    assert lines() == [("changed", "adoptions.campaign", [str(made.pk)], "Added.")]


def test_form_that_is_not_taken_is_no_change(desk: Client) -> None:
    amara = make_supporter()
    desk.post(reverse("admin:adoptions_supporter_change", args=[amara.pk]), {"name": "", "email": "nonsense"})
    assert [act for act, *_ in lines()] == ["looked"]


def test_action_keeps_its_name_and_the_rows_that_were_ticked(desk: Client) -> None:
    mail = Mail.objects.create(key="k", kind="receipt", to="a@example.org", message_id="<1>", state="failed")
    desk.post(reverse("admin:config_mail_changelist"), {"action": "send_again", "_selected_action": [mail.pk]})
    assert lines() == [("changed", "config.mail", [str(mail.pk)], "send_again")]


def test_file_that_is_taken_out_is_kept_as_such(desk: Client) -> None:
    desk.get(reverse("admin:adoptions_campaign_csv"))
    assert lines() == [("exported", "adoptions.campaign", [], "")]


def test_page_that_is_refused_is_kept_too(client: Client) -> None:
    amara = make_supporter()
    client.force_login(User.objects.create_user("priya", is_staff=True))
    client.get(reverse("admin:adoptions_supporter_change", args=[amara.pk]))
    assert lines() == [("refused", "adoptions.supporter", [str(amara.pk)], "")]


def test_signing_in_and_out_and_guessing(client: Client, marek: User) -> None:
    for name, password in (("nobody-we-know", "x"), ("MAREK", "a guess"), ("marek", PASSWORD)):
        client.post("/admin/login/", {"username": name, "password": password})
    client.post("/admin/logout/")
    found = list(AuditEntry.objects.order_by("pk").values_list("act", "by__username"))
    assert found == [
        ("not_signed_in", None),
        ("not_signed_in", "marek"),
        ("signed_in", "marek"),
        ("signed_out", "marek"),
    ]


def test_guesses_of_a_stolen_session_are_not_written_down_as_the_sign_ins_of_its_owner(client: Client) -> None:
    """It is signed in already, whatever is guessed with it."""
    marek = User.objects.create_superuser("marek", "marek@example.org", PASSWORD)
    client.force_login(marek)
    device = set_up(client)[0]
    TOTPDevice.objects.update(last_t=-1)  # half a minute later
    client.post("/admin/login/", {"username": "marek", "password": "a guess"})
    client.post("/admin/second-step/", {"code": "000000"})
    client.post("/admin/still-you/", {"shows": "1", "code": "000000"})
    client.post("/admin/still-you/", {})
    client.post("/admin/still-you/", {"shows": "1", "code": code_of(device)})
    assert [(act, how) for act, _, _, how in lines() if act != "looked"] == [
        ("changed", "second step"),
        ("not_signed_in", ""),
        ("not_signed_in", "code"),
        ("not_signed_in", "once more"),
        ("not_signed_in", "once more"),
        ("signed_in", "once more"),
    ]
    assert AuditEntry.objects.get(how="second step").rows == [str(marek.pk)]


def test_stranger_leaves_no_line(client: Client) -> None:
    client.get(reverse("admin:adoptions_supporter_changelist"))
    client.get("/admin/login/")
    client.get("/species/")
    assert lines() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE config_auditentry SET how = 'nothing'",
        "DELETE FROM config_auditentry",
        "TRUNCATE config_auditentry",
    ],
)
def test_database_refuses_to_alter_a_line(desk: Client, statement: str) -> None:
    desk.get(reverse("admin:adoptions_supporter_changelist"))
    before = lines()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert lines() == before != []


def test_auditor_finds_who_looked_at_one_supporter(desk: Client) -> None:
    amara, chloe = make_supporter(), make_supporter("Chloe", "chloe@example.org")
    adoption = make_active_adoption(supporter=chloe)
    desk.get(reverse("admin:adoptions_supporter_change", args=[amara.pk]))
    desk.get(reverse("admin:adoptions_adoption_change", args=[adoption.pk]))
    log = reverse("admin:config_auditentry_changelist")
    for words, count in ((f"supporter {amara.pk}", 1), ("mar", 2), ("nobody", 0), (f"campaign {amara.pk}", 0)):
        found = desk.get(log, {"q": words}).context["cl"].queryset.filter(what__startswith="adoptions")
        assert found.count() == count, words
    timeline = reverse("admin:supporter_timeline", args=[chloe.pk])
    assert ">Looked at them</a>" in desk.get(timeline).text
    assert "Looked at them, 2 times that day" in desk.get(timeline).text
