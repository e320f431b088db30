"""Uploaded files have their name only once all their bytes are on the disk: one that is full leaves no half picture."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage

UNFINISHED = "unfinished"  # with "-" after it: what a process left that was killed is swept with other strays


class WholeFileStorage(FileSystemStorage):
    def _save(self, name: str, content: Any) -> str:
        """Under another name first. OSError: there was no room, and nothing is there."""
        beside = f"{os.path.dirname(name)}/{UNFINISHED}-{secrets.token_hex(8)}".lstrip("/")  # noqa: PTH120  a name, no path
        try:
            written = super()._save(beside, content)  # type: ignore[misc]  # the stubs leave it out
            final = self.get_available_name(name)
            Path(self.path(written)).replace(self.path(final))
        except OSError:
            with suppress(OSError):
                Path(self.path(beside)).unlink()
            raise
        return final
