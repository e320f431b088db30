"""A GET never changes anything: programs that read mail follow every link, some of them again and again.

Every kind of mail is rendered with addresses that really work; all of them are fetched, by a stranger, by somebody
signed in and by staff; and no row of any table is different afterwards. Then the person comes, and all still works.
"""

import re
import uuid
from datetime import timedelta
from urllib.parse import urldefrag

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adoptions import access, consent
from adoptions.emails import certificate_url
from adoptions.gift_emails import gift_url, manage_url
from adoptions.models import AccessLink, Gift, PaymentLink, Purpose, Supporter
from config.mail import queue_mail
from config.models import Mail
from species import emails
from species.models import Comment
from tests.adoptions.test_emails_rendered import context_of
from tests.adoptions.test_gifts import give
from tests.adoptions.visitors import link_in, signed_in
from tests.makers import make_adoption

pytestmark = pytest.mark.django_db

ROUNDS = 10
ALL_KINDS = sorted(folder.name for folder in (settings.BASE_DIR / "templates" / "emails").iterdir() if folder.is_dir())
BROWSER = "the cookie of the browser that asked"


def everything() -> dict[str, tuple[int, str]]:
    """How many rows each table holds, and a digest of all they say.

    But for the log of who looked at what in the admin: that somebody looked is all that a look adds to it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [row[0] for row in cursor.fetchall() if row[0] != "config_auditentry"]
        found = {}
        for table in tables:
            cursor.execute(
                f"SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
            )
            found[table] = cursor.fetchone()
    return found


def make_link(purpose: Purpose, email: str, supporter: Supporter) -> str:
    """A link as the worker mails it; its address."""
    link_id = access.ask(email, purpose=purpose, browser=BROWSER, supporter=supporter)
    assert link_id
    access.send(link_id)
    return link_in(Mail.objects.get(key=f"{access.TEMPLATES[purpose]}:{link_id}"))


class World:
    """One of everything that a mail can lead to."""

    def __init__(self) -> None:
        self.gift: Gift = give()
        self.marek = User.objects.create_superuser("marek", "marek@example.org", uuid.uuid4().hex)
        self.supporter: Supporter = self.gift.adoption.supporter
        consent.grant(self.supporter, page="/")
        self.payment_link = PaymentLink.objects.create(
            adoption=make_adoption(supporter=self.supporter, source="phone", entered_by=self.marek),
            expires_at=timezone.now() + timedelta(days=7),
        )
        self.sign_in = make_link(Purpose.SIGN_IN, self.supporter.email, self.supporter)
        self.new_email = make_link(Purpose.CHANGE_EMAIL, "new@example.org", self.supporter)
        self.unsubscribe = consent.unsubscribe_url(self.supporter.email)

    def address(self, kind: str, name: str) -> str:
        """A working address for a variable of a mail. A new one is added here, or its mail cannot be tested."""
        adoption = self.gift.adoption
        species = settings.SITE_URL + adoption.species.get_absolute_url()
        return {
            "manage_url": manage_url(),
            "undo_url": manage_url(),
            "species_url": species,
            "certificate_url": certificate_url(adoption),
            "gift_url": gift_url(self.gift),
            "pay_url": settings.SITE_URL + self.payment_link.get_absolute_url(),
            "url": settings.SITE_URL + (self.new_email if kind == "confirm_email" else self.sign_in),
            "admin_url": settings.SITE_URL + reverse("admin:adoptions_adoption_change", args=[adoption.pk]),
            "password_url": settings.SITE_URL + reverse("admin:password_change"),
            "unsubscribe_url": self.unsubscribe,
            "link_url": species,  # not the campaign link itself, whose one act is to count
            "confirm_url": "https://stripe.example/i",  # not ours
        }[name]

    def mails_about_comments(self) -> list[Mail]:
        """Sent by the functions that send them, with the links they sign."""
        species = self.gift.adoption.species
        asked = Comment.objects.create(
            species=species, name="Sam", email="sam@example.org", body="Do they purr?", wants_replies=True
        )
        reply = Comment.objects.create(
            species=species, name="Lena", email="lena@example.org", body="They do.", parent=asked
        )
        Comment.objects.all().approve(by=self.marek)
        emails.tell_it_waits(asked)
        emails.send_link_to_own_words(asked.email)
        emails.tell_it_is_published(asked)
        emails.tell_it_is_refused(asked)
        emails.tell_of_reply(reply)
        for kind in ("comments_arrived", "comments_waiting"):
            emails.tell_moderator(self.marek, kind=kind, key="1", total=1, oldest=asked)
        return list(Mail.objects.filter(kind__startswith="comment"))

    def mails(self) -> list[Mail]:
        """Each kind of mail there is, as it would be sent."""
        found = self.mails_about_comments()
        for kind in set(ALL_KINDS) - {mail.kind for mail in found}:
            context = context_of(kind)
            for name in [name for name in context if name == "url" or name.endswith("_url")]:
                context[name] = self.address(kind, name)
            queue_mail(kind, to="amara@example.org", key=uuid.uuid4().hex, context=context)
            found.append(Mail.objects.latest("pk"))
        return found


def addresses_in(mail: Mail) -> set[str]:
    """What a scanner would fetch of ours, in either part."""
    linked = re.findall(r"https?://[^\s\"<>]+", f"{mail.text} {mail.html}")
    return {urldefrag(a).url.removeprefix(settings.SITE_URL) for a in linked if a.startswith(settings.SITE_URL)}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def visitors(world: World) -> list[Client]:
    """A stranger, the supporter signed in, and a member of staff."""
    staff = Client()
    staff.force_login(world.marek)
    return [Client(), signed_in(world.supporter), staff]


@pytest.mark.threat("L1")
def test_fetching_every_address_of_every_mail_changes_no_row(world: World, visitors: list[Client]) -> None:
    addresses = set().union(*(addresses_in(mail) for mail in world.mails()))
    addresses |= {world.unsubscribe.removeprefix(settings.SITE_URL)}
    assert {address.split("/")[1] for address in addresses} >= {
        "admin",
        "adoptions",
        "gift",
        "my-adoption",
        "my-comment",
        "no-more-replies",
        "pay",
        "species",
        "unsubscribe",
    }
    before = everything()
    for _ in range(ROUNDS):
        for visitor in visitors:
            for address in addresses:
                assert visitor.get(address).status_code < 400, address
                assert visitor.head(address).status_code < 400, address
    assert everything() == before


def test_dump_sees_a_change_of_one_letter(world: World) -> None:
    """The proof would be worth nothing if it could not fail."""
    before = everything()
    Supporter.objects.filter(pk=world.supporter.pk).update(name="Amara Supportes")
    after = everything()
    assert {table for table in after if after[table] != before[table]} == {"adoptions_supporter"}


def test_person_who_comes_after_the_scanners_gets_everything_done(world: World, visitors: list[Client]) -> None:
    addresses = set().union(*(addresses_in(mail) for mail in world.mails())) | {world.unsubscribe}
    for address in addresses:
        for visitor in visitors:
            visitor.get(address)
            visitor.head(address)
    person = Client()
    person.cookies[access.BROWSER_COOKIE] = BROWSER
    assert person.post(world.sign_in).status_code == 303
    assert b"Send me my link" not in person.get("/my-adoption/").content
    person.cookies[access.BROWSER_COOKIE] = BROWSER
    assert person.post(world.new_email).status_code == 303
    world.supporter.refresh_from_db()
    assert world.supporter.email == "new@example.org"
    assert person.post(f"{world.gift.get_absolute_url()}open/").status_code == 303
    assert person.post(f"{world.gift.get_absolute_url()}thanks/", {"words": "Thank you"}).status_code == 303
    assert person.post(world.unsubscribe, {"List-Unsubscribe": "One-Click"}).status_code == 200
    world.gift.refresh_from_db()
    assert (world.gift.opened_at is None, world.gift.thanked_at is None) == (False, False)
    assert consent.is_suppressed(consent.address_hash("amara@example.org"))


@pytest.mark.threat("L1")
def test_scanner_that_posts_what_it_finds_is_not_let_in(world: World) -> None:
    scanner = Client()
    for address in (world.sign_in, world.new_email):
        assert scanner.post(address).status_code == 422
    assert AccessLink.objects.filter(used_at=None).count() == 2


def test_address_that_acts_at_once_takes_no_get() -> None:
    for name in ("gift_open", "gift_thank", "gift_erase"):
        assert Client().get(reverse(f"adoptions:{name}", args=["x" * 32])).status_code == 405
    assert Client().get(reverse("adoptions:sign_out")).status_code == 405
