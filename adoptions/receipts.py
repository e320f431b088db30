"""The receipt of one payment, on paper: an A4 page as an accessible PDF, typeset as the certificate is."""

from django.utils import timezone, translation
from django.utils.formats import date_format

from config.money import pounds
from config.typesetting import compile_page

from . import gift_aid
from .certificates import TEMPLATES, charity_lines, choose_letters, printable
from .models import Payment


def render(payment: Payment) -> bytes:
    """One page, tagged after PDF/UA-1. Same payment, same words: but for what went back since."""
    with translation.override("en-gb"):
        name, in_name = choose_letters(printable(payment.adoption.supporter.name))
        declared, in_declared = choose_letters(printable(gift_aid.sentence_about(payment)))
        rows = rows_of(payment, name, declared)
        values = charity_lines() | {
            "amount": pounds(payment.amount_pence),
            "date": date_format(timezone.localtime(payment.occurred_at), "j F Y"),
            "reference": payment.adoption.reference,
            "rows": "\n".join(f"{label}: {value}" for label, value in rows),
        }
    page = TEMPLATES.joinpath("receipt.typ")
    has_system_fonts = in_name or in_declared
    return compile_page(page, values, has_system_fonts=has_system_fonts, format="pdf", pdf_standards="ua-1")


def rows_of(payment: Payment, name: str, declared: str) -> list[tuple[str, str]]:
    """What stands on it, label by label."""
    adoption = payment.adoption
    present = ", a present" if adoption.is_gift else ""
    rows = [("Received from", name)]
    if payment.card_last4:
        rows.append(("Paid with", f"the card or account ending {payment.card_last4}"))
    elif payment.is_by_hand:
        rows.append(("Paid by", payment.get_method_display().lower()))
    rows += [
        ("For", f"Adoption of the {adoption.species.common_name}{present}, {adoption.get_frequency_display().lower()}"),
        ("Gift Aid", declared),
        ("Reference", adoption.reference),
        ("Payment", payment.known_as),
    ]
    for reversal in payment.reversals.all():
        day = date_format(timezone.localtime(reversal.occurred_at), "j F Y")
        rows.append((reversal.get_kind_display(), f"{pounds(reversal.amount_pence)} on {day}"))
    return rows
