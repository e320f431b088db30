"""How staff find an adoption, a supporter, a present or a payment by what somebody says on the telephone.

One query for each index that may know it, each of them capped: see config/long_lists.py.
"""

import re
from typing import Any

from django.db.models import QuerySet

from config.long_lists import a_few, with_words

from .gift_aid_forms import whole_postcode
from .models import Adoption, ConsentEvent, Gift, GiftAidDeclaration, Payment, Supporter

type Rows = QuerySet[Any]

# What stands before the eight letters of a reference: with any dash or stop, or written in one with all eight.
BEFORE_REFERENCE = re.compile(r"PM(?:[\W_]+|(?=\w{8}\Z))")


def alone(words: list[str]) -> str:
    """What can be a reference, an address or an id: a word by itself, or a reference read out in pieces."""
    if len(words) > 1 and re.match(r"PM(?:\W|\Z)", words[0].upper()):
        return "PM-" + BEFORE_REFERENCE.sub("", "".join(words).upper(), count=1)
    return words[0] if len(words) == 1 else ""


def is_last4(word: str) -> bool:
    return len(word) == 4 and word.isascii() and word.isdigit()


def by_reference(word: str) -> Rows:
    """`PM-7K4T9QXR`, its beginning, or without the letters before it, in any case and with any dash or none."""
    text = word.upper()
    before = BEFORE_REFERENCE.match(text)
    return Adoption.objects.filter(reference__startswith=f"PM-{text[before.end() :] if before else text}")


def supporters(words: list[str]) -> list[Rows]:
    return [with_words(Supporter.objects.all(), "name", words), *not_by_name(alone(words))]


def not_by_name(word: str) -> list[Rows]:
    """Supporters by their address or by the reference of an adoption of theirs."""
    if not word:
        return []
    by_address = Supporter.objects.filter(email__istartswith=word)
    return [by_address, Supporter.objects.filter(pk__in=a_few(by_reference(word), "supporter"))]


def consent_events(words: list[str]) -> list[Rows]:
    return [ConsentEvent.objects.filter(supporter__in=a_few(people)) for people in supporters(words)]


def declarations(words: list[str]) -> list[Rows]:
    """By the name that was declared, which need not be how they are known to us; by whole postcodes alone."""
    rows = GiftAidDeclaration.objects.all()
    found: list[Rows] = [with_words(rows, ("first_name", "last_name"), words)]
    if code := whole_postcode(" ".join(words)):
        found.append(rows.filter(postcode=code))
    return [*found, *(rows.filter(supporter__in=a_few(people)) for people in not_by_name(alone(words)))]


def gifts(words: list[str]) -> list[Rows]:
    found: list[Rows] = [with_words(Gift.objects.all(), "recipient_name", words)]
    if word := alone(words):
        found.append(Gift.objects.filter(recipient_email__istartswith=word))
        found.append(Gift.objects.filter(adoption__in=a_few(by_reference(word))))
        givers = a_few(Supporter.objects.filter(email__istartswith=word))
        found.append(Gift.objects.filter(adoption__in=a_few(Adoption.objects.filter(supporter__in=givers))))
    return found


def by_id_of_payment(word: str) -> list[Rows]:
    """Stripe's id of a charge, refund or dispute, or of the invoice."""
    return [Payment.objects.filter(stripe_id=word), Payment.objects.filter(invoice_id=word).exclude(invoice_id="")]


def by_last4(word: str) -> Rows:
    return Payment.objects.filter(card_last4=word)


def payments(words: list[str]) -> list[Rows]:
    word = alone(words)
    ours = Payment.objects.filter(adoption__in=a_few(by_reference(word))) if word else Payment.objects.none()
    return [*by_id_of_payment(word), ours, *([by_last4(word)] if is_last4(word) else [])]


def adoptions(words: list[str]) -> list[Rows]:
    rows = Adoption.objects.all()
    found: list[Rows] = [
        rows.filter(supporter__in=a_few(with_words(Supporter.objects.all(), "name", words))),
        rows.filter(pk__in=a_few(with_words(Gift.objects.all(), "recipient_name", words), "adoption")),
    ]
    if word := alone(words):
        found += [
            by_reference(word),
            rows.filter(supporter__in=a_few(Supporter.objects.filter(email__istartswith=word))),
            rows.filter(stripe_session_id=word),
            rows.filter(stripe_subscription_id=word),
            *(rows.filter(pk__in=a_few(part, "adoption")) for part in payments(words)),
        ]
    return found
