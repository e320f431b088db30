"""One stylesheet out of one file per component, with nothing to build.

People write `static/css/<component>.css`; browsers ask for `css/site.css`. This finder is how the second
comes from the first, for the development server and for `collectstatic` alike: it joins the files whenever
one of them is newer than the joined one. Cascade layers say which rule wins (static/css/layers.css), so the
order in which the files are joined is free.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

NAME = "css/site.css"
FIRST = "layers.css"
# Linked by pages that are not the site: they must not carry the site's rules, nor the site theirs. And what no reader
# should wait for: the rules for paper, and those of moderators.
ON_THEIR_OWN = frozenset({"standin.css", "admin.css", "print.css", "comment-queue.css"})
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SPACE = re.compile(r"\s*([{};])\s*|(?<=,)\s+|(?<=[\w-]:)\s+")


def parts(folder: Path) -> list[Path]:
    """The files that make the stylesheet, the one that declares the layers first."""
    found = [path for path in folder.glob("*.css") if path.name not in ON_THEIR_OWN]
    return sorted(found, key=lambda path: (path.name != FIRST, path.name))


def joined(folder: Path) -> str:
    """Every part without its comments and the space that only people need."""
    text = "\n".join(path.read_text() for path in parts(folder))
    return SPACE.sub(lambda found: found[1] or "", COMMENT.sub("", text)).strip() + "\n"


def is_current(target: Path, folder: Path) -> bool:
    # The folder's own time tells of files that were removed or renamed, this file's of another way to join them.
    made_of = [Path(__file__), folder, *parts(folder)]
    return target.is_file() and all(path.stat().st_mtime <= target.stat().st_mtime for path in made_of)


def write(target: Path, text: str) -> None:
    """Replace the file in one step: another process may be reading it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False) as new:
        new.write(text)
    Path(new.name).chmod(0o644)
    Path(new.name).replace(target)


class StylesheetFinder(BaseFinder):
    """Finds `css/site.css`, and nothing else."""

    def __init__(self, folder: Path | None = None, root: Path | None = None) -> None:
        self.folder = folder or settings.BASE_DIR / "static" / "css"
        self.storage = FileSystemStorage(location=root or settings.LOCAL_DIR / "stylesheet")

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != NAME:
            return [] if find_all else None
        target = Path(self.storage.path(NAME))
        if not is_current(target, self.folder):
            write(target, joined(self.folder))
        return [str(target)] if find_all else str(target)

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        self.find(NAME)
        yield NAME, self.storage
