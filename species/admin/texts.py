from django.conf import settings
from django.contrib import admin
from django.db.models import Field
from django.forms import ChoiceField
from django.forms import Field as FormField
from django.http import HttpRequest
from django.utils.html import format_html_join

from species import prose
from species.models import Text
from species.models.species import facts_by_key

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
        ("Care", {"fields": [("is_published", "position"), "can_cite"]}),
    ]

    def formfield_for_dbfield(
        self, db_field: Field[object, object], request: HttpRequest, **kwargs: object
    ) -> FormField | None:
        if db_field.name == "language":
            return ChoiceField(choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

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
