from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Field
from django.forms import ChoiceField, ModelForm
from django.forms import Field as FormField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from species import history, previewing, prose
from species.models import SpeciesThreat, Text
from species.models.facts import facts_by_key

from .history import editor
from .seeded import SeededAdmin


@admin.register(Text)
class TextAdmin(SeededAdmin[Text]):
    """One sentence a line, ending with the facts it rests on. A marker that names no fact cannot be saved."""

    identity = ("species", "language", "section", "key", "species_threat")
    list_display = ["section", "title", "key", "species", "language", "is_published", "updated_at"]
    list_display_links = ["section", "title"]
    list_filter = ["species", "section", "language", "is_published", "updated_at"]
    list_select_related = ["species"]
    search_fields = ["title", "summary", "body", "key"]
    readonly_fields = ["as_printed", "can_cite"]
    fieldsets = [
        (None, {"fields": [("species", "language"), ("section", "key", "species_threat")]}),
        ("Words", {"fields": ["title", "summary", "body", "as_printed"]}),
        ("Care", {"fields": [("is_published", "position")]}),
        ("Facts it can name", {"fields": ["can_cite"], "classes": ["collapse"]}),
    ]

    def formfield_for_dbfield(
        self, db_field: Field[object, object], request: HttpRequest, **kwargs: object
    ) -> FormField | None:
        if db_field.name == "language":
            return ChoiceField(choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE)
        if db_field.name == "species_threat":
            pairs = SpeciesThreat.objects.select_related("species", "threat")
            kwargs["queryset"] = pairs.order_by("species__common_name", "position", "pk")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Text, form: ModelForm[Text], change: bool) -> None:
        if not is_draft(request):
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not is_draft(request):
            super().save_related(request, form, formsets, change)

    def response_change(self, request: HttpRequest, obj: Text) -> HttpResponse:
        """A draft changes nothing that readers see; its link can be sent to whoever should look at it."""
        if not is_draft(request):
            return super().response_change(request, obj)
        draft = history.save_draft(obj, by=editor(request))
        link = f"{settings.SITE_URL}{previewing.link_to(obj.species, draft)}"
        told = format_html(
            'Draft saved. <a href="{}">Preview it</a>, or send this link, good for a week: {}', link, link
        )
        self.message_user(request, told, messages.SUCCESS)
        return redirect(reverse("admin:species_text_history", args=[obj.pk]))

    @admin.display(description="As readers see it")
    def as_printed(self, text: Text) -> str:
        if not text.pk:
            return "Shown once saved"
        try:
            return prose.plain_text(text.body, facts_by_key(text.species_id))
        except prose.MarkerError as error:
            return str(error)

    @admin.display(description="Facts it can name")
    def can_cite(self, text: Text) -> str:
        if not text.pk:
            return "Shown once saved"
        facts = facts_by_key(text.species_id).values()
        return format_html_join("", "<div><code>{}</code> {}</div>", ((fact.key, str(fact)) for fact in facts))


def is_draft(request: HttpRequest) -> bool:
    return "_draft" in request.POST
