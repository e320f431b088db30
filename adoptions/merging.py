"""Two supporters who are one person become one, and for thirty days it can be undone.

What hangs on the other moves to the one who stays; the other's row is emptied as an erasure empties it, so nothing
finds, mails or counts them. Nothing is made up: declarations and wishes keep their words and days, and of two wishes
about news the one that says no holds.

Locks are taken in one order, that of money: adoptions by number, then supporters by number. A supporter is locked
against new rows as well, so nothing can be hung on them while they go.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from config.mail import queue_mail
from config.retention import unlocked

from . import consent, notes
from .models import (
    MAY_UNDO_MERGE,
    AccessLink,
    Adoption,
    ConsentEvent,
    ConsentState,
    FormerAddress,
    GiftAidDeclaration,
    GivenBy,
    Likeness,
    Merge,
    Note,
    Supporter,
    SupporterSession,
    Suppression,
)


class CannotMerge(Exception):
    """Not possible; the text is a sentence for staff."""


@dataclass(frozen=True)
class Choice:
    """Which name and which address stay: each is one of the two that there are."""

    name: str
    email: str


class Pair(NamedTuple):
    """Locked. The one with the lower number stays."""

    survivor: Supporter
    other: Supporter


def lock(*pks: int) -> list[Supporter]:
    """In the order of money. Who was erased or merged in the meantime is not among them."""
    list(
        Adoption.objects.filter(supporter__in=pks)
        .order_by("pk")
        .select_for_update(of=("self",))
        .values_list("pk", flat=True)
    )
    return list(Supporter.objects.filter(pk__in=pks, erased_at=None).order_by("pk").select_for_update())


def locked_pair(first: int, second: int) -> Pair:
    found = lock(first, second)
    if len(found) != 2:
        raise CannotMerge("One of them was merged or erased in the meantime.")
    return Pair(*found)


# --- merging ----------------------------------------------------------------------------------------------------------


def merge(first: int, second: int, choice: Choice, *, by: Any) -> Merge:
    """Raises CannotMerge."""
    with transaction.atomic():
        pair = locked_pair(first, second)
        check(pair, choice)
        memory = remember(pair)
        kept_news = keeps_news(pair, choice)
        tell(pair, choice)
        move(pair, memory)
        keep_addresses(pair, choice, memory)
        write(pair, choice, memory)
        restrain(pair.survivor, memory, kept_news=kept_news, by=by)
        Likeness.objects.about(pair.other.pk).open().delete()
        made = Merge.objects.create(survivor=pair.survivor, merged=pair.other, by_id=by.pk, memory=memory)
    made.refresh_from_db()
    return made


def check(pair: Pair, choice: Choice) -> None:
    if choice.name not in {each.name for each in pair} or choice.email not in {each.email for each in pair}:
        raise CannotMerge("A name or an address was changed in the meantime. Look at both again.")


def remember(pair: Pair) -> dict[str, Any]:
    """How both are, and what will move: enough to bring it all back."""
    other = pair.other.pk
    return {
        "survivor": columns(pair.survivor),
        "other": columns(pair.other),
        "adoptions": pks(Adoption.objects.filter(supporter=other)),
        "consents": pks(ConsentEvent.objects.filter(supporter=other)),
        "declarations": pks(GiftAidDeclaration.objects.filter(supporter=other)),
        "former": pks(FormerAddress.objects.filter(supporter=other)),
        "notes": pks(Note.objects.filter(supporter=other)),
        "own_former": pks(FormerAddress.objects.filter(supporter=pair.survivor)),
        "made": {"former": [], "consents": [], "suppressions": []},
    }


def columns(supporter: Supporter) -> dict[str, Any]:
    told = supporter.told_until
    return {
        "name": supporter.name,
        "email": supporter.email,
        "stripe_customer_id": supporter.stripe_customer_id,
        "told_until": told.isoformat() if told else None,
    }


def pks(rows: Any) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))


def move(pair: Pair, memory: dict[str, Any]) -> None:
    hang(memory, pair.survivor)
    AccessLink.objects.filter(supporter=pair.other).delete()
    SupporterSession.objects.filter(supporter=pair.other).delete()


def hang(memory: dict[str, Any], supporter: Supporter) -> None:
    """Hang what moved on somebody. Under whom they are filed is all that changes of declarations and wishes."""
    Adoption.objects.filter(pk__in=memory["adoptions"]).update(supporter=supporter)
    FormerAddress.objects.filter(pk__in=memory["former"]).update(supporter=supporter)
    notes.hang(memory.get("notes", []), supporter)  # what was joined before there were notes remembers none
    wishes = ConsentEvent.objects.filter(pk__in=memory["consents"])
    unlocked("adoptions.ConsentEvent:append_only", lambda: wishes.update(supporter=supporter))
    declared = GiftAidDeclaration.objects.filter(pk__in=memory["declarations"])
    unlocked(
        "adoptions.GiftAidDeclaration:as_declared",
        lambda: unlocked("adoptions.GiftAidDeclaration:cancelled_once", lambda: declared.update(supporter=supporter)),
    )


def keep_addresses(pair: Pair, choice: Choice, memory: dict[str, Any]) -> None:
    """The address that does not stay was theirs as well, with all that went there."""
    for each, earlier in zip(pair, (memory["own_former"], memory["former"]), strict=True):
        if each.email != choice.email and each.has_email:
            former = FormerAddress.objects.create(
                supporter=pair.survivor, email=each.email, since=since(each, earlier), until=timezone.now()
            )
            memory["made"]["former"].append(former.pk)


def since(supporter: Supporter, earlier: list[int]) -> datetime:
    """From when on an address was theirs: the last change, or the day they came."""
    last = FormerAddress.objects.filter(pk__in=earlier).order_by("-until").first()
    return last.until if last else supporter.created_at


def write(pair: Pair, choice: Choice, memory: dict[str, Any]) -> None:
    """The other's row is emptied first: two cannot have one address."""
    survivor, other = pair
    Supporter.objects.filter(pk=other.pk).erase()
    told = [each.told_until for each in pair if each.told_until]
    Supporter.objects.filter(pk=survivor.pk).update(
        name=choice.name,
        email=choice.email,
        told_until=max(told, default=None),
        stripe_customer_id=survivor.stripe_customer_id or other.stripe_customer_id,
    )
    survivor.refresh_from_db()
    memory["kept"] = columns(survivor)


