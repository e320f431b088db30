"""Complaints, what is due first on top; acknowledged and answered on a page of their own, and never edited."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from config.desk_page import desk_page, see
from config.fields_by_right import FieldsByRight
from config.long_lists import LongList
from config.models import Mail
from config.read_only import ReadOnly

from .. import complaints
from ..complaint_forms import AnswerForm
from ..entry_forms import ComplaintEntryForm
from ..models import Complaint, ComplaintOutcome
from .attention import staff


class IsOpen(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("open", "To answer"), ("late", "To answer, older than 21 days"), ("done", "Answered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Complaint]) -> QuerySet[Complaint]:
        match self.value():
            case "open":
                return queryset & Complaint.objects.open()
            case "late":
                return queryset & Complaint.objects.late()
            case "done":
                return queryset.exclude(closed_at=None)
        return queryset


@admin.register(Complaint)
class ComplaintAdmin(FieldsByRight, ReadOnly, LongList[Complaint]):
    change_list_template = "admin/adoptions/complaint/list.html"
    list_display = ["reference", "left", "about", "name", "received_at", "acknowledged_at", "outcome", "closed_by"]
    list_filter = [IsOpen, "about", "outcome", "received_at"]
    list_select_related = ["closed_by"]
    sortable_by = []
    search_fields = ["reference"]
    search_help_text = "The reference of the complaint, or the whole address of who complained"
    ordering = [F("closed_at").desc(nulls_first=True), "received_at"]
    fields = [
        *(
            "reference",
            "about",
            "source",
            "entered_by",
            "name",
            "email",
            "words",
            "received_at",
            "left",
            "acknowledged_at",
            "mails",
            "to_do",
        ),
        *("outcome", "answer", "closed_at", "closed_by", "erased_at"),
    ]
    readonly_fields = ["left", "mails", "to_do"]
    needs = {"to_do": "adoptions.change_complaint"}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("enter/", wrap(enter_complaint), name="enter_complaint"),
            path("<int:pk>/answer/", wrap(answer_complaint), name="adoptions_complaint_answer"),
            *super().get_urls(),
        ]

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        reference = words[0].upper().removeprefix("CP-")
        return [Complaint.objects.filter(reference=f"CP-{reference}"), Complaint.objects.by_address(words[0])]

    @admin.display(description="Days left")
    def left(self, complaint: Complaint) -> str:
        if not complaint.is_open:
            return "—"
        left = complaint.days_left
        return f"{left} (until {complaint.due_on:%d/%m/%Y})" if left >= 0 else f"overdue by {-left}"

    @admin.display(description="Mails")
    def mails(self, complaint: Complaint) -> str:
        """Whether the acknowledgement and the answer have got through."""
        keys = [f"{kind}:{complaint.reference}" for kind in ("complaint_received", "complaint_answered")]
        sent = Mail.objects.filter(key__in=keys).order_by("pk")
        lines = ((mail.subject, mail.get_state_display()) for mail in sent)
        return format_html_join(SafeString("<br>"), "{}: {}", lines) or "None."

    @admin.display(description="What to do")
    def to_do(self, complaint: Complaint) -> str:
        if not complaint.is_open:
            return "Nothing: it is answered."
        address = reverse("admin:adoptions_complaint_answer", args=[complaint.pk])
        return format_html('<a href="{}">Acknowledge or answer it</a>', address)


@require_http_methods(["GET", "HEAD", "POST"])
def answer_complaint(request: HttpRequest, pk: int) -> HttpResponse:
    """Step one takes the words, step two shows what will be sent, step three sends it."""
    if not request.user.has_perm("adoptions.change_complaint"):
        raise PermissionDenied
    complaint = get_object_or_404(Complaint, pk=pk)
    step = request.POST.get("step", "")
    if not complaint.is_open:
        return already_answered(request, complaint)
    if step == "acknowledge":
        is_first = complaints.acknowledge(complaint)
        done = "Acknowledged by mail." if complaint.email else "Noted: acknowledged by post."
        messages.success(request, done if is_first else "That was done before.")
        return back_to(complaint)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if not form.is_valid() or step == "change":
        return page(request, complaint, form)
    if step != "send":
        return page(request, complaint, form, finding=form.finding)
    if not complaints.answer(complaint, outcome=form.finding, words=form.cleaned_data["answer"], by=staff(request)):
        return already_answered(request, complaint)
    is_owed = form.finding != ComplaintOutcome.NO_COMPLAINT
    sent = "Closed, and the answer is on its way." if complaint.email else "Closed. Print the answer below and post it."
    messages.success(request, sent if is_owed else "Closed. Nothing was sent.")
    return back_to(complaint)


@require_http_methods(["GET", "HEAD", "POST"])
def enter_complaint(request: HttpRequest) -> HttpResponse:
    """What somebody said on the phone, wrote in a letter or said at the door."""
    if not request.user.has_perm("adoptions.change_complaint"):
        raise PermissionDenied
    form = ComplaintEntryForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        complaint = form.write_down(by=staff(request))
        if complaint:
            sent = f"{complaint.email} is told." if complaint.email else "Post them a letter, then acknowledge it here."
            messages.success(request, f"Written down, due on {complaint.due_on:%d/%m/%Y}. {sent}")
            return back_to(complaint)
        form.add_error("words", "The same was written down before, and waits for an answer.")
    return desk_page(request, "admin/adoptions/enter_complaint.html", "Enter a complaint", trail=[Complaint], form=form)


def already_answered(request: HttpRequest, complaint: Complaint) -> HttpResponse:
    """By a colleague, or by the same button a moment ago: never twice."""
    messages.warning(request, "This complaint is already answered. Nothing was sent again.")
    return back_to(complaint)


def page(
    request: HttpRequest, complaint: Complaint, form: AnswerForm, finding: ComplaintOutcome | None = None
) -> HttpResponse:
    return desk_page(
        request,
        "admin/adoptions/answer_complaint.html",
        f"Answer complaint {complaint}",
        trail=[Complaint, complaint],
        here="Answer",
        form=form,
        complaint=complaint,
        **(confirmation(complaint, form, finding) if finding else {}),
    )


def confirmation(complaint: Complaint, form: AnswerForm, finding: ComplaintOutcome) -> dict[str, Any]:
    """What the last button would do, in sentences, and the words that go out."""
    effects = [f"The complaint is closed: {finding.label}. That cannot be undone."]
    if finding == ComplaintOutcome.NO_COMPLAINT:
        return {"effects": [*effects, "Nothing is sent."], "button": "Close without a mail"}
    again = "with how to have it looked at again"
    again += " and how to go to the Information Commissioner" if complaint.is_about_data else ""
    if complaint.email:
        effects.append(f"These words go to {complaint.email}, {again}:")
    else:
        effects.append(f"Nothing is mailed, for there is no address: print these words and post them, {again}:")
    button = "Send the answer and close" if complaint.email else "Close: I post the answer"
    return {"effects": effects, "quoted": form.cleaned_data["answer"], "button": button}


def back_to(complaint: Complaint) -> HttpResponse:
    return see(reverse("admin:adoptions_complaint_change", args=[complaint.pk]))
