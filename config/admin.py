"""What operators and auditors look at: mails, their words, and what staff did."""

import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.csp import CSP
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import get_text_list
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods, require_safe
from django_otp.plugins.otp_static.admin import StaticDeviceAdmin  # noqa: F401  registers what is taken out below
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDeviceAdmin  # noqa: F401  the same
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import account_notices, log, mail, mail_words_page, second_step, tasks_admin
from .asking_first import asks_first
from .desk_page import see_back
from .fresh_sign_in import fresh_sign_in_required
from .long_lists import COUNTED, LongList, a_few
from .mail_kinds import name_of
from .models import SENT_ANEW_ELSEWHERE, AuditEntry, BlockedLoad, Mail, MailWords
from .read_only import ReadOnly
from .two_editors import ToldOfColleagues

__all__ = ["tasks_admin"]
SHOWN = ["what", "to", "subject", "state", "attempts", "not_before", "sent_at", "failed_at", "error", "words"]
SHOWN += ["html_link", "key", "message_id"]
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")  # that goes with a link to sign in


class IsStuck(admin.SimpleListFilter):
    title = "getting through"
    parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Not: given up, come back this week, or late")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        """By their numbers: each half has an index of its own, and the list has another."""
        if self.value() != "yes":
            return queryset
        now = timezone.now()
        halves = (mail.given_up(now=now), mail.late(now=now))
        return queryset.filter(pk__in={pk for half in halves for pk in half.values_list("pk", flat=True)[:COUNTED]})


class ByKind(admin.AllValuesFieldListFilter):
    """Those that are in the log, by their names."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        everything, *kinds = super().choices(changelist)
        yield everything
        named = ({**each, "display": name_of(str(each["display"]))} for each in kinds)
        yield from sorted(named, key=lambda each: str(each["display"]))


SENDS = "Each goes to its address once more, as it was then, where it was sent or given up before."


@admin.register(Mail)
class MailAdmin(LongList[Mail]):
    """The log of every mail, as it was sent. Nothing here can be edited; a mail can be sent again."""

    list_display = ["created_at", "what", "to", "subject", "state", "attempts", "sent_at", "error"]
    list_filter = [IsStuck, "state", ("kind", ByKind), "created_at"]
    sortable_by = []
    search_fields = ["to"]
    search_help_text = "The address, or the key"
    actions = ["send_again"]
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

    def get_urls(self) -> list[URLPattern]:
        return [path("<int:pk>/html/", self.admin_site.admin_view(show_html), name="mail_html"), *super().get_urls()]

    @admin.display(description="Kind")
    def what(self, letter: Mail) -> str:
        return name_of(letter.kind)

    @admin.display(description="Words")
    def words(self, letter: Mail) -> str:
        return without_keys(letter.text)

    @admin.display(description="With its looks")
    def html_link(self, letter: Mail) -> str:
        return format_html('<a href="{}">Open the HTML part</a>', reverse("admin:mail_html", args=[letter.pk]))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "state__in" or super().lookup_allowed(lookup, value, request)

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        return [Mail.objects.filter(to__istartswith=words[0]), Mail.objects.filter(key__startswith=words[0])]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Mail | None = None) -> bool:
        return False

    @admin.action(
        description="Send again",
        permissions=["change"],
        location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
    )
    @asks_first(SENDS, from_rows=2)
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> HttpResponse:
        chosen = Mail.objects.filter(pk__in=queryset.values("pk"))
        ids = list(chosen.sendable_again().values_list("pk", flat=True))
        count = Mail.objects.filter(pk__in=ids).send_again()
        for mail_id in ids:
            mail.deliver.enqueue(mail_id)
        self.message_user(request, f"{count} queued to be sent again.", messages.SUCCESS)
        if left := chosen.filter(kind__in=SENT_ANEW_ELSEWHERE).count():
            words = f"{left} left out: what they are about may have changed since. Send them again from there."
            self.message_user(request, words, messages.WARNING)
        return see_back(request, request.get_full_path())


def without_keys(words: str) -> str:
    """Who reads what was sent must not be able to be the person it was sent to: the mail is the only proof of that."""
    return CODE.sub("(code)", log.SECRET.sub("(secret)", words))


