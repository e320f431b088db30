"""What a screen shows of a row, less what leads to a page that this member of staff may not open."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.admin.helpers import AdminReadonlyField
from django.contrib.auth.models import User
from django.db.models import ForeignObjectRel
from django.http import HttpRequest


class FieldsByRight:
    """Mixed into a screen, or what stands beneath one. `needs`: the permission that a field is of use with."""

    needs: ClassVar[Mapping[str, str]] = {}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        missing = {name for name, right in self.needs.items() if not request.user.has_perm(right)}
        lines = [
            tuple(name for name in line if name not in missing) if isinstance(line, tuple) else line
            for line in super().get_fields(request, obj)  # type: ignore[misc]  # of ModelAdmin
        ]
        return [line for line in lines if line and line not in missing]

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)  # type: ignore[misc]  # of ModelAdmin
        return [name for name in shown if name not in self.needs or request.user.has_perm(self.needs[name])]


with_link = AdminReadonlyField.get_admin_url


def without_accounts(field: AdminReadonlyField, remote: ForeignObjectRel, row: Any) -> str:
    """Django makes a link of every row that a field names, also for who may not open it. Accounts few may open."""
    return str(row) if isinstance(row, User) else with_link(field, remote, row)


AdminReadonlyField.get_admin_url = without_accounts  # type: ignore[method-assign,assignment]
