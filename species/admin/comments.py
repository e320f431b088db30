"""The moderators' queue: what waits comes first, and each decision is one press from the list or the comment."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from species.models import Comment, CommentDecision, CommentStatus
from species.models.comments import CommentQuerySet

LIST_AND_FORM = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]
EVERYTHING = "all"


class StatusFilter(admin.SimpleListFilter):
    """Opens on what waits; everything is one press further."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        others = [(status.value, str(status.label)) for status in CommentStatus if status != CommentStatus.PENDING]
        return [*others, (EVERYTHING, "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> QuerySet[Comment]:
        wanted = self.value() or CommentStatus.PENDING
        return queryset if wanted == EVERYTHING else queryset.filter(status=wanted)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            is_default = choice["query_string"] == changelist.get_query_string(remove=[self.parameter_name])
            yield choice | {"display": CommentStatus.PENDING.label} if is_default else choice


class DecisionInline(admin.TabularInline[CommentDecision, Comment]):
    model = CommentDecision
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
class CommentAdmin(admin.ModelAdmin[Comment]):
    """Words are read here and never edited: what is approved is what its writer wrote."""

    list_display = ["excerpt", "name", "species", "sent", "status", "held_because"]
    list_display_links = ["excerpt"]
    list_filter = [StatusFilter, "species", "created_at"]
    list_select_related = ["species"]
    list_per_page = 20
    show_full_result_count = False
    search_fields = ["name", "email", "body"]
    search_help_text = "Name, email address or words"
    actions = ["approve", "reject", "reject_unkind", "reject_personal", "reject_off_topic", "mark_spam", "reopen"]
    inlines = [DecisionInline]
    fields = [
        ("species", "parent"),
        ("name", "email"),
        "words",
        ("created_at", "held_because"),
        ("status", "moderated_at", "moderated_by"),
        "reason",
    ]
    readonly_fields = [
        "species",
        "parent",
        "name",
        "email",
        "words",
        "created_at",
        "held_because",
        "status",
        "moderated_at",
        "moderated_by",
        "reason",
    ]

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

    @admin.action(description="Approve", permissions=["change"], location=LIST_AND_FORM)
    def approve(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._tell(request, "Approved", queryset.approve(by=_moderator(request)), queryset)

    @admin.action(description="Reject", permissions=["change"], location=LIST_AND_FORM)
    def reject(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._tell(request, "Rejected", queryset.reject(by=_moderator(request)), queryset)

    @admin.action(description="Reject: unkind", permissions=["change"], location=LIST_AND_FORM)
    def reject_unkind(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        moved = queryset.reject(by=_moderator(request), reason="Unkind to somebody")
        self._tell(request, "Rejected", moved, queryset)

    @admin.action(description="Reject: personal details", permissions=["change"], location=LIST_AND_FORM)
    def reject_personal(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        moved = queryset.reject(by=_moderator(request), reason="Gives somebody's personal details")
        self._tell(request, "Rejected", moved, queryset)

    @admin.action(description="Reject: off topic", permissions=["change"], location=LIST_AND_FORM)
    def reject_off_topic(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        moved = queryset.reject(by=_moderator(request), reason="Not about this species")
        self._tell(request, "Rejected", moved, queryset)

    @admin.action(description="Spam", permissions=["change"], location=LIST_AND_FORM)
    def mark_spam(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._tell(request, "Marked as spam", queryset.mark_spam(by=_moderator(request)), queryset)

    @admin.action(description="Undo: back to the queue", permissions=["change"], location=LIST_AND_FORM)
    def reopen(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._tell(request, "Back in the queue", queryset.reopen(by=_moderator(request)), queryset)

    def _tell(self, request: HttpRequest, act: str, moved: int, queryset: CommentQuerySet) -> None:
        """Say how many moved; none means that somebody else was quicker, which is worth knowing."""
        if moved:
            self.message_user(request, f"{act}: {moved}.", messages.SUCCESS)
        else:
            self.message_user(request, "Nothing changed: somebody has already decided.", messages.WARNING)


def _moderator(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