def tell(pair: Pair, choice: Choice) -> None:
    """Each at their own address, while both still stand: that they are one now, and how to object.

    If the merge is wrong these are two strangers, so neither mail says anything of the other.
    """
    for each in pair:
        adoption = Adoption.objects.filter(supporter=each).select_related("species", "supporter").first()
        if adoption and each.has_email:
            queue_mail(
                "records_joined",
                to=each.email,
                key=f"{each.pk}:{uuid.uuid4().hex}",
                context={
                    "adoption": adoption,
                    "is_kept": each.email == choice.email,
                    "days": MAY_UNDO_MERGE.days,
                },
            )


# --- wishes about news ------------------------------------------------------------------------------------------------


def keeps_news(pair: Pair, choice: Choice) -> bool:
    """Is there a yes for the address that stays, and no word against it from either?"""
    owner = next(each for each in pair if each.email == choice.email)
    return consent.may_send_news(owner) and not any(has_refused(each) for each in pair)


def has_refused(supporter: Supporter) -> bool:
    """A silence is no refusal."""
    last = ConsentEvent.objects.filter(supporter=supporter).first()
    digest = consent.address_hash(supporter.email)
    return consent.is_suppressed(digest) or bool(last and last.state == ConsentState.WITHDRAWN)


def restrain(survivor: Supporter, memory: dict[str, Any], *, kept_news: bool, by: Any) -> None:
    """Whoever refused, under whichever address, is not written to under the one that stays."""
    digest = consent.address_hash(survivor.email)
    digests = {consent.address_hash(memory[each]["email"]) for each in ("survivor", "other")}
    barred = Suppression.objects.filter(address_hash__in=digests - {digest}).first()
    if barred and not consent.is_suppressed(digest):
        made = Suppression.objects.create(address_hash=digest, reason=barred.reason, at=timezone.now())
        memory["made"]["suppressions"].append(made.pk)
    if not kept_news and last_word(survivor) == ConsentState.GRANTED:
        event = ConsentEvent.objects.create(
            supporter=survivor,
            address_hash=digest,
            state=ConsentState.WITHDRAWN,
            page="merge of two supporters",
            given_by=GivenBy.STAFF,
            by_id=by.pk,
            at=timezone.now(),
        )
        memory["made"]["consents"].append(event.pk)


def last_word(supporter: Supporter) -> str:
    states = ConsentEvent.objects.filter(supporter=supporter).values_list("state", flat=True)
    return states.first() or ""


