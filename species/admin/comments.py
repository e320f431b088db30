"""Comments for moderators: the queue, one at a time, and the list, where many can be decided on at once."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from config.long_lists import LongList, with_words
from species import moderation
from species.models import Comment, CommentDecision, CommentStatus
from species.models.comments import CommentQuerySet
from species.views import moderating

LIST_AND_FORM = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]
EVERYTHING = "all"


class SeenAt(ActionForm):
    """Remembers when the list was read: what a writer has changed since then stays where it is."""

    seen_at = forms.DateTimeField(label="", required=False, initial=timezone.now, widget=forms.HiddenInput)


class ReportedFilter(admin.SimpleListFilter):
    title = "reports"
    parameter_name = "reported"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Reported by readers")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> QuerySet[Comment]:
        return queryset.filter(report_count__gt=0) if self.value() == "yes" else queryset


class StatusFilter(admin.SimpleListFilter):
    """Opens on what waits; everything is one press further."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        others = [(status.value, str(status.label)) for status in CommentStatus if status != CommentStatus.PENDING]
        return [*others, (EVERYTHING, "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> QuerySet[Comment]:
        # What readers report is shown already, so it is looked for everywhere.
        wanted = self.value() or (EVERYTHING if request.GET.get("reported") else CommentStatus.PENDING)
        return queryset if wanted == EVERYTHING else queryset.filter(status=wanted)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            is_default = choice["query_string"] == changelist.get_query_string(remove=[self.parameter_name])
            yield choice | {"display": CommentStatus.PENDING.label} if is_default else choice


class DecisionInline(admin.TabularInline[CommentDecision, Comment]):
    model = CommentDecision
    template = "admin/rows.html"
    extra = 0
    can_delete = False
    fields = ["at", "was", "became", "by", "reason"]
    readonly_fields = ["at", "was", "became", "by", "reason"]
    verbose_name_plural = "History"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CommentDecision]:
        return super().get_queryset(request).select_related("by")

    def has_add_permission(self, request: HttpRequest, obj: Comment | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Comment | None = None) -> bool:
        return False


@admin.register(Comment)
class CommentAdmin(LongList[Comment]):
    """Words are read here and never edited: what is approved is what its writer wrote."""

    change_list_template = "admin/species/comment/change_list.html"
    action_form = SeenAt
    list_display = ["excerpt", "name", "species", "sent", "status", "held_because", "report_count"]
    list_display_links = ["excerpt"]
    list_filter = [StatusFilter, ReportedFilter, "species", "created_at"]
    list_select_related = ["species"]
    list_per_page = 20
    sortable_by = []
    search_fields = ["name"]
    search_help_text = "The beginnings of names and words, or a whole email address"
    actions = [
        "approve",
        "reject",
        "reject_unkind",
        "reject_personal",
        "reject_off_topic",
        "mark_spam",
        "reopen",
        "dismiss",
    ]
    inlines = [DecisionInline]
    fields = [
        ("species", "parent"),
        ("name", "email"),
        "words",
        "masked_body",
        ("created_at", "edited_at"),
        ("held_because", "suspicion", "report_count"),
        ("network", "wants_replies"),
        ("status", "moderated_at", "moderated_by"),
        "reason",
    ]
    readonly_fields = [
        "species",
        "parent",
        "name",
        "email",
        "words",
        "masked_body",
        "created_at",
        "edited_at",
        "held_because",
        "suspicion",
        "report_count",
        "network",
        "wants_replies",
        "status",
        "moderated_at",
        "moderated_by",
        "reason",
    ]

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        by_address = [Comment.objects.by_address(words[0])] if len(words) == 1 else []
        return [with_words(Comment.objects.all(), ("name", "body"), words, config="simple"), *by_address]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Comment | None = None) -> bool:
        return False

    @admin.display(description="Comment")
    def excerpt(self, comment: Comment) -> str:
        return Truncator(comment.body).chars(160)

    @admin.display(description="Sent", ordering="created_at")
    def sent(self, comment: Comment) -> str:
        return date_format(timezone.localtime(comment.created_at), "j M, H:i")

    @admin.display(description="Comment")
    def words(self, comment: Comment) -> SafeString:
        lines = ((line,) for line in comment.body.splitlines() if line.strip())
        return format_html_join("", "<p><bdi>{}</bdi></p>", lines)

    def get_urls(self) -> list[URLPattern]:
        queue = self.admin_site.admin_view(self.queue)
        return [path("queue/", queue, name="species_comment_queue"), *super().get_urls()]

    def queue(self, request: HttpRequest) -> HttpResponse:
        """One comment after the other, for a phone."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return moderating.queue(request, by=_moderator(request), is_signed_in=True)

    @admin.action(description="Approve", permissions=["change"], location=LIST_AND_FORM)
    def approve(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        moved = moderation.approve(_chosen(queryset), by=_moderator(request), seen_at=_seen_at(request))
        self._tell(request, "Approved", moved)

    @admin.action(description="Reject", permissions=["change"], location=LIST_AND_FORM)
    def reject(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._reject(request, queryset, "")

    @admin.action(description="Reject: unkind", permissions=["change"], location=LIST_AND_FORM)
    def reject_unkind(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._reject(request, queryset, moderation.Reason.UNKIND)

    @admin.action(description="Reject: personal details", permissions=["change"], location=LIST_AND_FORM)
    def reject_personal(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._reject(request, queryset, moderation.Reason.PERSONAL)

    @admin.action(description="Reject: off topic", permissions=["change"], location=LIST_AND_FORM)
    def reject_off_topic(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._reject(request, queryset, moderation.Reason.OFF_TOPIC)

    @admin.action(description="Spam", permissions=["change"], location=LIST_AND_FORM)
    def mark_spam(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        moved = moderation.mark_spam(_chosen(queryset), by=_moderator(request), seen_at=_seen_at(request))
        self._tell(request, "Marked as spam", moved)

    @admin.action(description="Undo: back to the queue", permissions=["change"], location=LIST_AND_FORM)
    def reopen(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._tell(request, "Back in the queue", moderation.reopen(_chosen(queryset), by=_moderator(request)))

    @admin.action(description="Reports: looked at, leave it", permissions=["change"], location=LIST_AND_FORM)
    def dismiss(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        moved = Comment.objects.filter(pk__in=_chosen(queryset)).dismiss_reports()
        self._tell(request, "Left as they are", moved)

    def _reject(self, request: HttpRequest, queryset: CommentQuerySet, reason: str) -> None:
        moved = moderation.reject(_chosen(queryset), by=_moderator(request), reason=reason, seen_at=_seen_at(request))
        self._tell(request, "Rejected", moved)

    def _tell(self, request: HttpRequest, act: str, moved: int) -> None:
        """Say how many moved; none means that somebody else was quicker, which is worth knowing."""
        if moved:
            self.message_user(request, f"{act}: {moved}.", messages.SUCCESS)
        else:
            self.message_user(request, "Nothing changed: somebody has already decided.", messages.WARNING)


def _chosen(queryset: CommentQuerySet) -> list[int]:
    return list(queryset.order_by().values_list("pk", flat=True))


def _seen_at(request: HttpRequest) -> datetime | None:
    """When the list was read; without it, nothing can be said about changes since."""
    form = SeenAt(request.POST)
    form.is_valid()
    seen_at: datetime | None = form.cleaned_data.get("seen_at")
    return seen_at


def _moderator(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
