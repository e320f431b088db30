"""A file is written by the worker, a part at a time, and read by whoever asked for it.

No cursor is held open and no transaction is long: each part asks for the next rows by their numbers, and the number of
the last is kept with the part. So a worker that dies repeats nothing, memory stays at one part however long the list
is, and the database can tidy up behind us meanwhile. What changes while the file is written may be in it or not.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from config import patience
from config.mail import queue_mail

from ..models import ExportedFile, ExportedPart, ExportLayout
from .choosing import Choice
from .layouts import ADOPTIONS, PAYMENTS, SUPPORTERS, Layout, csv_head, csv_lines, json_lines
from .npsp import CONTACTS, DONATIONS

logger = logging.getLogger(__name__)

TOGETHER = 1000  # rows of the table, chosen or not, for a part: some 200 KB, and no part takes long if few are chosen
LAYOUTS: dict[str, Layout] = {
    ExportLayout.SUPPORTERS_CSV: SUPPORTERS,
    ExportLayout.SUPPORTERS_JSON: SUPPORTERS,
    ExportLayout.ADOPTIONS_CSV: ADOPTIONS,
    ExportLayout.ADOPTIONS_JSON: ADOPTIONS,
    ExportLayout.PAYMENTS_CSV: PAYMENTS,
    ExportLayout.PAYMENTS_JSON: PAYMENTS,
    ExportLayout.NPSP_CONTACTS: CONTACTS,
    ExportLayout.NPSP_DONATIONS: DONATIONS,
}


def ask(layout: ExportLayout, choice: Choice, *, by: User) -> ExportedFile:
    """The worker begins with it within a second or two."""
    last = LAYOUTS[layout].chosen(Choice()).model.objects.order_by("-pk").values_list("pk", flat=True).first()
    return ExportedFile.objects.create(layout=layout, chosen=choice.kept(), asked_by=by, last=last or 0)


def is_needed() -> bool:
    return ExportedFile.objects.unfinished().exists()


def work(*, until: timedelta) -> None:
    """Write on, the oldest first, until there is nothing left or time is up."""
    while patience.now() < until and write_some():
        pass


def write_some() -> bool:
    """One part of the oldest file that nobody else is at; False if there is none."""
    pk: int | None = None
    try:
        with transaction.atomic():
            locked = ExportedFile.objects.unfinished().order_by("pk").select_for_update(skip_locked=True)
            file = locked.first()
            if file is None:
                return False
            pk = file.pk
            write_part(file)
    except Exception:
        if pk is None:
            raise
        logger.exception("A part of the exported file %s could not be written.", pk)
        if ExportedFile.objects.filter(pk=pk).stumble():
            tell(pk)
        return False
    return True


def write_part(file: ExportedFile) -> None:
    layout = LAYOUTS[file.layout]
    this = ExportedFile.objects.filter(pk=file.pk)
    found = layout.chosen(Choice(**file.chosen))
    ahead = found.model.objects.filter(pk__gt=file.after, pk__lte=file.last).order_by("pk")
    numbers = list(ahead.values_list("pk", flat=True)[:TOGETHER])
    up_to = numbers[-1] if numbers else file.last
    rows = layout.fill(list(found.filter(pk__gt=file.after, pk__lte=up_to).order_by("pk")))
    body = text_of(file, layout, rows).encode()
    if body:
        ExportedPart.objects.create(file=file, number=file.parts, body=body)
    this.advance(rows=len(rows), after=up_to, size=len(body))
    if len(numbers) < TOGETHER:
        this.finish()
        tell(file.pk)


def text_of(file: ExportedFile, layout: Layout, rows: Any) -> str:
    if file.is_json:
        return json_lines(layout, rows)
    return (csv_head(layout) if file.parts == 0 else "") + csv_lines(layout, rows)


def tell(pk: int) -> None:
    """By mail, without anything of what is in the file."""
    file = ExportedFile.objects.select_related("asked_by").get(pk=pk)
    if file.asked_by.email:
        address = settings.SITE_URL + reverse("admin:adoptions_exportedfile_progress", args=[pk])
        queue_mail("export_ready", to=file.asked_by.email, key=str(pk), context={"file": file, "admin_url": address})


def body(file: ExportedFile) -> Iterator[bytes]:
    """One part at a time is in memory."""
    for number in range(file.parts):
        for piece in ExportedPart.objects.filter(file=file, number=number).values_list("body", flat=True):
            yield bytes(piece)


def is_there(file: ExportedFile) -> bool:
    """Ready, and not yet deleted again."""
    return not file.is_running and file.pieces.exists()
