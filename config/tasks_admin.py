"""What the site does in the background, in words: the package that keeps it shows JSON and identifiers of programs."""

import inspect
from typing import Any

from django.contrib import admin
from django.tasks import TaskResultStatus
from django.utils.html import format_html, format_html_join
from django_tasks_db.admin import DBTaskResultAdmin  # noqa: F401  registers what is taken out below
from django_tasks_db.models import DBTaskResult, get_date_max

from .long_lists import LongList
from .read_only import ReadOnly

NOTHING = "Nothing"
SHOWN = ["what", "about", "status", "with_what", "enqueued_at", "due", "started_at", "finished_at"]
SHOWN += ["tries", "workers", "result", "error", "word_for_word"]


def in_words(value: Any) -> str:
    """A value that JSON can hold, for a person: a list of terms, a sentence of parts, or the value itself."""
    if value in (None, "", [], {}):
        return NOTHING
    if isinstance(value, dict):
        rows = ((spoken(name), in_words(held)) for name, held in value.items())
        return format_html("<dl>{}</dl>", format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows))
    if isinstance(value, list):
        return format_html_join(", ", "{}", ((in_words(each),) for each in value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def spoken(name: str) -> str:
    """`mail_id` as people write it."""
    return name.replace("_", " ").capitalize()


def name_of(row: DBTaskResult[Any, Any]) -> str:
    """`send_access_link` of a task as people write it, whether or not the task is still there."""
    return spoken(row.task_path.rpartition(".")[2])


def given(row: DBTaskResult[Any, Any]) -> dict[str, Any]:
    """What a task works on, each by the name that the task gives it."""
    args, named = row.args_kwargs["args"], row.args_kwargs["kwargs"]
    try:
        return dict(inspect.signature(row.task.func).bind_partial(*args, **named).arguments)
    except (ImportError, TypeError):  # of a task that is gone, or takes something else by now
        return {**{str(number): each for number, each in enumerate(args, 1)}, **named}


def title_of(row: DBTaskResult[Any, Any]) -> str:
    return f"{name_of(row)}, {row.enqueued_at:%d/%m/%Y %H:%M}"


DBTaskResult.__str__ = title_of  # type: ignore[method-assign,assignment]  # theirs says "object"
admin.site.unregister(DBTaskResult)


@admin.register(DBTaskResult)
class TaskAdmin(ReadOnly, LongList[DBTaskResult[Any, Any]]):
    list_display = ["what", "status", "with_what", "enqueued_at", "finished_at", "tries", "error"]
    list_filter = ["status", "enqueued_at"]
    sortable_by = []
    ordering = ["-enqueued_at"]
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

    @admin.display(description="What")
    def what(self, row: DBTaskResult[Any, Any]) -> str:
        return name_of(row)

    @admin.display(description="About it")
    def about(self, row: DBTaskResult[Any, Any]) -> str:
        try:
            return (inspect.getdoc(row.task.func) or "").partition("\n")[0] or "—"
        except ImportError:
            return "This version of the site does not know it any more."

    @admin.display(description="Works on")
    def with_what(self, row: DBTaskResult[Any, Any]) -> str:
        return in_words(given(row))

    @admin.display(description="Not before")
    def due(self, row: DBTaskResult[Any, Any]) -> Any:
        return "At once" if row.run_after == get_date_max() else row.run_after

    @admin.display(description="Tries")
    def tries(self, row: DBTaskResult[Any, Any]) -> int:
        return len(row.worker_ids)

    @admin.display(description="By which worker")
    def workers(self, row: DBTaskResult[Any, Any]) -> str:
        return in_words(row.worker_ids)

    @admin.display(description="What came of it")
    def result(self, row: DBTaskResult[Any, Any]) -> str:
        return in_words(row.return_value) if row.status == TaskResultStatus.SUCCESSFUL else "—"

    @admin.display(description="Fault")
    def error(self, row: DBTaskResult[Any, Any]) -> str:
        return row.exception_class_path.rpartition(".")[2] or "—"

    @admin.display(description="Its whole report")
    def word_for_word(self, row: DBTaskResult[Any, Any]) -> str:
        """Folded: it is for whoever looks for a program's fault."""
        if not row.traceback:
            return "—"
        words = '<details><summary>Word for word</summary><pre class="as-it-came">{}</pre></details>'
        return format_html(words, row.traceback)
