"""Two stylesheets out of one file per component, with nothing to build.

People write `static/css/<component>.css`; browsers ask for `css/site.css`, and where somebody adopts or looks after
an adoption also for `css/giving.css`: nobody who reads about an animal waits for the rules of a form to pay with.
This finder is how the second come from the first, for the development server and for `collectstatic` alike: it joins
the files whenever one of them is newer than the joined one. Cascade layers say which rule wins
(static/css/layers.css), so the order in which the files are joined is free.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

SITE, GIVING = "css/site.css", "css/giving.css"
FIRST = "layers.css"
OF_GIVING = frozenset({"adopt.css", "gift.css", "my-adoption.css", "steps.css"})
# Linked by pages that are not the site: they must not carry the site's rules, nor the site theirs. And what no reader
# should wait for: the rules for paper, and those of moderators.
OF_THE_ADMIN = "admin"
ON_THEIR_OWN = frozenset({"standin.css", "print.css", "comment-queue.css", "practice.css"})
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SPACE = re.compile(r"\s*([{};])\s*|(?<=,)\s+|(?<=[\w-]:)\s+")


def parts(name: str, folder: Path) -> list[Path]:
    """The files that make a stylesheet, the one that declares the layers first."""
    found = [
        path
        for path in folder.glob("*.css")
        if path.name not in ON_THEIR_OWN and not path.name.startswith(OF_THE_ADMIN)
    ]
    mine = [path for path in found if (path.name in OF_GIVING) == (name == GIVING)]
    return sorted(mine, key=lambda path: (path.name != FIRST, path.name))


def joined(name: str, folder: Path) -> str:
    """Every part without its comments and the space that only people need."""
    text = "\n".join(path.read_text() for path in parts(name, folder))
    return SPACE.sub(lambda found: found[1] or "", COMMENT.sub("", text)).strip() + "\n"


def is_current(target: Path, made_of: Iterable[Path]) -> bool:
    return target.is_file() and all(path.stat().st_mtime <= target.stat().st_mtime for path in made_of)


def write(target: Path, text: str) -> None:
    """Replace the file in one step: another process may be reading it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False) as new:
        new.write(text)
    Path(new.name).chmod(0o644)
    Path(new.name).replace(target)


class StylesheetFinder(BaseFinder):
    """Finds the joined stylesheets, and nothing else."""

    def __init__(self, folder: Path | None = None, root: Path | None = None) -> None:
        self.folder = folder or settings.BASE_DIR / "static" / "css"
        self.storage = FileSystemStorage(location=root or settings.LOCAL_DIR / "stylesheet")

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path not in {SITE, GIVING}:
            return []  # as Django's own finders say it: None among the answers would pass for a path
        target = Path(self.storage.path(path))
        # The folder's own time tells of files that were removed or renamed, this file's of another way to join them.
        if not is_current(target, [Path(__file__), self.folder, *parts(path, self.folder)]):
            write(target, joined(path, self.folder))
        return [str(target)] if find_all else str(target)

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        for name in (SITE, GIVING):
            self.find(name)
            yield name, self.storage
