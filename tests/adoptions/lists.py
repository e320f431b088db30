"""A list from elsewhere, carried by the worker as far as a test wants it."""

from django.contrib.auth.models import User

from adoptions.exchange import imports
from adoptions.models import ImportedFile, ImportedRow, ImportState, ListOf, OnAlike, OnKnown
from adoptions.tasks import work_imports


def brought(body: bytes, by: User, name: str = "old-system.csv", *, what: str = ListOf.PEOPLE) -> ImportedFile:
    """A list that the worker has looked through."""
    file = imports.keep([body], name=name, by=by, what=what)
    work_imports.func()
    return ImportedFile.objects.get(pk=file.pk)


def bring_in(file: ImportedFile, by: User, known: str = OnKnown.SKIP, alike: str = OnAlike.SKIP) -> ImportedFile:
    assert ImportedFile.objects.filter(pk=file.pk).begin(by=by, known=known, alike=alike), file.because
    work_imports.func()
    file.refresh_from_db()
    assert file.state == ImportState.DONE
    return file


def undone(file: ImportedFile, by: User | None = None) -> ImportedFile:
    assert ImportedFile.objects.filter(pk=file.pk).begin_undoing(by=by or file.asked_by)
    work_imports.func()
    file.refresh_from_db()
    assert file.state == ImportState.UNDONE
    return file


def verdicts(file: ImportedFile) -> dict[int, tuple[str, str]]:
    return {row.number: (row.verdict, row.why) for row in ImportedRow.objects.filter(file=file)}
