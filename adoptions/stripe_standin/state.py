"""What the stand-in knows, kept so that an answer once given outlives the process, even through kill -9.

Objects are held as JSON text: nobody can change one behind the state's back, and what is held is exactly what is
written. Each change appends one line to a journal before it is answered; a start reads the journal and rewrites it
short. A line that kill -9 cut in half was never answered, so it is dropped.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

type Object = dict[str, Any]


class State:
    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._tables: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._undo: list[tuple[str, str, str | None]] = []
        self._depth = 0
        self._journal: IO[bytes] | None = None
        if path:
            self._read(path)
            self._journal = self._rewrite(path)

    def close(self) -> None:
        with self.lock:
            if self._journal:
                self._journal.close()
                self._journal = None

    @contextmanager
    def change(self) -> Iterator[None]:
        """One change at a time, whole or not at all. Changes nest: the outermost one is what is written."""
        with self.lock:
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._write()
            except BaseException:
                if self._depth == 1:
                    self._take_back()
                raise
            finally:
                self._depth -= 1

    def get(self, kind: str, key: str) -> Object | None:
        with self.lock:
            text = self._tables[kind].get(key)
        return json.loads(text) if text is not None else None

    def all(self, kind: str) -> list[Object]:
        """Newest first, as Stripe lists everything."""
        with self.lock:
            texts = list(self._tables[kind].values())
        return [json.loads(text) for text in reversed(texts)]

    def items(self, kind: str) -> list[tuple[str, Object]]:
        """Keys with their values, oldest first."""
        with self.lock:
            texts = list(self._tables[kind].items())
        return [(key, json.loads(text)) for key, text in texts]

    def put(self, kind: str, key: str, value: Object) -> None:
        self._set(kind, key, json.dumps(value, separators=(",", ":")))

    def remove(self, kind: str, key: str) -> None:
        self._set(kind, key, None)

    def _set(self, kind: str, key: str, text: str | None) -> None:
        with self.change():
            self._undo.append((kind, key, self._tables[kind].get(key)))
            self._apply(kind, key, text)

    def _apply(self, kind: str, key: str, text: str | None) -> None:
        if text is None:
            self._tables[kind].pop(key, None)
        else:
            self._tables[kind][key] = text

    def _write(self) -> None:
        touched = {(kind, key): self._tables[kind].get(key) for kind, key, _ in self._undo}
        if touched and self._journal:
            self._journal.write(_line(touched))
            self._journal.flush()
        self._undo.clear()

    def _take_back(self) -> None:
        for kind, key, before in reversed(self._undo):
            self._apply(kind, key, before)
        self._undo.clear()

    def _read(self, path: Path) -> None:
        if not path.exists():
            return
        for line in path.read_bytes().splitlines():
            try:
                changes = json.loads(line)
            except ValueError:
                break
            for kind, key, text in changes:
                self._apply(kind, key, text)

    def _rewrite(self, path: Path) -> IO[bytes]:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            for kind, table in self._tables.items():
                file.writelines(_line({(kind, key): text}) for key, text in table.items())
        fresh.replace(path)
        return path.open("ab")


def _line(changes: dict[tuple[str, str], str | None]) -> bytes:
    return json.dumps([[kind, key, text] for (kind, key), text in changes.items()]).encode() + b"\n"
