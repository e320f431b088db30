"""Made-up rows by the million, to see how the site behaves when it has grown.

Streamed into PostgreSQL with COPY, which is some fifty times faster than saving one row after another. Everything is
made from a counter, so the same call makes the same rows and a second call adds to them. Nobody in them exists.
"""

import uuid
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.models import Max

from adoptions.consent import CURRENT, address_hash
from adoptions.management.made_up_campaigns import Campaigns
from adoptions.models import (
    Adoption,
    Attention,
    Complaint,
    ConsentEvent,
    Difference,
    FailedRenewal,
    Fee,
    Frequency,
    Gift,
    GiftAidDeclaration,
    Payment,
    Plan,
    RefundRequest,
    StripeEvent,
    Supporter,
)
from adoptions.models.adoptions import REFERENCE_LETTERS
from config.models import AuditEntry, Mail
from species.models import Comment, Species

BLOCK = 50_000
NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
SPAN = timedelta(minutes=1_000_000)  # two years, however many the rows
GIVEN = ("Amara", "Bela", "Chloe", "Dara", "Elif", "Femi", "Hana", "Imran", "Jonas", "Leila", "Marek", "Priya", "Rosa")
FAMILY = ("Adeyemi", "Baker", "Costa", "Davies", "Fischer", "Hughes", "Ivanova", "Jones", "Khan", "Nowak", "Okafor")
# One in so many adoptions ended, failed, came by a campaign, has a refund, a thing to look at, a difference, a
# complaint, a mail, a comment, a word on news and on Gift Aid. No more: a million is to be made in three minutes.
RARE = 10
OF_POSTCODES = "ABDEFGHJLNPQRSTUWXYZ"

# Each row's parents are made with it; to look for them again takes time. Only a superuser of the database may say so.
UNASKED = """
SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles WHERE rolname = current_user AND rolsuper
"""

type Row = tuple[Any, ...]


class Command(BaseCommand):
    help = "Fill a development database with made-up supporters, adoptions, payments, presents and events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--adoptions", type=int, default=1_000_000, help="How many to add, each with a payment.")

    def handle(self, *, adoptions: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Not here: this is no development site, and nothing could take the rows out again.")
        first = (Adoption.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
        began = datetime.now(UTC)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        load = Load(first, adoptions)
        for start in range(first, first + adoptions, BLOCK):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(UNASKED)
                load.block(range(start, min(start + BLOCK, first + adoptions)))
        with connection.cursor() as cursor:
            for model in (Supporter, Adoption, Payment):
                table = model._meta.db_table
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first + adoptions])
            cursor.execute("VACUUM ANALYZE")
        seconds = (datetime.now(UTC) - began).seconds
        self.stdout.write(f"{adoptions} adoptions with all that belongs to them in {seconds} seconds.")


