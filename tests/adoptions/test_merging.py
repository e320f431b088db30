"""One person twice in our books: suggested, looked at, joined, and parted again as if nothing had been."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from adoptions import care, checkout, consent, details, fulfilment, gift_aid, likeness, merging, personal_data, timeline
from adoptions.gift_aid import Taxpayer
from adoptions.merging import CannotMerge, Choice
from adoptions.models import (
    Adoption,
    ConsentEvent,
    FormerAddress,
    Gift,
    GiftAidDeclaration,
    Likeness,
    Merge,
    Note,
    Supporter,
    Suppression,
)
from adoptions.models.supporters import no_email
from config.models import AuditEntry, Mail
from config.retention import purge
from species.models import Comment
from tests.adoptions.test_by_hand import staff_of
from tests.adoptions.test_races import at_once, pause
from tests.adoptions.world import World, shown
from tests.asked_first import press_twice
from tests.makers import make_active_adoption, make_supporter
from tests.test_get_is_safe import everything

pytestmark = pytest.mark.django_db

HOME = Taxpayer("Zoe", "Obrien", "7 Forest Lane", "EX1 1EX")


@pytest.fixture
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", "x")


def zoe(email: str = "zoe@example.org", name: str = "Zoë O’Brien") -> Supporter:
    supporter = make_supporter(name, email)
    make_active_adoption(supporter=supporter)
    return supporter


def full_life(supporter: Supporter) -> None:
    """One of everything that hangs on somebody."""
    adoption = Adoption.objects.filter(supporter=supporter).latest("pk")
    gift_aid.declare(supporter, HOME, adoption=adoption)
    GiftAidDeclaration.objects.filter(supporter=supporter).cancel(because="Moved away.")
    gift_aid.declare(supporter, HOME)
    consent.grant(supporter, page="/adopt/amur-leopard/")
    FormerAddress.objects.create(
        supporter=supporter, email=f"old-{supporter.email}", since=supporter.created_at, until=timezone.now()
    )
    Gift.objects.create(adoption=adoption, recipient_name="Ellie")
    Adoption.objects.filter(pk=adoption.pk).update(is_gift=True)
    Mail.objects.create(
        key=f"k:{supporter.pk}", kind="receipt", to=supporter.email, subject="Hi", message_id=f"<{supporter.pk}>"
    )
    Comment.objects.create(species=adoption.species, name="Zoe", email=supporter.email, body="They purr.")
    marek = User.objects.get_or_create(username="marek")[0]
    Note.objects.create(request=uuid.uuid4(), supporter=supporter, words="Rings on Mondays.", by=marek)


def stay(supporter: Supporter) -> Choice:
    return Choice(supporter.name, supporter.email)


def of_people() -> dict[str, tuple[int, str]]:
    """All tables that a merge may touch, but for what remembers it and what tells of it."""
    return {
        table: said
        for table, said in everything().items()
        if not table.startswith(("config_mail", "django_tasks", "adoptions_merge", "adoptions_likeness"))
    }


# --- joining and parting ----------------------------------------------------------------------------------------------


def test_all_that_hangs_on_one_hangs_on_the_other_and_undone_all_is_as_it_was(marek: User) -> None:
    first, second = zoe(), zoe("z.obrien@example.net", "Zoe Obrien")
    for each in (first, second):
        full_life(each)
    before = of_people()
    merge = merging.merge(second.pk, first.pk, Choice("Zoe Obrien", "zoe@example.org"), by=marek)
    first.refresh_from_db()
    assert (merge.survivor, first.name, first.email) == (first, "Zoe Obrien", "zoe@example.org")
    for rows, number in (
        (Adoption.objects, 2),
        (GiftAidDeclaration.objects, 4),
        (ConsentEvent.objects, 2),
        (FormerAddress.objects, 3),
        (Note.objects, 2),
    ):
        assert rows.filter(supporter=first).count() == number
    said = " ".join(moment.words for moment in timeline.of(first, marek))
    assert said.count("They purr.") == 2
    assert said.count("“Hi”") == 2
    assert said.count("Present for Ellie") == 2
    assert len(personal_data.export(first)["comments"]) == 2
    [found] = care.find("z.obrien@example.net", marek)
    assert (found.supporter, found.because) == (first, ["former email"])
    merging.undo(merge.pk, by=marek)
    assert of_people() == before
    assert Likeness.objects.get().refused_by == marek


def test_other_address_can_stay_and_comes_back(marek: User) -> None:
    first, second = zoe(), zoe("new@example.org")
    merge = merging.merge(first.pk, second.pk, stay(second), by=marek)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.email, second.email, second.name) == ("new@example.org", f"erased-{second.pk}@erased.invalid", "")
    assert set(details.addresses_of(first)) == {"new@example.org", "zoe@example.org"}
    merging.undo(merge.pk, by=marek)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.email, second.email, second.name) == ("zoe@example.org", "new@example.org", "Zoë O’Brien")


def test_both_are_told_and_neither_learns_anything_of_the_other(marek: User) -> None:
    first, second = zoe(), zoe("new@example.org", "Sam Stranger")
    merging.merge(first.pk, second.pk, stay(first), by=marek)
    kept, gone = Mail.objects.filter(kind="records_joined").order_by("-to")
    assert (kept.to, gone.to) == ("zoe@example.org", "new@example.org")
    assert "Zoë O’Brien" in kept.text
    assert "goes on coming to this address" in kept.text
    assert "Sam Stranger" in gone.text
    assert "no longer to this one" in gone.text
    assert "within 30 days" in gone.text
    for mail, strangers in ((kept, ("new@", "Sam Stranger")), (gone, ("zoe@", "Zoë"))):
        said = mail.subject + mail.text + mail.html
        assert [words for words in strangers if words in said] == []
    assert not Mail.objects.filter(kind="details_changed").exists()


def test_undoing_says_no_email_where_there_is_none(marek: User) -> None:
    first, second = zoe(), make_supporter("Zoe Obrien", no_email())
    said = merging.effects_of_undoing(merging.merge(first.pk, second.pk, stay(first), by=marek))
    assert said[0] == f"Number {second.pk} is a supporter again: Zoe Obrien, no email."
    assert said[2].startswith(f"Number {first.pk} is Zoë O’Brien <zoe@example.org> again")


def test_what_came_since_stays_with_who_stayed(marek: User) -> None:
    first, second = zoe(), zoe("new@example.org")
    merge = merging.merge(first.pk, second.pk, stay(first), by=marek)
    later = make_active_adoption(supporter=first, amount_pence=700)
    details.change_name(Supporter.objects.get(pk=first.pk), "Zoë Lukasiewicz")
    merging.undo(merge.pk, by=marek)
    later.refresh_from_db()
    first.refresh_from_db()
    assert (later.supporter, first.name) == (first, "Zoë Lukasiewicz")
    assert Adoption.objects.filter(supporter=second).count() == 1


@pytest.mark.parametrize("why", ["late", "twice", "merged again", "erased", "address taken"])
def test_what_cannot_be_undone_says_why_and_stays(marek: User, why: str) -> None:
    first, second, third = zoe(), zoe("new@example.org"), zoe("third@example.org")
    merge = merging.merge(second.pk, third.pk, stay(second), by=marek)
    if why == "late":
        later = timezone.now() + timedelta(days=31)
        purge(now=later)
        assert Merge.objects.get().memory is None
    elif why == "twice":
        merging.undo(merge.pk, by=marek)
    elif why == "merged again":
        merging.merge(first.pk, second.pk, stay(first), by=marek)
    elif why == "erased":
        assert personal_data.erase(Supporter.objects.get(pk=second.pk))
        assert Merge.objects.get().memory is None
    else:
        make_supporter("Zoe", "third@example.org")
    before = of_people()
    with pytest.raises(CannotMerge):
        merging.undo(merge.pk, by=marek)
    assert of_people() == before


def test_somebody_without_email_gets_the_one_there_is(marek: User) -> None:
    first, second = zoe(no_email()), zoe("new@example.org")
    merge = merging.merge(first.pk, second.pk, stay(second), by=marek)
    first.refresh_from_db()
    assert first.email == "new@example.org"
    assert not FormerAddress.objects.exists()
    merging.undo(merge.pk, by=marek)
    first.refresh_from_db()
    assert not first.has_email


def test_name_that_changed_in_the_meantime_is_looked_at_again(marek: User) -> None:
    first, second = zoe(), zoe("new@example.org")
    with pytest.raises(CannotMerge, match="Look at both again"):
        merging.merge(first.pk, second.pk, Choice("Somebody Else", first.email), by=marek)
    with pytest.raises(CannotMerge):
        merging.merge(first.pk, first.pk, stay(first), by=marek)


# --- wishes about news ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_who_stays", "of_other", "is_sent"),
    [
        ("yes", "yes", True),
        ("yes", "nothing", True),
        ("yes", "no", False),
        ("yes", "barred", False),
        ("no", "yes", False),
        ("barred", "yes", False),
        ("nothing", "yes", False),
        ("nothing", "nothing", False),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_only_a_yes_for_the_address_that_stays_counts_and_a_no_of_either_is_a_no(
    marek: User, of_who_stays: str, of_other: str, is_sent: bool, is_first: bool
) -> None:
    pair = [zoe(), zoe("new@example.org")]
    stays, other = pair if is_first else pair[::-1]
    for supporter, wish in ((stays, of_who_stays), (other, of_other)):
        if wish != "nothing":
            consent.grant(supporter, page="/")
        if wish == "no":
            consent.refuse(supporter, page="/")
        if wish == "barred":
            consent.unsubscribe(consent.address_hash(supporter.email))
    before = of_people()
    merge = merging.merge(stays.pk, other.pk, stay(stays), by=marek)
    survivor = Supporter.objects.get(pk=merge.survivor_id)
    assert consent.may_send_news(survivor) == is_sent
    assert consent.is_suppressed(consent.address_hash(survivor.email)) == ("barred" in (of_who_stays, of_other))
    merging.undo(merge.pk, by=marek)
    assert of_people() == before


def test_bar_that_the_person_asked_for_since_stays_when_undone(marek: User) -> None:
    stays, other = zoe(), zoe("new@example.org")
    consent.unsubscribe(consent.address_hash(other.email))
    merge = merging.merge(stays.pk, other.pk, stay(stays), by=marek)
    ConsentEvent.objects.create(
        supporter=stays,
        address_hash=consent.address_hash(stays.email),
        state="withdrawn",
        page="/unsubscribe/-/",
        at=timezone.now() + timedelta(seconds=1),
    )
    merging.undo(merge.pk, by=marek)
    assert Suppression.objects.filter(address_hash=consent.address_hash(stays.email)).exists()


# --- suggestions ------------------------------------------------------------------------------------------------------


def reasons(one: Supporter, other: Supporter) -> set[str]:
    return likeness.alike(one).get(other.pk, set())


def test_same_person_is_suggested_by_each_thing_they_may_be_known_by() -> None:
    amara, typo = zoe("amara.obi@example.org", "Amara Obi"), zoe("amara.obj@example.org", "amára OBI")
    assert reasons(amara, typo) == {"same name, addresses alike"}
    on_paper = zoe(no_email(), "Obi Amara")
    assert reasons(on_paper, amara) == {"same name, one without email"}
    other_end = zoe("amara.obi@example.net", "Amara Obie")
    assert reasons(other_end, amara) == {"name alike, same address but for its end"}
    one, two = zoe("one@example.org", "Catherine Lukasiewicz"), zoe("two@example.com", "Katherine Lukasiewicz")
    assert reasons(one, two) == set()
    for each in (one, two):
        gift_aid.declare(each, HOME)
    assert reasons(one, two) == {"name alike, same postcode"}
    had = zoe("brand-new@example.org", "Sam Stranger")
    FormerAddress.objects.create(supporter=had, email="TWO@example.com", since=had.created_at, until=timezone.now())
    assert reasons(two, had) == {"had the address before"}
    assert reasons(had, two) == {"has an address of theirs"}
    for each, email in ((one, "ellie@example.org"), (two, "Ellie@example.org")):
        adoption = each.adoptions.get()
        Gift.objects.create(
            adoption=adoption, recipient_name="E", recipient_email=email, delivery="email", deliver_on=timezone.now()
        )
    assert "name alike, a present to the same person" in reasons(one, two)


@pytest.mark.parametrize(
    ("name", "email"),
    [("Sam Stranger", "sam@example.org"), ("Zoë O’Brien", "entirely.other@example.net"), ("Zoë", "zoe@example.net")],
)
def test_somebody_else_is_not_suggested(name: str, email: str) -> None:
    assert reasons(zoe(), zoe(email, name)) == set()


def test_task_goes_round_and_says_each_pair_once_and_never_one_that_was_refused(marek: User) -> None:
    one, two = zoe("zoe@example.org"), zoe("zoe@example.net")
    assert likeness.look_round() == 1
    assert likeness.look_round() == 0
    merging.refuse(two.pk, one.pk, by=marek)
    assert likeness.look_round() == 0
    assert Likeness.objects.open().count() == 0
    assert Supporter.objects.filter(compared_at=None).count() == 0
    assert personal_data.erase(one)
    assert not Likeness.objects.exists()


def test_looking_for_one_costs_as_much_among_many(django_assert_max_num_queries: Any) -> None:
    one = zoe()
    full_life(one)
    for number in range(9):
        zoe(f"zoe{number}@example.org")
    with django_assert_max_num_queries(28):  # each search is one of them between a savepoint and its release
        likeness.suggest(one)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    waiting = Supporter.objects.filter(erased_at=None).order_by("compared_at", "pk")[:1]
    assert "Seq Scan" not in waiting.explain()


# --- on the desk ------------------------------------------------------------------------------------------------------


def test_staff_choose_see_what_happens_and_can_undo(django_assert_max_num_queries: Any) -> None:
    fiona = staff_of("Fundraiser")
    first, second = zoe(), zoe("zoe@example.net", "<script>alert(1)</script> O’Brien")
    full_life(second)
    likeness.look_round()
    address = f"/admin/adoptions/supporter/{second.pk}/merge/{first.pk}/"
    page = fiona.get(address).text
    assert "<script>alert" not in page
    assert "7 Forest Lane" in page
    chosen = {"name": str(first.pk), "email": str(second.pk)}
    with django_assert_max_num_queries(90):
        shows = fiona.post(address, {**chosen, "step": "check"}).text
    assert "1 adoption with payments" in shows
    assert "2 Gift Aid declarations" in shows
    assert "News by email goes on" in shows
    assert Merge.objects.count() == 0
    assert fiona.post(address, {**chosen, "step": "merge"}).status_code == 303
    merge = Merge.objects.get()
    first.refresh_from_db()
    assert (first.name, first.email) == ("Zoë O’Brien", "zoe@example.net")
    assert fiona.post(address, {**chosen, "step": "merge"}).status_code == 404
    gone = fiona.get(f"/admin/adoptions/supporter/{second.pk}/timeline/").text
    assert "was joined with" in gone
    assert AuditEntry.objects.filter(path=address, act="changed", rows__contains=[str(second.pk)]).exists()
    record = f"/admin/adoptions/merge/{merge.pk}/change/"
    assert "Undo: they are two people" in fiona.get(record).text
    undo = f"/admin/adoptions/supporter/merges/{merge.pk}/undo/"
    reads = (f"Number {second.pk} is a supporter again: <script>", "1 adoption and 2 Gift Aid declarations")
    press_twice(fiona, undo, {}, reads=reads)
    assert "undone before" in fiona.post(undo, follow=True).text
    assert "Undo: they are two people" not in fiona.get(record).text
    second.refresh_from_db()
    assert second.email == "zoe@example.net"


def test_not_the_same_is_remembered() -> None:
    fiona = staff_of("Fundraiser")
    first, second = zoe(), zoe("zoe@example.net")
    likeness.look_round()
    timeline_page = f"/admin/adoptions/supporter/{first.pk}/timeline/"
    assert "Perhaps the same person" in fiona.get(timeline_page).text
    assert "Side by side" in fiona.get("/admin/adoptions/likeness/?state=open").text
    fiona.post(f"/admin/adoptions/supporter/{first.pk}/merge/{second.pk}/", {"step": "not_same"})
    assert "Perhaps the same person" not in fiona.get(timeline_page).text
    assert Likeness.objects.get().refused_by


def test_database_keeps_what_a_merge_says(marek: User) -> None:
    first, second = zoe(), zoe("new@example.org")
    merging.merge(first.pk, second.pk, stay(first), by=marek)
    for harm in (Merge.objects.all().delete, lambda: Merge.objects.update(survivor=second)):
        with pytest.raises(Exception, match="pgtrigger"), transaction.atomic():
            harm()


# --- at once ----------------------------------------------------------------------------------------------------------


def merge_both_ways(first: Supporter, second: Supporter, by: User) -> list[BaseException]:
    lock, ways = threading.Lock(), [(first, second), (second, first)] * 2

    def act() -> None:
        with lock:
            one, other = ways.pop()
        merging.merge(one.pk, other.pk, stay(one), by=by)

    return at_once(act, 4)


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_at_once_one_happens(marek: User) -> None:
    first, second = zoe(), zoe("new@example.org")
    failures = merge_both_ways(first, second, marek)
    assert [type(each) for each in failures] == [CannotMerge] * 3
    assert Merge.objects.count() == 1
    assert Adoption.objects.filter(supporter=first).count() == 2


def adopt_while_merging(monkeypatch: pytest.MonkeyPatch, marek: User) -> Adoption:
    """What will move is noted; then somebody adopts with the address that goes."""
    first, second = zoe(), zoe("new@example.org")
    begun, remember = threading.Event(), merging.remember

    def slow(pair: merging.Pair) -> dict[str, Any]:
        noted = remember(pair)
        begun.set()
        pause()
        pause()
        return noted

    monkeypatch.setattr(merging, "remember", slow)
    made: list[Adoption] = []

    def adopt() -> None:
        assert begun.wait(10)
        answers = answers_of(second)
        made.append(checkout.find_or_make(answers)[0])
        connection.close()

    thread = threading.Thread(target=adopt)
    thread.start()
    merging.merge(first.pk, second.pk, stay(first), by=marek)
    thread.join()
    return made[0]


def answers_of(supporter: Supporter) -> checkout.Answers:
    adoption = Adoption.objects.filter(supporter=supporter).select_related("species", "plan").latest("pk")
    return checkout.Answers(
        attempt=uuid.uuid4(),
        species=adoption.species,
        plan=adoption.plan,
        frequency="once",  # type: ignore[arg-type]
        amount_pence=7700,
        name="Zoe",
        email="new@example.org",
        present=None,
        campaign_code="",
    )


@pytest.mark.django_db(transaction=True)
def test_nothing_is_hung_on_who_goes(monkeypatch: pytest.MonkeyPatch, marek: User) -> None:
    adoption = adopt_while_merging(monkeypatch, marek)
    adoption.refresh_from_db()
    assert adoption.supporter.erased_at is None


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_it_is_lost_with_them(monkeypatch: pytest.MonkeyPatch, marek: User) -> None:
    def unlocked(*pks: int) -> list[Supporter]:
        return list(Supporter.objects.filter(pk__in=pks, erased_at=None).order_by("pk"))

    monkeypatch.setattr(merging, "lock", unlocked)
    adoption = adopt_while_merging(monkeypatch, marek)
    adoption.refresh_from_db()
    assert adoption.supporter.erased_at is not None


@pytest.mark.django_db(transaction=True)
def test_payment_that_arrives_meanwhile_is_the_survivors(world: World, marek: User) -> None:
    first, second = zoe(), make_supporter("Zoë O’Brien", "new@example.org")
    adoption = world.adopt(supporter=second)
    lock, left = threading.Lock(), ["merge", *["pay"] * 4]

    def act() -> None:
        with lock:
            mine = left.pop()
        if mine == "merge":
            merging.merge(first.pk, second.pk, stay(first), by=marek)
        else:
            fulfilment.sync_session(adoption.stripe_session_id or "")

    assert at_once(act, 5) == []
    assert shown(adoption) == ("active", (("charge", 3600),))
    assert adoption.supporter == first
    [receipt] = Mail.objects.filter(kind="receipt")
    assert receipt.to in {"zoe@example.org", "new@example.org"}


def test_merge_from_a_stranger_is_refused(client: Client) -> None:
    first, second = zoe(), zoe("new@example.org")
    answer = client.post(f"/admin/adoptions/supporter/{first.pk}/merge/{second.pk}/", {"step": "merge"})
    assert "Log in" in answer.text
    assert not Merge.objects.exists()
