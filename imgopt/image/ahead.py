"""A second process that reads layers ahead: what it learns of them, the memory of layers tells the
first one.

Python runs one thread at a time, so headers are parsed and samples drawn on one processor however
many there are. The second process only fills the memory, which is keyed by diff ID and safe under
concurrent runs: where it cannot start, fails or is killed, the first one finds the same by itself.
"""

from __future__ import annotations

import marshal
import os
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from imgopt.image.duplicates import Duplicate, find_duplicates
from imgopt.image.image import Image
from imgopt.image.layer import Layer
from imgopt.image.sizes import layer_wires

if TYPE_CHECKING:
    from imgopt.image.wire import Wire

_WORTH, _MOST = 128 << 10, 8 << 20
"""Bytes of compressed headers, some 2,000 and 130,000 entries: below, a process takes longer to
start than it saves; above, two of them need too much memory."""
_LENGTH = struct.Struct("<Q")

Plain = Any
"""What `marshal` takes: numbers, texts, bytes, and tuples and lists of them."""


class Helper:
    """Does `steps` one after the other in a forked process, as far as that goes; without steps
    there is none."""

    def __init__(self, steps: Sequence[Callable[[], Plain]]) -> None:
        self._steps = steps
        self._process = 0
        self._results: BinaryIO | None = None
        self._known: list[Plain] = []
        self._lock = Lock()

    def __enter__(self) -> Helper:
        if self._steps and can_fork():
            with suppress(
                OSError
            ):  # no process or no file is left to have: the work is done without
                self._start()
        return self

    def _start(self) -> None:
        ours, theirs = os.pipe()
        with os.fdopen(theirs, "wb", buffering=0) as results:
            self._results = os.fdopen(ours, "rb")
            self._process = os.fork()
            if not self._process:
                self._work(cast(BinaryIO, results))

    def _work(self, results: BinaryIO) -> None:
        """In the child, where nothing is printed and none of the parent's handlers runs."""
        with suppress(BaseException):
            assert self._results is not None
            self._results.close()
            for step in self._steps:
                data = marshal.dumps(step())
                results.write(_LENGTH.pack(len(data)) + data)
        os._exit(0)

    def result(self, step: int) -> Plain | None:
        """What the step of this number gave, waited for; None where it was not done."""
        with self._lock:
            while self._process and len(self._known) <= step:
                length = cast(BinaryIO, self._results).read(_LENGTH.size)
                if len(length) < _LENGTH.size:
                    return None
                self._known.append(
                    marshal.loads(cast(BinaryIO, self._results).read(_LENGTH.unpack(length)[0]))
                )
            return self._known[step] if len(self._known) > step else None

    def __exit__(self, *failure: object) -> None:
        if self._results is not None:
            self._results.close()
        if self._process:
            import signal

            if failure[0] is not None:
                os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


def can_fork() -> bool:
    """A fork takes only the thread that calls: locks that others hold would stay locked; macOS'
    libraries have some."""
    return sys.platform == "linux" and threading.active_count() == 1


class Ahead:
    """What takes long to learn of an image, by two processes where that is quicker."""

    def __init__(self, image: Image, *, exact_wire: bool = False) -> None:
        self._image, self._exact = image, exact_wire
        self._own, self._others = _halves(image.layers)
        others = sum(layer.unread_bytes for layer in self._others)
        if image.memory.directory is None or not _WORTH <= others <= _MOST // 2:
            self._own, self._others = list(image.layers), []
        self._helper = Helper(
            (self._read_others, self._measure_others, self._compare) if self._others else ()
        )

    def __enter__(self) -> Ahead:
        self._helper.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._helper.__exit__(*failure)

    def _read_others(self) -> None:
        for layer in self._others:
            layer.entries()

    def _measure_others(self) -> None:
        layer_wires(self._others, exact=self._exact)

    def _compare(self) -> list[tuple[str, int, tuple[str, ...], tuple[int, ...]]]:
        found = find_duplicates(self._image.tree())
        return [(each.digest, each.size, each.paths, each.layers) for each in found]

    def read(self) -> None:
        """The entries of all layers."""
        for layer in self._own:
            layer.entries()
        self._helper.result(0)
        for layer in self._others:
            layer.entries()

    def wires(self) -> tuple[Wire | None, ...]:
        """The wire size of each layer."""
        layer_wires(self._own, exact=self._exact)
        self._helper.result(1)
        return layer_wires(self._image.layers, exact=self._exact)

    def duplicates(self) -> tuple[Duplicate, ...]:
        """As `find_duplicates`."""
        found = self._helper.result(2)
        return (
            find_duplicates(self._image.tree())
            if found is None
            else tuple(Duplicate(*each) for each in found)
        )


def _halves(layers: Sequence[Layer]) -> tuple[list[Layer], list[Layer]]:
    """About equally much to read in both."""
    halves: tuple[list[Layer], list[Layer]] = [], []
    weights = [0, 0]
    for layer in sorted(layers, key=lambda layer: -layer.unread_bytes):
        lighter = weights.index(min(weights))
        halves[lighter].append(layer)
        weights[lighter] += layer.unread_bytes
    return halves