class Load:
    """What all rows have in common, and the rows of each table for the numbers of a block."""

    def __init__(self, first: int, adoptions: int) -> None:
        self.oldest, self.apart = first, SPAN // adoptions
        self.species = Species.objects.order_by("pk").first() or Species.objects.create(
            slug="made-up-cat", common_name="Made-up cat", scientific_name="Felis ficta"
        )
        self.plan = Plan.objects.order_by("pk").first() or Plan.objects.create(slug="made-up", name="Made up")
        self.staff = User.objects.get_or_create(username="made-up", defaults={"is_active": False})[0]
        self.campaigns = Campaigns(self.species, range(first, first + adoptions), NEWEST - SPAN, NEWEST)

    def when(self, n: int) -> datetime:
        """Evenly apart, the first the oldest."""
        return NEWEST - SPAN + (n - self.oldest) * self.apart

    def block(self, numbers: range) -> None:
        copy(Supporter, "id name email stripe_customer_id created_at", map(self.supporter, numbers))
        copy(
            Adoption,
            "id public_id reference token attempt supporter_id species_id plan_id frequency amount_pence is_gift "
            "campaign_id campaign_code first_campaign_code state held_because created_at activated_at ended_at "
            "stripe_session_id session_number stripe_subscription_id stripe_customer_id revision",
            map(self.adoption, numbers),
        )
        copy(
            Payment,
            "id adoption_id kind amount_pence stripe_id invoice_id card_last4 occurred_at recorded_at",
            map(self.payment, numbers),
        )
        copy(Fee, "payment_id amount_pence stripe_id payout_id recorded_at", map(self.fee, numbers))
        copy(
            Gift,
            "adoption_id recipient_name message delivery recipient_email state held_because revision sendings token",
            map(self.gift, numbers[::4]),
        )
        copy(
            StripeEvent,
            "id type object_id api_version body received_at state worked_at attempts error",
            map(self.event, numbers),
        )
        copy(AuditEntry, "at by_id act what rows how path network", map(self.look, numbers))
        self.said(numbers[::RARE])
        self.troubles(numbers[::RARE])

    def said(self, numbers: range) -> None:
        """By people, and to them."""
        copy(
            ConsentEvent,
            "supporter_id address_hash state basis wording_version wording page campaign_code given_by at",
            map(self.consent, numbers),
        )
        copy(
            GiftAidDeclaration,
            "supporter_id adoption_id first_name last_name address postcode charity_name wording_version wording "
            "channel covers_from given_at entered_by_id record_sent_at cancelled_on cancelled_because",
            map(self.declaration, numbers),
        )
        copy(
            Mail,
            "key kind to subject text html message_id state attempts not_before created_at sent_at failed_at error",
            map(self.mail, numbers),
        )
        copy(
            Comment,
            "species_id name name_to_show email body masked_body is_from_charity is_by_adopter wants_replies status "
            "created_at moderated_at moderated_by_id reason held_because suspicion network report_count",
            map(self.comment, numbers),
        )

    def troubles(self, numbers: range) -> None:
        copy(
            Attention,
            "kind key adoption_id reason opened_at resolved_at how",
            (("dispute", f"du_{n}", n, "£5 disputed.", self.when(n), self.when(n), "Closed: won.") for n in numbers),
        )
        copy(
            Difference,
            "kind what stripe_id adoption_id note found_at repaired_at how",
            (
                ("missing", "charge", f"ch_load{n}", n, "", self.when(n), self.when(n), "Asked Stripe again.")
                for n in numbers
            ),
        )
        copy(
            RefundRequest,
            "public_id payment_id amount_pence reason note by_id asked_at attempt answered_at refused",
            (
                (
                    uuid.UUID(int=n),
                    n,
                    1,
                    "duplicate",
                    "",
                    self.staff.pk,
                    self.when(n),
                    1,
                    self.when(n),
                    "charge_disputed",
                )
                for n in numbers
            ),
        )
        self.more_troubles(numbers)

    def more_troubles(self, numbers: range) -> None:
        copy(
            FailedRenewal,
            "adoption_id invoice_id amount_pence failed_at reason payment_id is_by_other_means",
            map(self.failure, numbers),
        )
        copy(
            Complaint,
            "reference about name email words received_at acknowledged_at outcome answer closed_at closed_by_id",
            map(self.complaint, numbers),
        )

    def failure(self, n: int) -> Row:
        """Two in three are recovered, half of those with another card; of the others half have ended."""
        reason = ("insufficient_funds", "expired_card", "do_not_honor")[n // RARE % 3]
        payment = n if n // RARE % 3 else None
        of = n - 8 if payment is None and n // RARE % 2 and n > RARE else n
        return of, f"in_load{n}", amount(n), self.when(n) - timedelta(days=4), reason, payment, n // RARE % 3 == 1

    def complaint(self, n: int) -> Row:
        """Every second one still waits for its answer."""
        told = f"CP-{letters(n)}", "other", f"Sam {letters(n)[-4:]}", f"load{n}@example.org", "My pack is late."
        if n % (RARE * 2) == 1:
            return *told, self.when(n), self.when(n), "", "", None, None
        return *told, self.when(n), self.when(n), "upheld", "We are sorry.", self.when(n), self.staff.pk

    def consent(self, n: int) -> Row:
        """One in ten wants none."""
        who = n, address_hash(f"load{n}@example.org")
        yes = "granted", "consent", CURRENT, "Email me news."
        answer = ("withdrawn", "", "", "") if n // RARE % 10 == 7 else yes
        return *who, *answer, "/adopt/", "", "self", self.when(n)

    def declaration(self, n: int) -> Row:
        """One in ten by word of mouth, others on the site; one in ten of all is taken back the day it was given."""
        day = self.when(n).date()
        who = n, n, *named(n), f"{1 + n % 200} Mill Lane", postcode(n)
        oral = "oral", day, self.when(n), self.staff.pk, self.when(n)
        how = oral if n // RARE % 10 == 1 else ("web", day, self.when(n), None, None)
        return (
            *who,
            "Made-up charity",
            CURRENT,
            "I pay tax.",
            *how,
            *((day, "Asked.") if n // RARE % 10 == 2 else (None, "")),
        )

    def mail(self, n: int) -> Row:
        """One in twenty could not be sent."""
        words = "Thank you", "Thank you for adopting.", "<p>Thank you for adopting.</p>"
        what = f"thank_you:load{n}", "thank_you", f"load{n}@example.org", *words, f"<load{n}@example.org>"
        at = self.when(n)
        became = (
            ("failed", 40, at, at, None, at, "Refused.") if n // RARE % 20 == 7 else ("sent", 1, at, at, at, None, "")
        )
        return *what, *became

    def comment(self, n: int) -> Row:
        """Every second one waits."""
        who = " ".join(named(n)), "", f"load{n}@example.org"
        what = f"I saw its tracks, {letters(n)}.", "", False, False, False
        at = self.when(n)
        decided = ("pending", at, None, None) if n // RARE % 2 else ("approved", at, at, self.staff.pk)
        return self.species.pk, *who, *what, *decided, "", "", 0, "", 0

    def supporter(self, n: int) -> Row:
        return n, " ".join(named(n)), f"load{n}@example.org", "", self.when(n)

    def adoption(self, n: int) -> Row:
        frequency = list(Frequency)[n % 3]
        subscription = None if frequency == Frequency.ONCE else f"sub_load{n}"
        number = uuid.UUID(int=n)
        campaign = self.campaigns.that_brought(n)
        came_by = (campaign.pk, campaign.code, campaign.code) if campaign else (None, "", "")
        terms = n, self.species.pk, self.plan.pk, frequency.value, amount(n), n % 4 == 0, *came_by
        at_stripe = f"cs_load{n}", 1, subscription, f"cus_load{n}", 3
        # Every tenth of them, each frequency in turn, ended a month after it began.
        state, ended_at = ("ended", self.when(n) + timedelta(days=30)) if n % RARE == 3 else ("active", None)
        how = state, "", self.when(n), self.when(n), ended_at
        return n, number, f"PM-{letters(n)}", f"load{n}", number, *terms, *how, *at_stripe

    def payment(self, n: int) -> Row:
        return n, n, "charge", amount(n), f"ch_load{n}", f"in_load{n}", f"{n % 10_000:04}", self.when(n), self.when(n)

    def fee(self, n: int) -> Row:
        return n, 20 + amount(n) // 67, f"txn_load{n}", f"po_load{n // 1000}", self.when(n)

    def gift(self, n: int) -> Row:
        return n, f"{GIVEN[n // 3 % len(GIVEN)]}-{letters(n)[-4:]}", "", "self", "", "waiting", "", 0, 0, f"load{n}"

    def event(self, n: int) -> Row:
        body = r"\\x7b7d"  # {} as bytea
        return (
            f"evt_load{n}",
            "invoice.paid",
            f"in_load{n}",
            "2026-10-28.endive",
            body,
            self.when(n),
            "done",
            self.when(n),
            1,
            "",
        )

    def look(self, n: int) -> Row:
        return (
            self.when(n),
            self.staff.pk,
            "looked",
            "adoptions.supporter",
            f"{{{n}}}",
            "",
            f"/admin/{n}/",
            "192.0.2.0/24",
        )


def amount(n: int) -> int:
    return 300 + n % 40 * 100


def named(n: int) -> tuple[str, str]:
    return GIVEN[n % len(GIVEN)], f"{FAMILY[n // 7 % len(FAMILY)]}-{letters(n)[-4:]}"


def postcode(n: int) -> str:
    """Of 120,000; a few households share each."""
    n, digit = divmod(n, 10)
    n, first = divmod(n, len(OF_POSTCODES))
    n, second = divmod(n, len(OF_POSTCODES))
    return f"LS{1 + n % 30} {digit}{OF_POSTCODES[first]}{OF_POSTCODES[second]}"


def letters(n: int) -> str:
    """The eight letters of a reference; no two numbers below 10¹¹ share them."""
    found = ""
    for _ in range(8):
        n, rest = divmod(n, len(REFERENCE_LETTERS))
        found = REFERENCE_LETTERS[rest] + found
    return found


def copy(model: Any, columns: str, rows: Iterable[Row]) -> None:
    """Columns that are not named take the database's default; nobody is asked what Python would make of them."""
    names = ", ".join(f'"{name}"' for name in columns.split())
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as stream:
        for some in batched(rows, 1000):
            stream.write("".join("\t".join(map(as_text, row)) + "\n" for row in some))


def as_text(value: object) -> str:
    """COPY's own form. Nothing that is made up here holds a tab, a line break or a backslash."""
    return r"\N" if value is None else str(value)
