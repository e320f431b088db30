"""A mark that all web processes of one host see: it is another one after every request that may have written.

    mark.change()      # after a POST
    before = mark.read()

The processes share the memory because gunicorn's first one imports this (config/serving.py) before it starts the
others. A server that does not leaves each process with a mark of its own.
"""

import mmap
import os

SIZE = 8  # bytes


class SharedMark:
    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SIZE)

    def read(self) -> bytes:
        return self._memory[:]

    def change(self) -> None:
        """To a random one: of two processes that counted up at once, one would be overlooked."""
        self._memory[:] = os.urandom(SIZE)


mark = SharedMark()
