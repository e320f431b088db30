"""“Since you adopted”: a mail of the field notes that are new to its reader, about three times a year.

It is news, so it goes only to whom news may be sent to, and carries the address that ends it. What was told to whom is
moved on in the transaction that queues the mail, by a conditional UPDATE: nobody is told the same twice. An adoption
that a list brought in from another system sets nothing off: nobody is mailed because of a list.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator

from config.mail import queue_mail
from config.models import Mail, MailState
from species.models import FieldNote

from . import consent, emails
from .models import ADOPTED, Adoption, Source, Supporter

APART = timedelta(days=115)  # the words that people say yes to promise about three a year
DAYTIME = range(9, 18)
MOST_AT_ONCE = 500
MOST_NOTES = 6


@dataclass(frozen=True)
class Line:
    """A field note as it stands in the mail."""

    title: str
    day: str
    words: str
    url: str


def due(at: datetime) -> QuerySet[Supporter]:
    """Who may be sent news, had none for long enough, and for whom something is new."""
    own = Adoption.objects.filter(supporter=OuterRef("pk"), state__in=ADOPTED).exclude(source=Source.IMPORT)
    new = own.filter(
        Q(species__field_notes__published_at__gt=OuterRef("told_until"))
        | Q(pk__isnull=False, supporter__told_until=None),
        species__field_notes__published_at__lte=at,
        species__field_notes__published_at__gt=F("activated_at"),
    )
    came_back = Mail.objects.filter(kind="field_notes", state=MailState.BOUNCED, to=OuterRef("email"))
    people = consent.marketable().filter(Exists(new)).exclude(Exists(came_back))
    since = Coalesce("told_until", Min("adoptions__activated_at", filter=~Q(adoptions__source=Source.IMPORT)))
    return people.annotate(quiet_since=since).filter(quiet_since__lt=at - APART).order_by("pk")


def send_due() -> int:
    """Send what is due, by day; how many that were."""
    now = timezone.now()
    if timezone.localtime(now).hour not in DAYTIME:
        return 0
    return sum(send(supporter, now) for supporter in due(now)[:MOST_AT_ONCE])


def send(supporter: Supporter, now: datetime) -> bool:
    own = Adoption.objects.filter(supporter=supporter, state__in=ADOPTED).exclude(source=Source.IMPORT)
    adoptions = list(own.select_related("species"))
    notes = new_to(adoptions, since=supporter.told_until, until=now)
    if not notes:
        return False
    with transaction.atomic():
        if not Supporter.objects.filter(pk=supporter.pk, told_until=supporter.told_until).tell(until=now):
            return False
        stop = consent.unsubscribe_url(supporter.email)
        context = {"adoption": adoptions[0], "notes": [line_of(note) for note in notes[:MOST_NOTES]]}
        context |= {"manage_url": emails.manage_url(), "unsubscribe_url": stop}
        key = f"{supporter.pk}:{notes[0].pk}"
        return queue_mail("field_notes", to=supporter.email, key=key, context=context, unsubscribe_url=stop)


def new_to(adoptions: list[Adoption], *, since: datetime | None, until: datetime) -> list[FieldNote]:
    """Newest first: notes about a species published after it was adopted, and after the last ones told of."""
    which = Q(pk=None)
    for adoption in adoptions:
        start = max(moment for moment in (adoption.activated_at, since) if moment)
        which |= Q(species=adoption.species_id, published_at__gt=start)
    return list(FieldNote.objects.filter(which, published_at__lte=until).distinct()[: MOST_NOTES + 1])


def line_of(note: FieldNote) -> Line:
    return Line(
        title=note.title,
        day=date_format(note.seen_on, "j F Y"),
        words=Truncator(note.words).words(40),
        url=settings.SITE_URL + note.get_absolute_url(),
    )
