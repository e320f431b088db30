"""Two of staff have one row open at once: the second to save is told what the first has changed, and loses nothing.

The page carries a fingerprint of each field as it was shown. What others changed since then is compared field by
field, with the row locked, so that no save slips in between. Saving once more is an answer: they have seen it.
"""

import hashlib
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.forms.models import _get_foreign_key
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst, get_text_list

AS_SEEN = "_as_seen"  # its underscore keeps it from the words that a person gets back after their session ended
SHOWN = 200  # letters of what stands there now


def text_of(row: Any, name: str) -> str:
    """What a row holds in a field; in a many-to-many one, the numbers of the others."""
    field = row._meta.get_field(name)
    if field.many_to_many:
        return ", ".join(sorted(str(pk) for pk in getattr(row, name).values_list("pk", flat=True)))
    value = getattr(row, field.attname)
    # A form knows no parts of a second, so that saving one unchanged would look like a change.
    return value.replace(microsecond=0).isoformat() if isinstance(value, datetime) else str(field.value_to_string(row))


def text_of_rows(row: Any, model: Any) -> str:
    """What the rows beneath it hold, as of an inline."""
    own = model._base_manager.filter(**{_get_foreign_key(type(row), model).name: row}).order_by("pk")
    return "\n".join("\t".join(text_of(one, field.name) for field in one._meta.concrete_fields) for one in own)


def fingerprint(values: dict[str, str]) -> str:
    return urlencode({name: hashlib.sha256(words.encode()).hexdigest()[:16] for name, words in values.items()})


def who_was_first(row: Model) -> str:
    """“marek changed it at 14:03”, as far as the log of staff knows."""
    kind = ContentType.objects.get_for_model(row)
    last = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).select_related("user").first()
    return f"{last.user} changed it at {timezone.localtime(last.action_time):%H:%M}" if last else "It was changed"


class FirstIsSeen(forms.BaseModelForm[Any]):
    """Mixed into a form of the admin. `beneath`: the models of its inlines that can be edited."""

    base_fields: ClassVar[dict[str, forms.Field]]
    moves_by_itself: tuple[str, ...] = ()
    beneath: tuple[type[Model], ...] = ()

    @classmethod
    def now_in(cls, row: Any) -> dict[str, str]:
        kept = {field.name for field in (*row._meta.concrete_fields, *row._meta.many_to_many)}
        names = [name for name in cls.base_fields if name in kept and name not in cls.moves_by_itself]
        rows = {str(model._meta.verbose_name_plural): text_of_rows(row, model) for model in cls.beneath}
        return {name: text_of(row, name) for name in names} | rows

    def clean(self) -> Any:
        cleaned = super().clean()
        seen = dict(parse_qsl(self.data.get(AS_SEEN, "")))
        if seen and self.instance.pk:
            self.compare(seen)
        return cleaned

    def compare(self, seen: dict[str, str]) -> None:
        manager = type(self.instance)._base_manager
        row = manager.select_for_update(of=("self",), no_key=True).filter(pk=self.instance.pk).first()
        if row is None:
            return
        values = self.now_in(row)
        now = dict(parse_qsl(fingerprint(values)))
        others = [name for name in values if now[name] != seen.get(name, now[name])]
        if others:
            labels = [str(capfirst(self.fields[name].label) if name in self.fields else name) for name in others]
            words = f"{who_was_first(row)} while you had it open: {get_text_list(labels, 'and')}. Nothing of yours is "
            words += "saved yet. Look at what stands there now, then save again to put yours in its place."
            self.add_error(None, words)
        for name in set(others) & set(self.fields):
            self.add_error(name, f"It says now: {values[name][:SHOWN] or '(empty)'}")


class ToldOfColleagues[Row: Model](admin.ModelAdmin[Row]):
    """For every screen on which staff change a row. `moves_by_itself`: fields that others than staff change."""

    moves_by_itself: tuple[str, ...] = ()

    def get_form(self, request: HttpRequest, obj: Row | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            return form
        inlines = self.get_inline_instances(request, obj)
        beneath = tuple(inline.model for inline in inlines if inline.has_change_permission(request, obj))
        own = {"moves_by_itself": self.moves_by_itself, "beneath": beneath}
        return type(form.__name__, (FirstIsSeen, form), own)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Row | None = None,
    ) -> HttpResponse:
        form = context["adminform"].form
        if obj and isinstance(form, FirstIsSeen) and self.has_change_permission(request, obj):
            now = form.now_in(self.model._base_manager.get(pk=obj.pk))
            context |= {"as_seen": fingerprint(now), "as_seen_name": AS_SEEN}
        return super().render_change_form(request, context, add, change, form_url, obj)
