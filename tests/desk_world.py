"""One row of everything the admin shows, and the address of each of its pages, taken from the URLconf.

A page that is added is found by itself. Where its address needs a row that nothing here makes, or an argument that
nothing here fills, it has no place, and the tests that visit every page say so.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max

from adoptions import reports
from adoptions.exchange import exports, imports
from adoptions.exchange.choosing import Choice
from adoptions.models import (
    Adoption,
    Attention,
    Campaign,
    CampaignDay,
    Change,
    Closure,
    Comparison,
    Complaint,
    ConsentEvent,
    Difference,
    ExportLayout,
    FailedRenewal,
    Gift,
    GiftAidDeclaration,
    HandEntry,
    Likeness,
    Merge,
    Note,
    Payment,
    PaymentLink,
    RefundRequest,
    SendList,
    StripeEvent,
    Supporter,
)
from config.models import AuditEntry, BlockedLoad, Mail, MailWords
from species.models import Comment, Conflict, Picture, PopulationCount, SpeciesThreat, Threat
from tests.makers import make_active_adoption, make_adoption, make_campaign, make_payment, make_supporter
from tests.species.makers import make_fact, make_field_note, make_text

LIST_OF_PAST = (
    b"reference,email,name,species,frequency,amount_pounds,began_at,payment_id,paid_at,paid_pounds\n"
    b"A-1,sam@example.org,Sam,amur-leopard,monthly,5,2024-01-15,P-1,2024-01-15,5\n"
    b"A-2,sam@example.org,Sam,unicorn,monthly,5,2024-01-15,P-2,2024-01-15,5.125\n"
)
LIST_OF_PEOPLE = b"name,email\nSam,sam@example.org\nNobody,\n"
# Arguments of addresses that are no numbers of rows: each of them is a page of its own.
WORDS = {
    "app_list": ["adoptions", "auth", "config", "django_tasks_database", "species"],
    "adoptions_campaign_code": ["png", "svg"],
    "mail_words": ["receipt"],
    "mail_words_preview": ["receipt"],
}
# Where each row is another kind of page.
EACH_ROW = {"adoptions_exportedfile_save", "adoptions_importedfile_look"}
NUMBERS = {"pk", "object_id", "id"}
OF_A_MODEL = re.compile(r"(\w+)_(changelist|add|history|delete|change)$")


def make_desk(by: User) -> Adoption:
    """What `by` could meet in a working life, so that no page is empty; the adoption that most of it hangs on."""
    campaign = make_campaign(landing_text="Welcome, readers.", statement="£2 of each gift is the agency’s.")
    adoption = make_active_adoption(
        frequency="monthly", amount_pence=500, stripe_subscription_id="sub_1", is_gift=True, campaign=campaign
    )
    make_money_and_trouble(adoption, by)
    make_papers(adoption.supporter, adoption, by)
    make_records(adoption, by)
    make_content(by)
    reports.gather()
    make_files(by)
    return adoption


def make_money_and_trouble(adoption: Adoption, by: User) -> None:
    now, payment = timezone.now(), adoption.payments.get()
    rung = make_adoption(source="phone", entered_by=by, stripe_session_id="cs_2")
    PaymentLink.objects.create(adoption=rung, expires_at=now + timedelta(days=7))
    cheque = make_payment(make_active_adoption(source="paper", entered_by=by), method="cheque", stripe_id="")
    HandEntry.objects.create(payment=cheque, request=uuid4(), entered_by=by, note="Cheque", reference="12")
    Gift.objects.create(adoption=adoption, recipient_name="Ellie", message="Be well")
    Attention.objects.create(kind="fraud_warning", key="fw_1", adoption=adoption, reason="The bank doubts it.")
    Difference.objects.create(kind="missing", stripe_id="ch_2", adoption=adoption, note="Not here")
    asked = {"public_id": uuid4(), "amount_pence": 1, "reason": "duplicate", "by": by, "needs_second": True}
    RefundRequest.objects.create(payment=payment, note="Twice", **asked)
    failed = {"invoice_id": "in_1", "amount_pence": 500, "failed_at": now, "reason": "expired_card"}
    FailedRenewal.objects.create(adoption=adoption, **failed)
    Change.objects.create(adoption=adoption, act="amount", detail="from £3 to £5", by=by)
    Closure.objects.create(whom="network", digest="a", because="Ten cards", until=now + timedelta(hours=1))
    Comparison.objects.create(started_at=now, finished_at=now, days=1)
    StripeEvent.objects.create(id="evt_1", type="charge.refunded", object_id="ch_1", body=b"{}", error="It broke")
    CampaignDay.objects.create(campaign=Campaign.objects.get(), day=date(2026, 11, 1), landings=3000)
    SendList.objects.create(campaign=Campaign.objects.get(), sent_on=date(2026, 11, 1), addresses=2, entered_by=by)


def make_papers(supporter: Supporter, adoption: Adoption, by: User) -> None:
    now = timezone.now()
    GiftAidDeclaration.objects.create(
        supporter=supporter,
        adoption=adoption,
        first_name="Amara",
        last_name="Supporter",
        address="1 High Street",
        postcode="B1 1AA",
        charity_name="The Trust",
        wording_version="1",
        wording="I am a taxpayer.",
        channel="oral",
        entered_by=by,
        covers_from=now.date(),
    )
    said = {"address_hash": "a", "state": "granted", "basis": "consent", "wording": "Yes", "page": "/"}
    ConsentEvent.objects.create(supporter=supporter, at=now, campaign_code="leopard26", **said)
    Note.objects.create(supporter=supporter, request=uuid4(), words="Rang in May.", by=by)
    Complaint.objects.create(about="data", name="Sam", email="sam@example.org", words="Stop. " * 40)
    Mail.objects.create(
        key="a", kind="receipt", to=supporter.email, subject="Thank you", text="Dear", html="Dear", message_id="<a>"
    )
    MailWords.objects.create(kind="receipt", subject="Thank you", body="Dear supporter")
    zoe, former = make_supporter("Zoe Supporter", "zoe@example.org"), make_supporter("Zo", "zo@example.org")
    Likeness.objects.create(first=supporter, second=zoe, because="the same postcode")
    Merge.objects.create(survivor=supporter, merged=former, by=by, memory={})


def make_records(adoption: Adoption, by: User) -> None:
    AuditEntry.objects.create(by=by, act="looked", what="adoptions.supporter", rows=["1"], how="Look", path="/admin/")
    BlockedLoad.objects.create(day=date(2026, 11, 1), rule="img-src", source="https://planted.example", page="home")
    DBTaskResult.objects.create(
        args_kwargs={"args": [1], "kwargs": {}},
        priority=0,
        task_path="config.mail.deliver",
        worker_ids=[],
        queue_name="default",
        backend_name="default",
        run_after=get_date_max(),
        exception_class_path="",
        traceback="",
    )
    Group.objects.get_or_create(name="Moderator")
    said = {"species": adoption.species, "email": "sam@example.org", "body": "Hello"}
    comment = Comment.objects.create(name="Sam", **said)
    Comment.objects.create(name="Sam again", **said | {"body": "Once more", "parent": None})
    Comment.objects.filter(pk=comment.pk).approve(by=by)


def make_content(by: User) -> None:
    fact = make_fact("adults", group="population", label="Adults", point=129, unit="adults", period="2023")
    make_text("They live in woods.", title="Woods", summary="Woods")
    threat = Threat.objects.create(slug="roads", name="Roads", summary="They cut.")
    SpeciesThreat.objects.create(species=fact.species, threat=threat)
    make_field_note(place="A ridge")
    Conflict.objects.create(species=fact.species, key="how-many", topic="How many?", show="Both")
    counted = {"start": 2020, "end": 2023, "place": "Russia", "series": "cameras", "unit": "adults", "point": 129}
    PopulationCount.objects.create(species=fact.species, method="cameras", confidence="high", **counted)
    shown = {"file": "pictures/cat.jpg", "width": 8, "height": 6, "alt": "A cat", "author": "Ann", "licence": "CC0"}
    Picture.objects.create(species=fact.species, **shown)


def make_files(by: User) -> None:
    """Lists that came and that go; nothing is left to be written or read."""
    for layout in ExportLayout:
        exports.ask(layout, Choice(), by=by)
    listed = imports.keep([LIST_OF_PEOPLE], name="fair.csv", by=by)
    past = imports.keep([LIST_OF_PAST], name="past.csv", by=by, what="past")
    for file in (listed, past):
        imports.look_through(file.pk, until=timedelta(days=10**6))


def own_screens(patterns: list[URLPattern | URLResolver] | None = None, path: str = "") -> Iterator[tuple[str, str]]:
    """Name and path of every address of the admin."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from own_screens(pattern.url_patterns, here)
        elif here.startswith("admin/") and pattern.name:
            yield pattern.name, here


