"""Django's PostgreSQL backend, on a server it starts when first asked."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base

from . import ensure_running

# Asked while Django starts: the test runner turns DEBUG off afterwards, and is development all the same.
IS_DEVELOPMENT = settings.DEBUG


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        # This hook and not get_new_connection(): libraries that connect by themselves are covered too.
        if not IS_DEVELOPMENT:
            raise ImproperlyConfigured("The embedded PostgreSQL is for development; set DATABASE_URL.")
        ensure_running()
        return super().get_connection_params()
