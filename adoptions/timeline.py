"""Everything that happened between a supporter and the charity, in one list: for staff who answer the phone.

Each source asks one question of the database, and nobody is shown a line about rows they may not see.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.models import PermissionsMixin as HasPermissions
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from config.models import Act, AuditEntry, Mail
from config.money import pounds
from species.models import Comment

from . import consent, details, gift_aid
from .models import (
    AccessLink,
    Adoption,
    Attention,
    Change,
    Complaint,
    ConsentEvent,
    FormerAddress,
    Gift,
    GiftAidDeclaration,
    HandEntry,
    Merge,
    Note,
    PastPayment,
    Payment,
    PaymentLink,
    RefundRequest,
    Source,
    Supporter,
    Takeover,
)

MOST_OF_A_KIND = 200


@dataclass(frozen=True)
class Moment:
    """One thing that happened, and the page of the admin where it stands, if it has one.

    `by`: staff, or empty for everybody else.
    """

    at: datetime
    kind: str
    words: str
    address: str
    by: str = ""


def of(supporter: Supporter, user: AbstractBaseUser | AnonymousUser) -> list[Moment]:
    """Newest first, as far as this member of staff may see it."""
    found = [
        moment
        for permission, moments in SOURCES
        if isinstance(user, HasPermissions) and user.has_perm(permission)
        for moment in moments(supporter)
    ]
    return sorted(found, key=lambda moment: moment.at, reverse=True)


def standing(supporter: Supporter) -> list[tuple[str, str]]:
    """How things are now, for the head of the page."""
    event = ConsentEvent.objects.filter(supporter=supporter).first()
    news = f"yes, by {event.get_basis_display().lower()}" if event and consent.may_send_news(supporter) else "no"
    declared = gift_aid.standing_of(supporter)
    received = Payment.objects.filter(adoption__supporter=supporter).balance_pence()
    return [
        ("Received", pounds(received)),
        ("News by email", news),
        ("Gift Aid", f"declared for gifts from {declared[0].covers_from:%d/%m/%Y} on" if declared else "not declared"),
    ]


def page(name: str, pk: object) -> str:
    return reverse(f"admin:{name}_change", args=[pk])


def adoptions(supporter: Supporter) -> Iterator[Moment]:
    rows = Adoption.objects.filter(supporter=supporter).select_related(
        "species", "entered_by", "payment_link__withdrawn_by", "takeover__former"
    )
    for adoption in rows[:MOST_OF_A_KIND]:
        address = page("adoptions_adoption", adoption.pk)
        what = f"{adoption.species.common_name}, {adoption.price}, {adoption.reference}"
        came = "" if adoption.source == Source.WEB else f" {adoption.get_source_display().lower()}"
        asked = f"Asked for{came}: {what}. Now: {adoption.get_state_display()}."
        takeover: Takeover | None = getattr(adoption, "takeover", None)
        asked += f" It takes over {takeover.former}." if takeover else ""
        yield Moment(adoption.created_at, "Adoption", asked, address, name_of(adoption.entered_by))
        if adoption.activated_at:
            yield Moment(adoption.activated_at, "Adoption", f"Began: {what}.", address)
            certificate = reverse("adoptions:certificate", args=[adoption.token])
            yield Moment(adoption.activated_at, "Certificate", f"Certificate {adoption.reference}.", certificate)
        if adoption.ended_at:
            yield Moment(adoption.ended_at, "Adoption", f"Ended: {what}.", address)
        link: PaymentLink | None = getattr(adoption, "payment_link", None)
        if link and link.withdrawn_at:
            words = f"Payment link withdrawn: {what}."
            yield Moment(link.withdrawn_at, "Adoption", words, address, name_of(link.withdrawn_by))


def takeovers(supporter: Supporter) -> Iterator[Moment]:
    """Links for others to go on with what they pay for, as it was asked; when it came true is a change of theirs."""
    rows = Takeover.objects.filter(former__supporter=supporter).select_related("former", "successor__entered_by")
    for takeover in rows[:MOST_OF_A_KIND]:
        successor = takeover.successor
        words = f"Somebody else was mailed a link to take over {takeover.former}: {successor}, "
        words += f"{successor.get_state_display().lower()}."
        address = page("adoptions_adoption", successor.pk)
        yield Moment(takeover.offered_at, "Adoption", words, address, name_of(successor.entered_by))


def money(supporter: Supporter) -> Iterator[Moment]:
    rows = Payment.objects.filter(adoption__supporter=supporter).select_related(
        "adoption", "hand_entry__entered_by", "past"
    )
    for payment in rows[:MOST_OF_A_KIND]:
        way = f", card or account ending {payment.card_last4}" if payment.card_last4 else ""
        entry: HandEntry | None = getattr(payment, "hand_entry", None)
        if entry:
            why = f": {entry.get_because_display().lower()}" if entry.because else ""
            way = f", {entry}".rstrip().lower() + why
        past: PastPayment | None = getattr(payment, "past", None)
        if past:
            way = f", brought in: {payment.get_method_display().lower()}, there known as {past}"
        words = f"{payment.get_kind_display()} {pounds(payment.amount_pence)}{way}, {payment.adoption.reference}."
        words += f" {entry.note}" if entry and entry.note else ""
        by = name_of(entry.entered_by) if entry else ""
        yield Moment(payment.occurred_at, "Money", words, page("adoptions_adoption", payment.adoption_id), by)


def changes(supporter: Supporter) -> Iterator[Moment]:
    rows = Change.objects.filter(adoption__supporter=supporter).select_related("adoption", "by")
    for change in rows[:MOST_OF_A_KIND]:
        came = "Done" if change.done_at else (change.refused and f"Refused: {change.refused}") or "Not answered yet"
        words = f"{change} ({change.adoption.reference}). {came}."
        yield Moment(
            change.asked_at, "Change", words, page("adoptions_adoption", change.adoption_id), name_of(change.by)
        )


def refunds(supporter: Supporter) -> Iterator[Moment]:
    rows = RefundRequest.objects.filter(payment__adoption__supporter=supporter).select_related("payment", "by")
    for request in rows[:MOST_OF_A_KIND]:
        open_yet = "waits for a second person" if request.waits_for_second else "not answered yet"
        came = request.refused or ("made" if request.stripe_refund_id else open_yet)
        words = (
            f"Refund of {pounds(request.amount_pence)}: {request.get_reason_display().lower()}. {request.note} ({came})"
        )
        address = page("adoptions_adoption", request.payment.adoption_id)
        yield Moment(request.asked_at, "Refund", words, address, name_of(request.by))


def attentions(supporter: Supporter) -> Iterator[Moment]:
    rows = Attention.objects.filter(adoption__supporter=supporter).select_related("resolved_by")
    for attention in rows[:MOST_OF_A_KIND]:
        address = page("adoptions_attention", attention.pk)
        yield Moment(attention.opened_at, "Staff", f"{attention.get_kind_display()}: {attention.reason}", address)
        if attention.resolved_at:
            words = f"{attention.get_kind_display()}: {attention.how}"
            yield Moment(attention.resolved_at, "Staff", words, address, name_of(attention.resolved_by))


def gifts(supporter: Supporter) -> Iterator[Moment]:
    for gift in Gift.objects.filter(adoption__supporter=supporter).select_related("adoption")[:MOST_OF_A_KIND]:
        address = page("adoptions_gift", gift.pk)
        whom = f"Present {gift}" if gift.recipient_name else "Present, its recipient erased"
        yield Moment(gift.adoption.created_at, "Gift", f"{whom}. Now: {gift.get_state_display().lower()}.", address)
        happened = (("sent", gift.sent_at), ("opened", gift.opened_at), ("thanked for", gift.thanked_at))
        for what, at in (*happened, ("recipient erased", gift.erased_at)):
            if at:
                yield Moment(at, "Gift", f"{whom}: {what}.", address)


HOW_TOLD = {source.label.lower() for source in Source}  # by phone, on paper: what colleagues wrote down has no page


def consents(supporter: Supporter) -> Iterator[Moment]:
    for event in ConsentEvent.objects.filter(supporter=supporter).select_related("by")[:MOST_OF_A_KIND]:
        ground = f" ({event.get_basis_display().lower()}, words of {event.wording_version})" if event.basis else ""
        where = event.page if event.page in HOW_TOLD else f"at {event.page}"
        words = f"News by email: {event.get_state_display().lower()}{ground}, {where}"
        yield Moment(event.at, "Consent", words, page("adoptions_consentevent", event.pk), name_of(event.by))


def declarations(supporter: Supporter) -> Iterator[Moment]:
    rows = GiftAidDeclaration.objects.filter(supporter=supporter).select_related("cancelled_by", "entered_by")
    for declaration in rows[:MOST_OF_A_KIND]:
        address = page("adoptions_giftaiddeclaration", declaration.pk)
        who = f"{declaration.first_name} {declaration.last_name}, {declaration.postcode}"
        how = f"{declaration.get_channel_display().lower()}, for gifts from {declaration.covers_from:%d/%m/%Y} on"
        yield Moment(
            declaration.given_at, "Gift Aid", f"Declared by {who}, {how}.", address, name_of(declaration.entered_by)
        )
        if declaration.record_sent_at:
            yield Moment(declaration.record_sent_at, "Gift Aid", f"Written record sent: {who}.", address)
        if declaration.cancelled_on:
            day = timezone.make_aware(datetime.combine(declaration.cancelled_on, time()))
            words = (
                f"Not for gifts from {declaration.cancelled_on:%d/%m/%Y} on ({who}). {declaration.cancelled_because}"
            )
            yield Moment(day, "Gift Aid", words, address, name_of(declaration.cancelled_by))


def access(supporter: Supporter) -> Iterator[Moment]:
    """Links asked for, which are kept for a day, and the addresses they had."""
    here = page("adoptions_supporter", supporter.pk)
    for link in AccessLink.objects.filter(supporter=supporter)[:MOST_OF_A_KIND]:
        what = f"{link.get_purpose_display()}, by a link to {link.email}"
        yield Moment(link.asked_at, "Access", f"Asked: {what}.", here)
        if link.used_at:
            yield Moment(link.used_at, "Access", f"Done: {what}.", here)
    for former in FormerAddress.objects.filter(supporter=supporter)[:MOST_OF_A_KIND]:
        yield Moment(former.until, "Access", f"Address changed. It was {former.email} until then.", here)


def notes(supporter: Supporter) -> Iterator[Moment]:
    """They stand nowhere else."""
    for note in Note.objects.filter(supporter=supporter).select_related("by")[:MOST_OF_A_KIND]:
        yield Moment(note.at, "Note", note.words, "", name_of(note.by))


def mails(supporter: Supporter) -> Iterator[Moment]:
    """Theirs, at the address of the time, and those to whom they gave a present."""
    given = Gift.objects.filter(adoption__supporter=supporter).values_list("pk", flat=True)[:MOST_OF_A_KIND]
    about = details.mails_to(supporter)
    for pk in given:
        about |= Q(key__startswith=f"gift_message:{pk}:")
    for mail in Mail.objects.filter(about)[:MOST_OF_A_KIND]:
        fate = f"{mail.get_state_display()}. {mail.error}".strip()
        to = "" if mail.to.lower() == supporter.email.lower() else f" to {mail.to}"
        yield Moment(mail.created_at, "Mail", f"“{mail.subject}”{to}: {fate}", page("config_mail", mail.pk))


def comments(supporter: Supporter) -> Iterator[Moment]:
    for email in details.addresses_of(supporter):
        for comment in Comment.objects.by_address(email).select_related("species")[:MOST_OF_A_KIND]:
            state = comment.get_status_display().lower()
            words = f"On the {comment.species.common_name}: “{comment.body[:120]}” ({state})"
            yield Moment(comment.created_at, "Comment", words, page("species_comment", comment.pk))


def merges(supporter: Supporter) -> Iterator[Moment]:
    for merge in Merge.objects.filter(survivor=supporter).select_related("by", "undone_by")[:MOST_OF_A_KIND]:
        address, other = page("adoptions_merge", merge.pk), f"number {merge.merged_id}"
        yield Moment(merge.at, "Staff", f"Joined with {other}, who was the same person.", address, name_of(merge.by))
        if merge.undone_at:
            words = f"Parted from {other} again."
            yield Moment(merge.undone_at, "Staff", words, address, name_of(merge.undone_by))


def complaints(supporter: Supporter) -> Iterator[Moment]:
    """From any address of theirs; the words are for who opens it."""
    theirs = reduce(or_, (Q(email__iexact=email) for email in details.addresses_of(supporter)))
    rows = Complaint.objects.filter(theirs).select_related("closed_by", "entered_by")
    for complaint in rows[:MOST_OF_A_KIND]:
        address = page("adoptions_complaint", complaint.pk)
        came = f"{complaint.reference} {complaint.get_source_display().lower()}"
        words = f"Complaint {came}: {complaint.get_about_display().lower()}."
        yield Moment(complaint.received_at, "Complaint", words, address, name_of(complaint.entered_by))
        if complaint.acknowledged_at:
            yield Moment(complaint.acknowledged_at, "Complaint", f"Acknowledged: {complaint}.", address)
        if complaint.closed_at:
            words = f"Answered: {complaint}. {complaint.get_outcome_display()}."
            yield Moment(complaint.closed_at, "Complaint", words, address, name_of(complaint.closed_by))


def numbers_of(supporter: Supporter) -> list[int]:
    """Theirs, and those of the rows that were joined with it."""
    joined = Merge.objects.standing().filter(survivor=supporter).values_list("merged_id", flat=True)
    return [supporter.pk, *joined]


def acts_of_staff(supporter: Supporter) -> Iterator[Moment]:
    """What was changed in the admin, as Django keeps it."""
    own = {
        Supporter: numbers_of(supporter),
        Adoption: Adoption.objects.filter(supporter=supporter).values_list("pk", flat=True),
        Gift: Gift.objects.filter(adoption__supporter=supporter).values_list("pk", flat=True),
    }
    about = Q(pk=None)
    for model, pks in own.items():
        kind = ContentType.objects.get_for_model(model)
        about |= Q(content_type=kind, object_id__in=[str(pk) for pk in pks])
    for entry in LogEntry.objects.filter(about).select_related("user", "content_type")[:MOST_OF_A_KIND]:
        words = f"{entry.content_type}: {entry.get_change_message() or entry.get_action_flag_display()}"
        yield Moment(entry.action_time, "Staff", words, entry.get_admin_url() or "", name_of(entry.user))


def looks_of_staff(supporter: Supporter) -> Iterator[Moment]:
    """Who looked at them, or took them out in a file, once a day; lists they stood in with others are left out."""
    own = {
        "supporter": Supporter.objects.filter(pk__in=numbers_of(supporter)),
        "adoption": Adoption.objects.filter(supporter=supporter),
        "gift": Gift.objects.filter(adoption__supporter=supporter),
        "payment": Payment.objects.filter(adoption__supporter=supporter),
    }
    about = Q(pk=None)
    for name, rows in own.items():
        pks = [str(pk) for pk in rows.values_list("pk", flat=True)[:MOST_OF_A_KIND]]
        about |= Q(what=f"adoptions.{name}", rows__overlap=pks)
    entries = AuditEntry.objects.filter(about, act__in=[Act.LOOKED, Act.EXPORTED]).select_related("by")
    # Sorted by what has no index, or all of the log would be walked through in its order to find these few.
    days: dict[tuple[date, str, str], list[AuditEntry]] = {}
    for entry in entries.order_by((F("pk") + 0).desc())[:MOST_OF_A_KIND]:
        days.setdefault((timezone.localdate(entry.at), name_of(entry.by), entry.act), []).append(entry)
    for (_, by, act), looks in days.items():
        words = "Looked at them" if act == Act.LOOKED else "Took out a file with them"
        words += f", {len(looks)} times that day" if len(looks) > 1 else ""
        yield Moment(looks[0].at, "Look", words, page("config_auditentry", looks[0].pk), by)


def name_of(user: Any) -> str:
    return str(user) if user else ""


SOURCES: list[tuple[str, Callable[[Supporter], Iterator[Moment]]]] = [
    ("adoptions.view_adoption", adoptions),
    ("adoptions.view_adoption", takeovers),
    ("adoptions.view_supporter", access),
    ("adoptions.view_payment", money),
    ("adoptions.view_change", changes),
    ("adoptions.view_refundrequest", refunds),
    ("adoptions.view_attention", attentions),
    ("adoptions.view_gift", gifts),
    ("adoptions.view_merge", merges),
    ("adoptions.view_consentevent", consents),
    ("adoptions.view_giftaiddeclaration", declarations),
    ("adoptions.view_note", notes),
    ("config.view_mail", mails),
    ("species.view_comment", comments),
    ("adoptions.view_complaint", complaints),
    ("admin.view_logentry", acts_of_staff),
    ("config.view_auditentry", looks_of_staff),
]
