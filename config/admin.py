"""What operators look at: mails and background tasks."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path

from . import mail, mail_words_page
from .long_lists import LongList
from .models import Mail, MailWords

admin.site.site_header = "Pugmark"
admin.site.site_title = "Pugmark"
admin.site.index_title = "Today"


SHOWN = ["kind", "to", "subject", "state", "attempts", "not_before", "sent_at", "failed_at", "error", "text"]
SHOWN += ["key", "message_id", "unsubscribe_url"]


@admin.register(Mail)
class MailAdmin(LongList[Mail]):
    """The log of every mail, as it was sent. Nothing here can be edited; a mail can be sent again."""

    list_display = ["created_at", "kind", "to", "subject", "state", "attempts", "sent_at", "error"]
    list_filter = ["state", "kind", "created_at"]
    sortable_by = []
    search_fields = ["to"]
    search_help_text = "The address, or the key"
    actions = ["send_again"]
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

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
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        ids = list(queryset.sendable_again().values_list("pk", flat=True))  # type: ignore[attr-defined]
        count = Mail.objects.filter(pk__in=ids).send_again()
        for mail_id in ids:
            mail.deliver.enqueue(mail_id)
        self.message_user(request, f"{count} queued to be sent again.", messages.SUCCESS)


@admin.register(MailWords)
class MailWordsAdmin(admin.ModelAdmin[MailWords]):
    """One page with every kind of mail; its words are edited on a page of their own, in config/mail_words_page.py."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(mail_words_page.all_kinds), name="config_mailwords_changelist"),
            path("<slug:kind>/words/", wrap(mail_words_page.edit), name="mail_words"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MailWords | None = None) -> bool:
        return False