# --- undoing ----------------------------------------------------------------------------------------------------------


def undo(merge_id: int, *, by: Any) -> Merge:
    """Both as they were, with all that moved; what came since stays with the one who stayed. Raises CannotMerge."""
    with transaction.atomic():
        record = Merge.objects.select_related("merged").get(pk=merge_id)
        found = lock(record.survivor_id)
        record = Merge.objects.select_for_update(of=("self",)).select_related("merged").get(pk=merge_id)
        memory = memory_of(record, found)
        survivor, other = found[0], record.merged
        hang(memory, other)
        take_out(memory, record)
        bring_back(survivor, other, memory)
        Merge.objects.filter(pk=record.pk).undo(by=by)
        first, second = sorted([survivor.pk, other.pk])
        pair, _ = Likeness.objects.get_or_create(first_id=first, second_id=second, defaults={"because": "merged"})
        Likeness.objects.filter(pk=pair.pk).refuse(by=by)
    record.refresh_from_db()
    return record


def effects_of_undoing(record: Merge) -> list[str]:
    """What undoing would do, in sentences, for the page that asks for confirmation. Only of one that is undoable."""
    memory: dict[str, Any] = record.memory or {}
    first, second = (Supporter(name=memory[e]["name"], email=memory[e]["email"]) for e in ("survivor", "other"))
    moves = [
        f"{len(memory[kind])} {what}{'' if len(memory[kind]) == 1 else 's'}"
        for kind, what in (("adoptions", "adoption"), ("declarations", "Gift Aid declaration"))
    ]
    return [
        f"Number {record.merged_id} is a supporter again: {second}.",
        f"To them go back {' and '.join(moves)}, and what they had said about news and staff had noted.",
        f"Number {record.survivor_id} is {first} again, but for what was changed since the merge.",
        f"What came since the merge (payments, mails, wishes) stays with number {record.survivor_id}.",
        "They are not suggested as one person again. Nobody is mailed.",
    ]


def memory_of(record: Merge, found: list[Supporter]) -> dict[str, Any]:
    """What there is to bring back, or a sentence why it cannot be."""
    if not Merge.objects.filter(pk=record.pk).undoable().exists():
        raise CannotMerge("It was undone before, or was done more than thirty days ago.")
    if not found:
        raise CannotMerge("Whoever stayed was merged once more, or erased. Undo the later merge first.")
    memory: dict[str, Any] = record.memory or {}
    emails = [memory[each]["email"] for each in ("survivor", "other")]
    is_taken = Q(email__iexact=emails[0]) | Q(email__iexact=emails[1])
    if Supporter.objects.filter(is_taken).exclude(pk=found[0].pk).exists():
        raise CannotMerge("One of the addresses belongs to somebody new by now. Merge them first, then look again.")
    return memory


def take_out(memory: dict[str, Any], record: Merge) -> None:
    """What the merge itself wrote. A refusal that came later from the person stays, and its bar with it."""
    made = memory["made"]
    FormerAddress.objects.filter(pk__in=made["former"]).delete()
    events = ConsentEvent.objects.filter(pk__in=made["consents"])
    unlocked("adoptions.ConsentEvent:append_only", events.delete)
    bars = Suppression.objects.filter(pk__in=made["suppressions"])
    for bar in bars:
        later = ConsentEvent.objects.filter(address_hash=bar.address_hash, state="withdrawn", at__gt=record.at)
        if not later.exists():
            bar.delete()


def bring_back(survivor: Supporter, other: Supporter, memory: dict[str, Any]) -> None:
    """What the survivor changed since the merge stays changed."""
    kept, before = memory["kept"], memory["survivor"]
    now = columns(survivor)
    back = {name: before[name] for name in before if now[name] == kept[name]}
    Supporter.objects.filter(pk=survivor.pk).update(**as_columns(back))
    Supporter.objects.filter(pk=other.pk).update(**as_columns(memory["other"]), erased_at=None)


def as_columns(values: dict[str, Any]) -> dict[str, Any]:
    told = values.get("told_until")
    return {**values, **({"told_until": parse_datetime(told)} if told else {})}


def refuse(first: int, second: int, *, by: Any) -> None:
    """Not the same person; never suggested again."""
    one, other = sorted([first, second])
    pair, _ = Likeness.objects.get_or_create(first_id=one, second_id=other, defaults={"because": "said by staff"})
    Likeness.objects.filter(pk=pair.pk).refuse(by=by)
