"""Complaints: taken in by a form, acknowledged at once, answered once, forgotten in time."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from adoptions import complaints, personal_data, timeline
from adoptions.models import Complaint, ComplaintOutcome
from adoptions.today import matters
from config import retention
from config.models import Mail
from tests.adoptions.test_races import at_once
from tests.adoptions.visitors import signed_in
from tests.makers import make_supporter, put_roles

pytestmark = pytest.mark.django_db

TYPED = {
    "about": "data",
    "name": "Sam Stranger",
    "email": "sam@example.org",
    "words": "You wrote to my old address.\n\nPlease stop.",
}
SORRY = {"outcome": "upheld", "answer": "We are sorry.\n\nThe address is gone."}
DAY = timedelta(days=1)


@pytest.fixture
def fiona() -> User:
    put_roles()
    user = User.objects.create_user("fiona", "fiona@example.org", is_staff=True)
    user.groups.add(Group.objects.get(name="Fundraiser"))
    return user


@pytest.fixture
def desk(fiona: User) -> Client:
    client = Client()
    client.force_login(fiona)
    return client


def make_complaint(**values: Any) -> Complaint:
    """Acknowledged, unless told otherwise; `received_at` in the past makes it old."""
    values = {**TYPED, "acknowledged_at": values.get("received_at", timezone.now()), **values}
    complaint = Complaint.objects.create(**values)
    complaint.refresh_from_db()
    return complaint


def press(desk: Client, complaint: Complaint, step: str = "send", **typed: str) -> Any:
    return desk.post(f"/admin/adoptions/complaint/{complaint.pk}/answer/", {**SORRY, **typed, "step": step})


# --- the form ------------------------------------------------------------------------------------------------------


def test_complaint_is_kept_and_acknowledged_at_once(client: Client) -> None:
    response = client.post("/complaints/", TYPED)
    assert (response.status_code, response.headers["Location"]) == (303, "/complaints/received/")
    complaint, mail = Complaint.objects.get(), Mail.objects.get(kind="complaint_received")
    assert {name: getattr(complaint, name) for name in TYPED} == TYPED
    assert complaint.acknowledged_at is not None
    assert complaint.days_left == 30
    assert (mail.kind, mail.to) == ("complaint_received", "sam@example.org")
    assert mail.subject == f"We have your complaint ({complaint.reference})"
    due = f"{complaint.due_on.day} {complaint.due_on:%B %Y}"
    for part in (mail.text, mail.html):
        assert due in part
        assert complaint.reference in part
        assert "https://ico.org.uk/make-a-complaint/" in part
        assert "old address" not in part  # whoever typed this address wrote to nobody through us


def test_complaint_about_something_else_is_not_sent_to_the_commissioner(client: Client) -> None:
    client.post("/complaints/", {**TYPED, "about": "other"})
    assert "ico.org.uk" not in Mail.objects.get(kind="complaint_received").text


def test_page_is_read_without_a_cookie_and_a_second_press_adds_nothing(client: Client) -> None:
    assert [client.get("/complaints/").status_code, client.head("/complaints/").status_code] == [200, 200]
    assert [client.post("/complaints/", TYPED).status_code for _ in range(2)] == [303, 303]
    kinds = sorted(Mail.objects.values_list("kind", flat=True))
    assert (Complaint.objects.count(), kinds) == (1, ["complaint_arrived", "complaint_received"])
    assert client.get("/complaints/received/").status_code == 200
    assert not client.cookies


def test_what_is_missing_is_said_and_what_was_typed_is_given_back(client: Client) -> None:
    response = client.post("/complaints/", {**TYPED, "name": "", "email": "sam@", "about": "other"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: Complaints" in page
    assert '<a href="#id_name">Enter your name.</a>' in page
    assert 'href="#id_email"' in page
    assert "You wrote to my old address.\n\nPlease stop." in page
    assert 'value="sam@"' in page
    assert page.count("checked") == 1
    assert not Complaint.objects.exists()


def test_form_on_somebody_elses_page_is_refused() -> None:
    response = Client().post("/complaints/", TYPED, headers={"Sec-Fetch-Site": "cross-site"})
    assert (response.status_code, Complaint.objects.count()) == (403, 0)


def test_flood_is_told_to_wait_and_loses_nothing(client: Client) -> None:
    answers = [client.post("/complaints/", {**TYPED, "words": f"Number {n}"}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [303, 303, 303, 429]
    assert "Number 3" in answers[-1].content.decode()
    assert Complaint.objects.count() == 3


def test_robot_gets_no_mail_sent_until_staff_say_it_is_a_person(client: Client, desk: Client) -> None:
    assert client.post("/complaints/", {**TYPED, "homepage": "https://spam.example"}).status_code == 303
    complaint = Complaint.objects.get()
    assert (complaint.acknowledged_at, Mail.objects.count()) == (None, 0)
    assert [press(desk, complaint, "acknowledge").status_code for _ in range(2)] == [303, 303]
    complaint.refresh_from_db()
    assert complaint.acknowledged_at is not None
    assert [mail.kind for mail in Mail.objects.all()] == ["complaint_received"]


# --- the answer ----------------------------------------------------------------------------------------------------


def test_answer_is_shown_first_then_sent_with_one_press(desk: Client, fiona: User) -> None:
    complaint = make_complaint()
    page = press(desk, complaint, "check").content.decode()
    assert "Send the answer and close" in page
    assert "We are sorry." in page
    assert not Mail.objects.exists()
    assert press(desk, complaint).status_code == 303
    complaint.refresh_from_db()
    mail = Mail.objects.get()
    assert (complaint.outcome, complaint.answer, complaint.closed_by) == ("upheld", SORRY["answer"], fiona)
    assert (mail.kind, mail.to) == ("complaint_answered", "sam@example.org")
    assert "We were wrong.\n\nWe are sorry.\n\nThe address is gone." in mail.text
    assert "We are sorry.<br><br>The address is gone." in mail.html
    assert "https://ico.org.uk/make-a-complaint/" in mail.text


def test_second_answer_changes_and_sends_nothing(desk: Client) -> None:
    complaint = make_complaint()
    press(desk, complaint)
    response = press(desk, complaint, outcome="not_upheld", answer="No.")
    assert response.status_code == 303
    assert "already answered" in desk.get(response.headers["Location"]).content.decode()
    complaint.refresh_from_db()
    assert (complaint.outcome, Mail.objects.count()) == ("upheld", 1)


def test_answer_without_words_is_asked_for_them(desk: Client) -> None:
    complaint = make_complaint()
    response = press(desk, complaint, answer="")
    assert (response.status_code, b"they are owed what you found" in response.content) == (422, True)
    assert complaint in Complaint.objects.open()


def test_what_is_no_complaint_is_closed_without_a_mail(desk: Client) -> None:
    complaint = make_complaint(acknowledged_at=None)
    press(desk, complaint, outcome="no_complaint", answer="")
    complaint.refresh_from_db()
    assert (complaint.outcome, complaint.acknowledged_at, Mail.objects.count()) == ("no_complaint", None, 0)


def test_answer_acknowledges_what_nobody_had(fiona: User) -> None:
    complaint = make_complaint(acknowledged_at=None)
    assert complaints.answer(complaint, outcome=ComplaintOutcome.PARTLY, words="In part.", by=fiona)
    complaint.refresh_from_db()
    assert complaint.acknowledged_at == complaint.closed_at


@pytest.mark.django_db(transaction=True)
def test_answers_at_the_same_moment_close_once_and_send_one_mail() -> None:
    fiona = User.objects.create_user("fiona", is_staff=True)
    complaint = make_complaint()
    done: list[bool] = []

    def answer() -> None:
        done.append(complaints.answer(complaint, outcome=ComplaintOutcome.UPHELD, words="Sorry.", by=fiona))

    assert at_once(answer) == []
    assert sorted(done) == [False] * 7 + [True]
    assert Mail.objects.filter(kind="complaint_answered").count() == 1


# --- the database --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"words": "It was nothing."}, "facts_stay"),
        ({"received_at": timezone.now() + DAY}, "facts_stay"),
        ({"closed_at": timezone.now()}, "complaint_closed_says_how_and_by_whom"),
        ({"outcome": "upheld"}, "complaint_closed_says_how_and_by_whom"),
    ],
    ids=["words", "received", "closed-by-nobody", "outcome-while-open"],
)
def test_database_refuses_what_cannot_be(changes: dict[str, Any], rule: str) -> None:
    complaint = make_complaint()
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        Complaint.objects.filter(pk=complaint.pk).update(**changes)
    assert rule in str(refusal.value) or "Cannot update" in str(refusal.value)


def test_answer_is_final_and_no_row_is_deleted(fiona: User) -> None:
    complaint = make_complaint()
    complaints.answer(complaint, outcome=ComplaintOutcome.UPHELD, words="Sorry.", by=fiona)
    this = Complaint.objects.filter(pk=complaint.pk)
    for act in (lambda: this.update(answer="No."), lambda: this.update(closed_at=None), this.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_same_words_again_while_they_wait_are_refused_and_afterwards_taken(fiona: User) -> None:
    complaint = make_complaint()
    with pytest.raises(IntegrityError, match="complaint_said_once"), transaction.atomic():
        make_complaint()
    complaints.answer(complaint, outcome=ComplaintOutcome.UPHELD, words="Sorry.", by=fiona)
    assert complaints.receive(about="data", name="Sam", email=TYPED["email"], words=TYPED["words"])


# --- the list, and Today -------------------------------------------------------------------------------------------


def waiting(user: User) -> tuple[int, bool, str]:
    matter = next(each for each in matters(user) if each.label == "complaints to answer")
    return matter.count, matter.is_urgent, matter.note


def test_list_shows_what_is_due_first_with_the_days_left(desk: Client, fiona: User) -> None:
    new = make_complaint(words="New")
    old = make_complaint(words="Old", received_at=timezone.now() - 31 * DAY)
    over = make_complaint(words="Over", received_at=timezone.now() - 40 * DAY)
    complaints.answer(over, outcome=ComplaintOutcome.UPHELD, words="Sorry.", by=fiona)
    page = desk.get("/admin/adoptions/complaint/").content.decode()
    assert page.index(old.reference) < page.index(new.reference) < page.index(over.reference)
    assert "overdue by 1" in page
    assert f"30 (until {new.due_on:%d/%m/%Y})" in page
    late = desk.get("/admin/adoptions/complaint/?state=late").content.decode()
    assert (old.reference in late, new.reference in late) == (True, False)
    for typed in (new.reference, new.reference.removeprefix("CP-").lower(), "SAM@example.org"):
        assert new.reference in desk.get("/admin/adoptions/complaint/", {"q": typed}).content.decode()


def test_list_asks_as_much_for_three_as_for_one(desk: Client) -> None:
    asked = []
    for number in range(3):
        make_complaint(words=f"Number {number}")
        with CaptureQueriesContext(connection) as queries:
            desk.get("/admin/adoptions/complaint/")
        asked.append(len(queries))
    assert asked[0] == asked[2]


def test_page_of_a_complaint_says_whether_the_mails_got_through(client: Client, desk: Client) -> None:
    client.post("/complaints/", TYPED)
    page = desk.get(f"/admin/adoptions/complaint/{Complaint.objects.get().pk}/change/").content.decode()
    assert "We have your complaint" in page
    assert "Acknowledge or answer it" in page


def test_today_counts_what_waits_and_is_bad_news_from_the_22nd_day(fiona: User) -> None:
    assert waiting(fiona) == (0, False, "")
    make_complaint(words="New", received_at=timezone.now() - 20 * DAY)
    assert waiting(fiona) == (1, False, "the first is due in 10 days")
    make_complaint(words="Old", received_at=timezone.now() - 22 * DAY)
    assert waiting(fiona) == (2, True, "the first is due in 8 days")
    make_complaint(words="Too old", received_at=timezone.now() - 33 * DAY)
    assert waiting(fiona) == (3, True, "the first is 3 days overdue")


# --- of one person, and in time ------------------------------------------------------------------------------------


def test_supporter_takes_their_complaints_along_and_erases_those_that_are_answered(fiona: User) -> None:
    amara = make_supporter()
    answered = make_complaint(name="Amara", email="Amara@example.org")
    complaints.answer(answered, outcome=ComplaintOutcome.UPHELD, words="Sorry.", by=fiona)
    still_open = make_complaint(name="Amara", email="amara@example.org", words="And now?")
    make_complaint()
    exported = personal_data.export(amara)["complaints"]
    assert [(each["reference"], each["answer"]) for each in exported] == [
        (answered.reference, "Sorry."),
        (still_open.reference, ""),
    ]
    assert "1 complaint that we still have to answer" in signed_in(amara).get("/my-adoption/erase/").content.decode()
    assert personal_data.erase(amara)
    rows = Complaint.objects.order_by("pk").values_list("name", "email", "words", "answer", "outcome")
    assert list(rows) == [
        ("", "", "", "", "upheld"),
        ("Amara", "amara@example.org", "And now?", "", ""),
        ("Sam Stranger", "sam@example.org", TYPED["words"], "", ""),
    ]


def test_complaint_goes_six_years_after_its_answer_and_never_before_it(fiona: User) -> None:
    complaint = make_complaint()
    make_complaint(words="Still open")
    complaints.answer(complaint, outcome=ComplaintOutcome.UPHELD, words="Sorry.", by=fiona)
    now = timezone.now()
    retention.purge(now=now + 6 * 365 * DAY)
    assert Complaint.objects.count() == 2
    retention.purge(now=now + (6 * 366 + 1) * DAY)
    assert [each.words for each in Complaint.objects.all()] == ["Still open"]


def test_pages_say_how_long_and_that_there_is_a_form(client: Client) -> None:
    page = client.get("/privacy/").content.decode()
    assert '<a href="/complaints/">form for complaints</a>' in page
    assert "6 years after we answered it" in page


# --- by phone and by post ------------------------------------------------------------------------------------------

ENTER = "/admin/adoptions/complaint/enter/"


def said(**changes: str) -> dict[str, str]:
    day = str(timezone.localdate() - 9 * DAY)
    return {**TYPED, "source": "paper", "received_on": day, **changes}


def test_complaint_by_post_counts_from_its_day_and_is_acknowledged_where_there_is_an_address(
    desk: Client, fiona: User
) -> None:
    response = desk.post(ENTER, said())
    complaint = Complaint.objects.get()
    assert response.headers["Location"] == f"/admin/adoptions/complaint/{complaint.pk}/change/"
    assert (complaint.source, complaint.entered_by, complaint.days_left) == ("paper", fiona, 21)
    mail = Mail.objects.get()
    assert (mail.kind, mail.to) == ("complaint_received", "sam@example.org")
    for part in (mail.text, mail.html):
        assert "we wrote down a complaint of yours" in part
    again = desk.post(ENTER, said())
    assert (again.status_code, "The same was written down before" in again.text) == (422, True)
    assert Complaint.objects.count() == 1


def test_complaint_without_an_address_is_acknowledged_and_answered_on_paper(desk: Client) -> None:
    desk.post(ENTER, said(source="phone", email=""))
    complaint = Complaint.objects.get()
    assert (complaint.acknowledged_at, complaints.export("")) == (None, [])
    assert "I have posted it" in desk.get(f"/admin/adoptions/complaint/{complaint.pk}/answer/").text
    press(desk, complaint, "acknowledge")
    complaint.refresh_from_db()
    assert complaint.acknowledged_at
    assert "print these words and post them" in press(desk, complaint, "check").text
    press(desk, complaint)
    complaint.refresh_from_db()
    assert (complaint.outcome, Mail.objects.count()) == ("upheld", 0)


@pytest.mark.parametrize("typed", [{"received_on": "2999-01-01"}, {"words": ""}, {"source": "web"}, {"email": "sam@"}])
def test_what_is_wrong_with_a_complaint_by_phone_is_said_and_nothing_is_kept(
    desk: Client, typed: dict[str, str]
) -> None:
    assert desk.post(ENTER, said(**typed)).status_code == 422
    assert not Complaint.objects.exists()


@pytest.mark.parametrize("values", [{"source": "phone"}, {"email": ""}])
def test_database_wants_to_know_who_typed_and_where_to_answer(values: dict[str, str]) -> None:
    with pytest.raises(IntegrityError, match="complaint_"):
        make_complaint(**values)


def test_staff_are_told_once_that_one_came_and_not_what_it_says(client: Client) -> None:
    for _ in range(2):
        client.post("/complaints/", TYPED)
    told = Mail.objects.get(kind="complaint_arrived")
    assert "old address" not in told.text + told.html
    assert f"/admin/adoptions/complaint/{Complaint.objects.get().pk}/change/" in told.text
    client.post("/complaints/", {**TYPED, "words": "Buy now", "homepage": "x"})
    assert Mail.objects.filter(kind="complaint_arrived").count() == 1


def test_complaint_stands_in_the_timeline_of_who_complained(desk: Client, fiona: User) -> None:
    supporter = make_supporter("Sam Stranger", "sam@example.org")
    desk.post(ENTER, said())
    press(desk, Complaint.objects.get())
    words = [moment.words for moment in timeline.of(supporter, fiona) if moment.kind == "Complaint"]
    reference = Complaint.objects.get().reference
    assert words == [
        f"Answered: {reference}. We were wrong.",
        f"Acknowledged: {reference}.",
        f"Complaint {reference} on paper: personal details.",
    ]
