"""What staff must look at, oldest open first, each with the buttons that settle it."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from config.asking_first import asked_first
from config.desk_page import Step, see
from config.fields_by_right import FieldsByRight
from config.fresh_sign_in import fresh_sign_in_required
from config.long_lists import LongList, a_few
from config.money import pounds
from config.read_only import ReadOnly

from .. import finding, refund_wishes, refunds, shield, taking_over
from ..models import Attention, AttentionKind, Closure, Payment, PaymentKind
from ..models.attention import AttentionQuerySet
from ..stripe_gateway import StripeRefused, StripeUnavailable


class IsOpen(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("open", "To look at"), ("done", "Dealt with")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attention]) -> QuerySet[Attention]:
        if self.value() == "done":
            return queryset.exclude(resolved_at=None)
        return queryset.filter(resolved_at=None) if self.value() == "open" else queryset


@admin.register(Attention)
class AttentionAdmin(FieldsByRight, ReadOnly, LongList[Attention]):
    list_display = ["opened_at", "kind", "adoption", "reason", "resolved_at", "resolved_by"]
    list_filter = [IsOpen, "kind", "opened_at"]
    list_select_related = ["adoption", "resolved_by"]
    sortable_by = []
    search_fields = ["key"]
    search_help_text = "The reference of the adoption, or the id at Stripe"
    ordering = [F("resolved_at").desc(nulls_first=True), "opened_at"]
    actions = ["resolve"]
    fields = [
        *("kind", "reason", "adoption_link", "refund_link", "key", "opened_at"),
        *("asked_by", "asked_at", "resolved_at", "resolved_by", "how"),
    ]
    readonly_fields = ["adoption_link", "refund_link"]
    needs = {"refund_link": "adoptions.add_refundrequest"}
    change_form_template = "admin/adoptions/attention/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "adoptions_attention"
        return [
            path("<int:pk>/resolve/", wrap(resolve), name=f"{name}_resolve"),
            path("<int:pk>/give-back/", wrap(give_back), name=f"{name}_give_back"),
            path("<int:pk>/release/", wrap(release), name=f"{name}_release"),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: Attention | None = None) -> Any:
        """What is empty says nothing: who asked to give back, and who dealt with it."""
        fields = super().get_fields(request, obj)
        not_yet = {"asked_by", "asked_at"} if obj and not obj.asked_at else set()
        not_yet |= {"resolved_at", "resolved_by", "how"} if obj and not obj.resolved_at else set()
        return [name for name in fields if name not in not_yet]

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        ours = a_few(finding.by_reference(words[0]))
        by_key = [Attention.objects.filter(kind=kind, key=words[0]) for kind in AttentionKind]
        return [Attention.objects.filter(adoption__in=ours), *by_key]

    @admin.display(description="Adoption")
    def adoption_link(self, attention: Attention) -> str:
        if attention.adoption is None:
            return "None in particular."
        address = reverse("admin:adoptions_adoption_change", args=[attention.adoption.pk])
        return format_html('<a href="{}">{}</a>', address, attention.adoption)

    @admin.display(description="Refund")
    def refund_link(self, attention: Attention) -> str:
        """Of the payment that is asked for, or of the newest where giving back is the likely answer."""
        if attention.kind == AttentionKind.REFUND_ASKED:
            payment = Payment.objects.filter(pk=refund_wishes.payment_id_of(attention)).first()
            return link_to_refund(payment) if payment and not attention.resolved_at else "—"
        offers = attention.kind in {AttentionKind.TWICE, AttentionKind.FRAUD_WARNING}
        if not offers or attention.adoption is None or attention.key.startswith("cs_"):
            return "—"
        payment = attention.adoption.payments.filter(kind=PaymentKind.CHARGE).first()
        if payment is None:
            return "Nothing has been paid."
        return link_to_refund(payment)

    @admin.action(description="Mark as dealt with", permissions=["resolve"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Attention]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        count = to_settle(request).filter(pk__in=chosen).resolve(by=staff(request), how="Looked at.")
        if count:
            self.message_user(request, f"{count} marked as dealt with.", messages.SUCCESS)
        if left := len(chosen) - count:
            words = f"{left} left as before: dealt with already, or not yours to say."
            self.message_user(request, words, messages.WARNING)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Of some rows at least; which, says `to_settle`."""
        return request.user.has_perm("adoptions.change_attention") or request.user.has_perms(taking_over.MAY_OFFER)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown = context["original"]
        context["may_settle"] = to_settle(request).filter(pk=shown.pk).exists()
        return super().render_change_form(request, context, *args, **kwargs)


