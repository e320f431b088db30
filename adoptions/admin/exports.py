"""Lists that leave the site: who took out what, a page to ask for one, and how far it is."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from config.desk_page import desk_page, see
from config.fresh_sign_in import fresh_sign_in_required
from config.long_lists import LongList
from config.read_only import ReadOnly

from ..exchange import exports
from ..exchange.choosing import Choice
from ..export_forms import ExportForm, as_the_list_was, is_narrower
from ..models import ExportedFile, ExportLayout, ExportState

AGAIN_AFTER = "5"  # seconds, on a page that waits
NEEDS = "adoptions.add_exportedfile"
HOMES_NEED = "adoptions.view_giftaiddeclaration"


@admin.register(ExportedFile)
class ExportedFileAdmin(ReadOnly, LongList[ExportedFile]):
    """Every list that anybody took out stays in this one, for as long as the log of staff."""

    list_display = ["asked_at", "asked_by", "layout", "conditions", "state", "done", "look"]
    list_filter = ["state", "layout", "asked_at"]
    list_select_related = ["asked_by"]
    list_display_links = None
    sortable_by = []
    change_list_template = "admin/adoptions/exported_files.html"
    fields = ["layout", "conditions", "asked_by", "asked_at", "state", "done", "size", "finished_at", "look"]
    readonly_fields = ["conditions", "look"]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("new/", wrap(ask), name="adoptions_exportedfile_new"),
            path("<int:pk>/progress/", wrap(progress), name="adoptions_exportedfile_progress"),
            path("<int:pk>/file/", wrap(save), name="adoptions_exportedfile_save"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"may_ask": request.user.has_perm(NEEDS)}
        return super().changelist_view(request, {**(extra_context or {}), **may})

    @admin.display(description="Which")
    def conditions(self, file: ExportedFile) -> str:
        return Choice(**file.chosen).words

    @admin.display(description="File")
    def look(self, file: ExportedFile) -> str:
        return format_html('<a href="{}">{}</a>', address_of(file), file.name)


def address_of(file: ExportedFile) -> str:
    return reverse("admin:adoptions_exportedfile_progress", args=[file.pk])


def who(request: HttpRequest) -> User:
    """Somebody who may take lists out."""
    if not request.user.has_perm(NEEDS):
        raise PermissionDenied
    return cast(User, request.user)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required()
def ask(request: HttpRequest) -> HttpResponse:
    user = who(request)
    is_sent = request.method == "POST"
    form = ExportForm(
        request.POST if is_sent else None,
        initial=as_the_list_was(request.GET),
        may_see_homes=user.has_perm(HOMES_NEED),
    )
    if form.is_valid():
        file = exports.ask(ExportLayout(form.cleaned_data["layout"]), form.choice, by=user)
        return see(address_of(file))
    return desk_page(
        request,
        "admin/adoptions/export.html",
        "Take out a list",
        trail=[ExportedFile],
        form=form,
        is_searched=bool(request.GET.get("q")),
        is_narrower=is_narrower(request.GET),
        layouts={layout.title: layout for layout in exports.LAYOUTS.values()}.values(),
    )


@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Without JavaScript: while the list is being written the browser asks again by itself, until told not to."""
    if not request.user.has_perm("adoptions.view_exportedfile"):
        raise PermissionDenied
    file = get_object_or_404(ExportedFile.objects.select_related("asked_by"), pk=pk)
    is_still = "still" in request.GET
    response = desk_page(
        request,
        "admin/adoptions/export_progress.html",
        file.get_layout_display(),
        trail=[ExportedFile],
        here=file.name,
        file=file,
        conditions=Choice(**file.chosen).words,
        is_own=request.user == file.asked_by and request.user.has_perm(NEEDS),
        is_there=exports.is_there(file),
        is_still=is_still,
    )
    if file.is_running and not is_still:
        response.headers["Refresh"] = AGAIN_AFTER
    return response


@require_safe
@fresh_sign_in_required(to="save")
def save(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Only for whoever asked: what is in it was chosen by them, and they answer for it."""
    user = who(request)
    file = get_object_or_404(ExportedFile, pk=pk, asked_by=user, state=ExportState.READY)
    if Choice(**file.chosen).with_homes and not user.has_perm(HOMES_NEED):
        raise PermissionDenied
    if not exports.is_there(file):
        raise Http404
    kind = "application/jsonl" if file.is_json else "text/csv"
    response = StreamingHttpResponse(exports.body(file), content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name) or ""
    response.headers["Content-Length"] = str(file.size)
    return response