def model_of(path: str) -> type[Model] | None:
    """Whose screen a path stands on."""
    screens = {f"admin/{model._meta.label_lower.replace('.', '/')}/": model for model in admin.site._registry}
    return next((model for start, model in screens.items() if path.startswith(start)), None)


def chosen() -> dict[str, dict[str, Any]]:
    """Arguments that are numbers of other rows than those of the screen, or of only some of them."""
    by_hand = {"payment_id": Payment.objects.get(method="cheque").pk}
    through_stripe = {"payment_id": Payment.objects.filter(method="stripe").earliest("pk").pk}
    alike = Likeness.objects.get()
    return {
        "refund": through_stripe,
        "ask_refund": through_stripe,
        "refund_by_hand": by_hand,
        "take_back_payment": by_hand,
        "receipt_for_post": by_hand,
        "payment_link": {"adoption_id": PaymentLink.objects.get().adoption_id},
        "change_plan": {"adoption_id": Adoption.objects.earliest("pk").pk},
        "take_over": {"adoption_id": Adoption.objects.earliest("pk").pk},
        "merge_supporters": {"pk": alike.first_id, "other_id": alike.second_id},
        "undo_merge": {"pk": Merge.objects.get().pk},
        "adoptions_campaign_forget_list": {"number": SendList.objects.get().pk},
    }