def link_to_refund(payment: Payment) -> str:
    return format_html('<a href="{}">Refund the payment</a>', refund_wishes.page_that_refunds(payment))


def staff(request: HttpRequest) -> AbstractBaseUser:
    if not isinstance(request.user, AbstractBaseUser):
        raise PermissionDenied
    return request.user


def to_settle(request: HttpRequest) -> AttentionQuerySet:
    """All for who looks after payments; for who offered a take-over, what became of that one."""
    if request.user.has_perm("adoptions.change_attention"):
        return Attention.objects.all()
    return taking_over.to_settle(cast(User, staff(request)))


def found(request: HttpRequest, pk: int, *, permission: str = "adoptions.change_attention") -> Attention:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    return get_object_or_404(Attention.objects.open().select_related("adoption"), pk=pk)


def back() -> HttpResponse:
    return see(reverse("admin:adoptions_attention_changelist") + "?state=open")


@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    attention = get_object_or_404(to_settle(request), pk=pk)
    how = request.POST.get("how", "").strip() or "Looked at."
    if Attention.objects.filter(pk=attention.pk).resolve(by=staff(request), how=how):
        messages.success(request, "Marked as dealt with.")
    else:
        messages.warning(request, "Somebody was first: it was dealt with already.")
    return back()


@require_POST
@fresh_sign_in_required(to="send")
def give_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Success only after Stripe shows that all of it went back."""
    attention = found(request, pk, permission="adoptions.add_refundrequest")
    says = [attention.reason]
    if attention.adoption:
        says.append(f"It is about {attention.adoption} of {attention.adoption.supporter}, which goes on as it is.")
    says.append("What the second page began is stopped, and all that was paid on it goes back. It cannot be undone.")
    most = pounds(settings.REFUND_ALONE_PENCE)
    says.append(f"If that is more than {most}, its money waits until a second person has pressed the button as well.")
    if attention.asked_by:
        says.append(f"{attention.asked_by} has asked for it.")
    says.append("It is not in our books, before or after, and nobody is mailed: please write to them.")
    trail: list[Step] = [Attention, attention]
    here = reverse("admin:adoptions_attention_change", args=[pk])
    if page := asked_first(request, "Give it back?", says, trail=trail, button="Give it back", back=here):
        return page
    return tried(request, lambda: refunds.give_back_second_page(attention, by=staff(request)), "All of it went back.")


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    attention = found(request, pk)
    return tried(request, lambda: shield.release(attention, by=staff(request)), "Released: they can pay again.")


def tried(request: HttpRequest, act: Callable[[], None], success: str) -> HttpResponse:
    try:
        act()
        messages.success(request, success)
    except refunds.WaitsForSecond:
        messages.warning(request, "No money went back yet: it goes when a second person has pressed the button here.")
    except refunds.CannotRefund as error:
        messages.error(request, str(error))
    except (StripeRefused, StripeUnavailable):
        messages.error(request, "Stripe did not do all of it. Nothing is lost: press the button again in a minute.")
    return back()


@admin.register(Closure)
class ClosureAdmin(ReadOnly, admin.ModelAdmin[Closure]):
    """Who may open no page at Stripe for now. Only digests are known of them."""

    list_display = ["closed_at", "whom", "because", "until", "released_at", "released_by"]
    list_filter = ["whom", "closed_at"]
    list_select_related = ["released_by"]
    actions = ["release"]
    show_full_result_count = False

    @admin.action(description="Release", permissions=["release"])
    def release(self, request: HttpRequest, queryset: QuerySet[Closure]) -> None:
        count = sum(shield.release_closure(closure, by=staff(request)) for closure in queryset)
        self.message_user(request, f"{count} released.", messages.SUCCESS)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("adoptions.change_closure")
