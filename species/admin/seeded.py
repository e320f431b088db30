from typing import Any

from django.http import HttpRequest

from species.models.seeded import Seeded

from .history import WithHistory


class SeededAdmin[M: Seeded](WithHistory[M]):
    """Rows that came from the content files are unpublished, not deleted: loading would bring them back.

    `identity` names the columns by which sentences, files and addresses know a row; they are chosen once.
    """

    identity: tuple[str, ...] = ()
    list_per_page = 50
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> list[Any]:
        fixed = self.identity if obj else ()
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        if obj is None or obj.is_from_files:
            return False
        return super().has_delete_permission(request, obj)