def queries(name: str) -> str:
    if name == "adoptions_campaign_preview":
        return f"?campaign={Campaign.objects.earliest('pk').pk}"
    return "?term=a&app_label=adoptions&model_name=adoption&field_name=supporter" if name == "autocomplete" else ""


def words_of(name: str) -> list[str]:
    return [report.slug for report in reports.all_reports()] if name == "reports_csv" else WORDS[name]


def is_for_nobody(name: str, path: str) -> bool:
    """Django gives each screen a page to add and one to delete; where nobody may, it is no page."""
    found, model, request = OF_A_MODEL.search(name), model_of(path), RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    if not found or not model:
        return False
    screen = admin.site._registry[model]
    return (found[2] == "add" and not screen.has_add_permission(request)) or (
        found[2] == "delete" and not screen.has_delete_permission(request)
    )


def addresses() -> Iterator[tuple[str, str]]:
    """The name and the address of each page of the admin; LookupError for one without a place."""
    fixed_by_name = chosen()
    for name, path in own_screens():
        if name == "view_on_site" or is_for_nobody(name, path):  # the first leads to a page of the public site
            continue
        fixed, model = fixed_by_name.get(name, {}), model_of(path)
        fixed = {"revision": 1} if name.endswith("_put_in_place") else fixed
        arguments = {"app_label"} if name == "app_list" else set(re.findall(r"<(?:\w+:)?(\w+)>", path))
        left = arguments - set(fixed)
        number, word = next(iter(left & NUMBERS), ""), next(iter(left & {"kind", "app_label"}), "")
        rows = None if name in EACH_ROW else 1
        many = list(model._default_manager.order_by("pk")[:rows]) if number and model else [None]
        if left - {number, word} or not many:
            raise LookupError(f"{name} has no place in the sweep: say in desk_world what stands in {path}")
        for row in many:
            for said in words_of(name) if word else [""]:
                found = fixed | ({number: row.pk} if row else {}) | ({word: said} if word else {})
                yield name, reverse(f"admin:{name}", kwargs=found) + queries(name)
