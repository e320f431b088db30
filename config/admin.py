"""What operators look at: mails and background tasks."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from . import mail
from .models import Mail, MailState

admin.site.site_header = "Pugmark"
admin.site.site_title = "Pugmark"
admin.site.index_title = "Today"


@admin.register(Mail)
class MailAdmin(admin.ModelAdmin[Mail]):
    """The log of every mail, as it was sent. Nothing here can be edited; a mail can be sent again."""

    list_display = ["created_at", "kind", "to", "subject", "state", "attempts", "sent_at"]
    list_filter = ["state", "kind", "created_at"]
    search_fields = ["to", "subject", "key"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["send_again"]
    fields = [
        "kind",
        "to",
        "subject",
        "state",
        "attempts",
        "not_before",
        "sent_at",
        "error",
        "text",
        "key",
        "message_id",
    ]
    readonly_fields = [
        "kind",
        "to",
        "subject",
        "state",
        "attempts",
        "not_before",
        "sent_at",
        "error",
        "text",
        "key",
        "message_id",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Mail | None = None) -> bool:
        return False

    @admin.action(description="Send again", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        ids = list(queryset.filter(state__in=[MailState.FAILED, MailState.SENT]).values_list("pk", flat=True))
        count = Mail.objects.filter(pk__in=ids).send_again()
        for mail_id in ids:
            mail.deliver.enqueue(mail_id)
        self.message_user(request, f"{count} queued to be sent again.", messages.SUCCESS)
