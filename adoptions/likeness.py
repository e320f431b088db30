"""Supporters who may be one person, twice in our books: suggested to staff, never joined by a program.

Each supporter is looked up in the indexes by what they are known by, and only the few found there are compared; so one
costs the same among a thousand as among a million. A task goes round through all, whoever waited longest first.
"""

import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

from django.db.models import F, Q
from django.utils import timezone

from config.long_lists import a_few, by_index_alone, with_words

from .models import FormerAddress, Gift, GiftAidDeclaration, Likeness, Supporter

AT_ONCE = 200  # a few seconds: mails wait behind it
MOST_NAMESAKES = 40  # of a name that so many have, the name says nothing
ALIKE_NAMES = 4, 5  # of five letters, four in the same order
ALIKE_ADDRESSES = 17, 20

type Reasons = dict[int, set[str]]


def look_round() -> int:
    """Compare those who were compared longest ago; how many pairs are new."""
    waiting = Supporter.objects.filter(erased_at=None).order_by(F("compared_at").asc(nulls_first=True), "pk")
    found = 0
    for supporter in waiting[:AT_ONCE]:
        found += suggest(supporter)
        Supporter.objects.filter(pk=supporter.pk).update(compared_at=timezone.now())
    return found


def suggest(supporter: Supporter) -> int:
    """Keep the pairs of one supporter. What staff refused stays refused."""
    known = set(Likeness.objects.about(supporter.pk).values_list("first_id", "second_id"))
    pairs = [
        Likeness(first_id=first, second_id=second, because=", ".join(sorted(reasons))[:200])
        for other, reasons in alike(supporter).items()
        for first, second in [sorted([supporter.pk, other])]
        if (first, second) not in known
    ]
    Likeness.objects.bulk_create(pairs, ignore_conflicts=True)
    return len(pairs)


def alike(supporter: Supporter) -> Reasons:
    """Who else they may be, and why."""
    parts = (namesakes(supporter), neighbours(supporter), of_address(supporter), giving_to_the_same(supporter))
    reasons: Reasons = {}
    for part in parts:
        for pk, why in part.items():
            reasons.setdefault(pk, set()).update(why)
    reasons.pop(supporter.pk, None)
    return reasons


def people(pks: Iterable[int]) -> list[Supporter]:
    return list(Supporter.objects.filter(pk__in=set(pks), erased_at=None))


def namesakes(supporter: Supporter) -> Reasons:
    """The same name, and an address that is like theirs by a slip of the pen, or none."""
    words = supporter.name.split()
    if len(words) < 2:
        return {}
    others = people(by_index_alone(a_few(with_words(Supporter.objects.all(), "name", words))))
    same = [each for each in others if bare(each.name) == bare(supporter.name)]
    if len(same) > MOST_NAMESAKES:
        return {}
    found: Reasons = {}
    for each in same:
        if not (each.has_email and supporter.has_email):
            found[each.pk] = {"same name, one without email"}
        elif are_alike(local(each), local(supporter), ALIKE_ADDRESSES):
            found[each.pk] = {"same name, addresses alike"}
    return found


def neighbours(supporter: Supporter) -> Reasons:
    """A name that is like theirs, under the same postcode."""
    codes = list(GiftAidDeclaration.objects.filter(supporter=supporter).values_list("postcode", flat=True)[:9])
    if not codes:
        return {}
    there = by_index_alone(a_few(GiftAidDeclaration.objects.filter(postcode__in=codes), "supporter"))
    return {
        each.pk: {"same name and postcode" if bare(each.name) == bare(supporter.name) else "name alike, same postcode"}
        for each in people(there)
        if are_alike(bare(each.name), bare(supporter.name), ALIKE_NAMES)
    }


def of_address(supporter: Supporter) -> Reasons:
    """Who had the address before, and who has one that they had; or one that differs in its second half alone."""
    if not supporter.has_email:
        return {}
    had = FormerAddress.objects.filter(email__istartswith=supporter.email, email__iexact=supporter.email)
    found: Reasons = {pk: {"had the address before"} for pk in by_index_alone(a_few(had, "supporter"))}
    for email in supporter.former_addresses.values_list("email", flat=True)[:9]:
        now = Supporter.objects.filter(email__iexact=email)
        found |= {pk: {"has an address of theirs"} for pk in by_index_alone(a_few(now))}
    beginning = supporter.email.rpartition("@")[0] + "@"
    for each in people(by_index_alone(a_few(Supporter.objects.filter(email__istartswith=beginning)))):
        if are_alike(bare(each.name), bare(supporter.name), ALIKE_NAMES):
            found.setdefault(each.pk, set()).add("name alike, same address but for its end")
    return found


def giving_to_the_same(supporter: Supporter) -> Reasons:
    """A name that is like theirs, and a present to the same recipient."""
    mine = Gift.objects.filter(adoption__supporter=supporter).exclude(recipient_email="")
    found: Reasons = {}
    for email in mine.values_list("recipient_email", flat=True)[:9]:
        given = Gift.objects.filter(email_is(email))
        for each in people(by_index_alone(a_few(given, "adoption__supporter"))):
            if are_alike(bare(each.name), bare(supporter.name), ALIKE_NAMES):
                found[each.pk] = {"name alike, a present to the same person"}
    return found


def email_is(email: str) -> Q:
    """By the index that knows addresses by their beginning."""
    return Q(recipient_email__istartswith=email, recipient_email__iexact=email)


# --- comparing words --------------------------------------------------------------------------------------------------


def bare(name: str) -> str:
    """Without accents, capitals and whatever is no letter, its words in the order of the alphabet."""
    letters = "".join(
        each if each.isalnum() else " "
        for each in unicodedata.normalize("NFKD", name).casefold()
        if not unicodedata.category(each).startswith("M")
    )
    return " ".join(sorted(letters.split()))


def local(supporter: Supporter) -> str:
    return supporter.email.lower()


def are_alike(one: str, other: str, least: tuple[int, int]) -> bool:
    """How many of the letters of both stand in both, in the same order; `least` as a fraction."""
    if not one or not other:
        return False
    same = 2 * sum(block.size for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks())
    share, of = least
    return same * of >= share * (len(one) + len(other))
