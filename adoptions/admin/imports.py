"""Lists that come from elsewhere: brought as a file, looked at before anything happens, brought in, and undone."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_safe

from config.desk_page import desk_page
from config.fresh_sign_in import fresh_sign_in_required
from config.long_lists import LongList, OwnTitle
from config.read_only import ReadOnly
from config.spreadsheet import csv_response

from ..exchange import imports
from ..exchange.checking import COLUMNS
from ..exchange.past_rows import COLUMNS as PAST_COLUMNS
from ..exchange.past_rows import HEADINGS
from ..exchange.reading import ALSO
from ..import_forms import BringInForm, UploadForm
from ..models import MAY_BE_UNDONE, ImportedFile, ImportedRow, ImportState, Outcome, Verdict
from .exports import AGAIN_AFTER

NEEDS = "adoptions.add_importedfile"
SHOWN = 20  # rows of each kind, before anything is brought in


class WhatItLists(OwnTitle, admin.ChoicesFieldListFilter):
    own_title = "what it lists"


@admin.register(ImportedFile)
class ImportedFileAdmin(ReadOnly, LongList[ImportedFile]):
    list_display = [
        "asked_at",
        "asked_by",
        "look",
        "what",
        "state",
        "total",
        "confirmed_by",
        "undone_by",
        "finished_at",
    ]
    list_filter = [("what", WhatItLists), "state", "asked_at"]
    list_select_related = ["asked_by", "confirmed_by", "undone_by"]
    list_display_links = None
    sortable_by = []
    change_list_template = "admin/adoptions/imported_files.html"
    fields = ["look", "form", "unread", "size", "asked_by", "asked_at", "confirmed_by", "undone_by", "state"]
    fields += ["total", "finished_at"]
    readonly_fields = ["look"]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("new/", wrap(bring), name="adoptions_importedfile_new"),
            path("<int:pk>/look/", wrap(look), name="adoptions_importedfile_look"),
            path("<int:pk>/rows.csv", wrap(rows_as_file), name="adoptions_importedfile_rows"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"may_bring": request.user.has_perm(NEEDS)}
        return super().changelist_view(request, {**(extra_context or {}), **may})

    @admin.display(description="List")
    def look(self, file: ImportedFile) -> str:
        return format_html('<a href="{}">{}</a>', address_of(file), file.name)


def address_of(file: ImportedFile) -> str:
    return reverse("admin:adoptions_importedfile_look", args=[file.pk])


def who(request: HttpRequest) -> User:
    """Somebody who may bring lists in."""
    if not request.user.has_perm(NEEDS):
        raise PermissionDenied
    return cast(User, request.user)


def on_to(file: ImportedFile) -> HttpResponse:
    response = HttpResponseRedirect(address_of(file))
    response.status_code = 303
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Takes the file as it is; that it is read, and how far, is seen on the page it leads to."""
    user = who(request)
    is_sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
    known = None
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            what = form.cleaned_data["what"]
            return on_to(imports.keep(file.chunks(imports.PIECE), name=file.name, by=user, what=what))
        except imports.KnownFile as error:
            known = error.file
    page = desk_page(
        request,
        "admin/adoptions/import.html",
        "Bring in a list",
        trail=[ImportedFile],
        form=form,
        known=known,
        columns=COLUMNS.items(),
        past_columns=PAST_COLUMNS.items(),
        days=MAY_BE_UNDONE.days,
    )
    page.status_code = 422 if is_sent else 200
    return page


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required(to="send")  # to undo it erases everybody it brought
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """What is in it, how far it is, and what can be done with it now."""
    if not request.user.has_perm("adoptions.view_importedfile"):
        raise PermissionDenied
    file = get_object_or_404(ImportedFile.objects.select_related("asked_by", "confirmed_by", "undone_by"), pk=pk)
    form = BringInForm(request.POST if request.POST.get("step") == "begin" else None)
    if request.method == "POST" and act(request, file, form):
        return on_to(file)
    is_still = "still" in request.GET
    context = page_of(request, file) | {"is_still": is_still}
    template = "admin/adoptions/import_look.html"
    response = desk_page(request, template, file.name, trail=[ImportedFile], form=form, **context)
    if file.is_running and not is_still:
        response.headers["Refresh"] = AGAIN_AFTER
    return response


def act(request: HttpRequest, file: ImportedFile, form: BringInForm) -> bool:
    """What a button says; False if it is to be asked again. Pressed by two, it is done once, and the other is told."""
    user, step = who(request), request.POST.get("step")
    this = ImportedFile.objects.filter(pk=file.pk)
    if step == "begin":
        if not form.is_valid():
            return False
        is_first = this.begin(by=user, **form.cleaned_data) == 1
        words = "It is being brought in. You can leave this page: a mail tells you when it is done."
    elif step == "drop":
        is_first, words = imports.drop(file), "Thrown away. Nothing of it is left here."
    elif step == "undo" and request.POST.get("sure") != "yes":
        messages.warning(request, "Nothing was undone. Tick that you have read what happens, and press again.")
        return True
    elif step == "undo":
        is_first, words = this.begin_undoing(by=user) == 1, "It is being undone."
    else:
        return True
    if is_first:
        messages.success(request, words)
    else:
        messages.warning(request, "A colleague was first, or it is too late for that. This is how it stands now.")
    return True


@dataclass(frozen=True)
class Kind:
    """Rows of one verdict, the first of them to look at."""

    label: str
    slug: str
    count: int
    rows: list[ImportedRow]


def page_of(request: HttpRequest, file: ImportedFile) -> dict[str, Any]:
    verdicts, outcomes = imports.counts(file, "verdict"), imports.counts(file, "outcome")
    kinds = [
        Kind(verdict.label, verdict.value, verdicts[verdict], rows_of(file, verdict=verdict)[:SHOWN])
        for verdict in Verdict
        if verdict in verdicts
    ]
    return {
        "file": file,
        "kinds": kinds,
        "outcomes": [(outcome.label, outcomes[outcome]) for outcome in Outcome if outcome and outcome in outcomes],
        "stay": rows_of(file, outcome=Outcome.STAYS)[:SHOWN],
        "candidates": sum(verdicts.get(verdict, 0) for verdict in (Verdict.NEW, Verdict.KNOWN, Verdict.ALIKE)),
        "may_act": request.user.has_perm(NEEDS),
        "words": ImportState(file.state).label,
    }


def rows_of(file: ImportedFile, **which: str) -> Any:
    return ImportedRow.objects.filter(file=file, **which).select_related("supporter").order_by("number")


@require_safe
@fresh_sign_in_required(to="save")
def rows_as_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Rows with what is to be said of them: to be mended in the spreadsheet, and brought again by themselves."""
    if not request.user.has_perm("adoptions.view_importedfile"):
        raise PermissionDenied
    file = get_object_or_404(ImportedFile, pk=pk)
    asked = request.GET.get("verdict")
    verdict = Verdict(asked) if asked in Verdict.values else Verdict.BAD
    rows = rows_of(file, verdict=verdict)
    names = HEADINGS if file.is_of_past else list(COLUMNS)
    lines = (
        [row.number, row.why or row.get_verdict_display(), *(row.cells.get(ALSO.get(name, name), "") for name in names)]
        for row in rows.iterator(chunk_size=2000)
    )
    return csv_response(f"rows-{file.pk}-{verdict}.csv", ["row", "what", *names], lines)