# Whatever a mail holds, it runs nothing, loads nothing and leads nowhere from here.
@csp_override({"default-src": [CSP.NONE], "style-src": [CSP.UNSAFE_INLINE], "sandbox": [""]})
@require_safe
def show_html(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.has_perm("config.view_mail"):
        raise PermissionDenied
    return HttpResponse(without_keys(get_object_or_404(Mail, pk=pk).html))


@admin.register(MailWords)
class MailWordsAdmin(admin.ModelAdmin[MailWords]):
    """One page with every kind of mail; its words are edited on a page of their own, in config/mail_words_page.py."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(mail_words_page.all_kinds), name="config_mailwords_changelist"),
            path("<slug:kind>/words/", wrap(mail_words_page.edit), name="mail_words"),
            path("<slug:kind>/words/preview/", wrap(mail_words_page.preview), name="mail_words_preview"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MailWords | None = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, LongList[AuditEntry]):
    """What staff saw, took out and changed. Nobody can alter it: the database itself refuses."""

    list_display = ["at", "by", "act", "what", "how_many", "how", "network"]
    list_filter = ["act", "at"]
    list_select_related = ["by"]
    sortable_by = []
    search_fields = ["path"]
    search_help_text = "A member of staff; a row by its number; or both kind and number, as: supporter 17"
    fields = ["at", "by", "act", "what", "which", "how", "path", "network"]
    readonly_fields = ["which"]

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        entries = AuditEntry.objects
        colleagues = a_few(User.objects.filter(username__istartswith=words[0]))
        number = entries.filter(rows__contains=[words[-1]])
        of_kind = number.filter(what__endswith=f".{words[0].lower()}") if len(words) == 2 else number
        return [of_kind, *([] if len(words) == 2 else [entries.filter(by__in=colleagues)])]

    @admin.display(description="Which")
    def how_many(self, entry: AuditEntry) -> str:
        return ", ".join(entry.rows) if len(entry.rows) < 4 else f"{len(entry.rows)} rows"

    @admin.display(description="Which")
    def which(self, entry: AuditEntry) -> str:
        return ", ".join(entry.rows)


@admin.register(BlockedLoad)
class BlockedLoadAdmin(ReadOnly, LongList[BlockedLoad]):
    list_display = ["day", "source", "rule", "page", "times", "last_at"]
    list_filter = ["day", "rule"]
    sortable_by = []


# Keys and codes are nobody's to look at or to type in.
admin.site.unregister([User, Group, StaticDevice, TOTPDevice])


def asks_once_more[Screen: type[admin.ModelAdmin[Any]]](screen: Screen) -> Screen:
    """Of a screen that lets people in: looking is free, and whoever changes something shows first who they are."""
    for name in ("add_view", "change_view", "changelist_view", "delete_view", "user_change_password"):
        if hasattr(screen, name):
            # A password that was typed is not carried through the question, so its form comes after it.
            is_free_to_see = name in {"change_view", "changelist_view"}
            guard = fresh_sign_in_required(to="send" if is_free_to_see else "see")
            method_decorator(guard, name=name)(screen)
    return screen


@admin.register(Group)
@asks_once_more
class RoleAdmin(ToldOfColleagues[Group], GroupAdmin):
    """Beside what config/roles.py gives each."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """In place of every permission of it by number: who loses it."""
        _, _, refused, protected = super().get_deleted_objects(objs, request)
        have = [(role, role.user_set.values_list("username", flat=True)) for role in objs]
        lines = [f"{role}: taken from {get_text_list(list(who), 'and') or 'nobody'}" for role, who in have]
        return lines, {"roles": len(lines)}, refused, protected


FORGETS = (
    "Their phone and their recovery codes open nothing any more, and whoever knows their password sets up the second "
    "step anew. Ring them before you press: somebody may only say that it is them."
)


@admin.register(User)
@asks_once_more
class StaffAdmin(ToldOfColleagues[User], UserAdmin[User]):
    moves_by_itself = ("last_login", "password")
    list_display = ["username", "email", "first_name", "last_name", "is_active", "has_second_step"]
    actions = ["forget_second_step"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).annotate(has_device=Exists(devices))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        before = User.objects.select_for_update(no_key=True).get(pk=obj.pk) if change else None
        super().save_model(request, obj, form, change)
        if before:
            account_notices.tell_of_changes(request, before, obj)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        with transaction.atomic():
            before = self.get_object(request, unquote(id))
            response = super().user_change_password(request, id, form_url)
            if before:
                account_notices.tell_of_changes(request, before, User.objects.get(pk=before.pk))
        return response

    @admin.display(description="Second step", boolean=True)
    def has_second_step(self, user: User) -> bool:
        return bool(user.has_device)  # type: ignore[attr-defined]  # annotated above

    @admin.action(description="Lost phone and codes: let them set up the second step anew", permissions=["change"])
    @asks_first(FORGETS)
    def forget_second_step(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        with transaction.atomic():
            had = second_step.forget(list(queryset.values_list("pk", flat=True)))
            for user in had:
                account_notices.tell(request, user, account_notices.NO_PHONE)
        words = f"{len(had)} set it up anew at their next sign-in. Make sure that it is really them who asked you."
        self.message_user(request, words, messages.WARNING)
