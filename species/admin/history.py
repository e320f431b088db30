"""The History button of a row: what each version changed, and a way back to it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from config.desk_page import desk_page
from config.two_editors import ToldOfColleagues
from species import history


class WithHistory[M: Model](ToldOfColleagues[M]):
    """Remembers each version that staff save, beginning with the one they found."""

    def save_model(self, request: HttpRequest, obj: M, form: ModelForm[M], change: bool) -> None:
        if change:
            history.record(self.model._default_manager.get(pk=obj.pk), by=None)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """After the sources are saved too, which is when the version is complete."""
        super().save_related(request, form, formsets, change)
        history.record(form.instance, by=editor(request))

    def get_urls(self) -> list[URLPattern]:
        name = f"species_{self.model._meta.model_name}_put_in_place"
        act = self.admin_site.admin_view(require_POST(self.put_in_place))
        return [path("<int:pk>/history/<int:revision>/", act, name=name), *super().get_urls()]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return desk_page(
            request,
            "admin/species/history.html",
            f"History of {row}",
            trail=[self.model, row],
            here="History",
            opts=self.opts,
            object=row,
            versions=list(history.versions(row)),
            can_change=self.has_change_permission(request, row),
            action_name=f"admin:species_{self.opts.model_name}_put_in_place",
        )

    def put_in_place(self, request: HttpRequest, pk: int, revision: int) -> HttpResponse:
        """Restore an earlier version, or publish a draft."""
        row = get_object_or_404(self.model, pk=pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        wanted = get_object_or_404(history.revisions_of(row), pk=revision)
        history.record(row, by=None)
        try:
            history.put_in_place(row, wanted, by=editor(request))
        except ValidationError as error:
            self.message_user(request, f"Not changed. {' '.join(error.messages)}", messages.ERROR)
        else:
            self.message_user(request, "That version is now the one readers see.", messages.SUCCESS)
        return redirect(reverse(f"admin:species_{self.opts.model_name}_history", args=[pk]))


def editor(request: HttpRequest) -> User:
    """Who is at work; the admin lets nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
