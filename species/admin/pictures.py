from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.html import format_html

from species import pictures, tasks
from species.models import Picture

from .history import WithHistory


class PictureForm(forms.ModelForm[Picture]):
    class Meta:
        model = Picture
        fields = [
            "species", "file", "alt", "author", "licence", "licence_url", "source_url", "focal_x", "focal_y",
            "position", "is_published",
        ]  # fmt: skip
        widgets = {"file": forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"})}

    def clean_file(self) -> Any:
        """What is stored is never the upload: it is our own copy of its pixels."""
        upload = self.cleaned_data["file"]
        if not isinstance(upload, UploadedFile):
            return upload
        try:
            taken = pictures.take(upload, size=upload.size or 0)
        except pictures.Refused as error:
            raise ValidationError(str(error)) from error
        self.instance.width, self.instance.height, self.instance.made_at = taken.width, taken.height, None
        return taken.file


@admin.register(Picture)
class PictureAdmin(WithHistory[Picture]):
    form = PictureForm
    list_display = ["alt", "species", "author", "licence", "is_published", "made_at", "position"]
    list_filter = ["species", "is_published", "licence"]
    list_select_related = ["species"]
    search_fields = ["alt", "author", "source_url"]
    show_full_result_count = False
    readonly_fields = ["as_shown"]
    fieldsets = [
        (None, {"fields": ["species", "file", "as_shown", "alt", ("focal_x", "focal_y")]}),
        ("Whose it is", {"fields": ["author", ("licence", "licence_url"), "source_url"]}),
        ("Care", {"fields": [("is_published", "position")]}),
    ]

    @admin.display(description="Preview")
    def as_shown(self, picture: Picture) -> str:
        if not picture.pk:
            return "Shown once saved"
        if picture.made_at is None:
            return "Its sizes are being made. Look again in a minute: until then readers do not see it."
        return format_html('<img src="{}" width="320" alt="{}">', picture.fallback_url, picture.alt)

    def save_model(self, request: HttpRequest, obj: Picture, form: forms.ModelForm[Picture], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.made_at is None:
            tasks.make_sizes.enqueue(obj.pk)
