"""Who and what goes into a file: all of it, or as the list in the admin was filtered."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from species.models import Species

from .. import consent
from ..models import Adoption, AdoptionState, Campaign, Frequency, Payment, PaymentKind, Supporter


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Empty is no condition. Names nobody: it is kept with the record of the file."""

    only_mailable: bool = False
    species: int | None = None
    campaign: int | None = None
    frequency: str = ""
    state: str = ""
    since: str = ""  # days as ISO has them, the last one included
    until: str = ""
    with_homes: bool = False  # home addresses; only for who may see declarations for Gift Aid

    def kept(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def words(self) -> str:
        """For the list of files: `may be mailed, Amur leopard, monthly, since 2026-01-01`."""
        found = ["may be mailed"] if self.only_mailable else []
        if self.species:
            found += Species.objects.filter(pk=self.species).values_list("common_name", flat=True)
        if self.campaign:
            found += Campaign.objects.filter(pk=self.campaign).values_list("code", flat=True)
        if self.frequency:
            found.append(Frequency(self.frequency).label)
        if self.state:
            found.append(AdoptionState(self.state).label)
        if self.with_homes:
            found.append("with home addresses")
        found += [f"{name} {day}" for name, day in (("since", self.since), ("until", self.until)) if day]
        return ", ".join(found) or "everything"


def in_time(choice: Choice, column: str) -> Q:
    """The days are those of people here."""
    found = Q()
    if choice.since:
        found &= Q(**{f"{column}__gte": start_of(choice.since)})
    if choice.until:
        end = datetime.combine(date.fromisoformat(choice.until), time.max)
        found &= Q(**{f"{column}__lte": timezone.make_aware(end)})
    return found


def start_of(day: str) -> datetime:
    return timezone.make_aware(datetime.combine(date.fromisoformat(day), time()))


def about_adoptions(choice: Choice) -> Q:
    wanted = {
        "species": choice.species,
        "campaign": choice.campaign,
        "frequency": choice.frequency,
        "state": choice.state,
    }
    return Q(**{name: value for name, value in wanted.items() if value})


def chosen_adoptions(choice: Choice) -> QuerySet[Adoption]:
    """Not those of a list that was undone: they are nobody's any more."""
    found = Adoption.objects.filter(about_adoptions(choice), in_time(choice, "created_at"))
    found = found.exclude(past__undone_at__isnull=False)
    if choice.only_mailable:
        found = found.filter(Exists(consent.marketable().filter(pk=OuterRef("supporter"))))
    return found


def chosen_supporters(choice: Choice) -> QuerySet[Supporter]:
    """Nobody who was erased. A condition on adoptions asks for those who have such a one."""
    people = consent.marketable() if choice.only_mailable else Supporter.objects.filter(erased_at=None)
    about = about_adoptions(choice)
    if about:
        people = people.filter(Exists(Adoption.objects.filter(about, supporter=OuterRef("pk"))))
    return people.filter(in_time(choice, "created_at"))


def chosen_charges(choice: Choice) -> QuerySet[Payment]:
    """The payments of the adoptions that were chosen, where the days are those of the payments."""
    timeless = Choice(**{**asdict(choice), "since": "", "until": ""})
    return Payment.objects.filter(
        in_time(choice, "occurred_at"),
        kind=PaymentKind.CHARGE,
        adoption__supporter__erased_at=None,
        adoption__in=chosen_adoptions(timeless),
    )
