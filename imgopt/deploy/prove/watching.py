"""What changes in the cluster while a trial runs: one `kubectl get --watch` each, in the
background."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from imgopt.deploy.prove.cluster import Cluster


@dataclass
class Watch:
    """Lines as they came, each with the moment (time.monotonic())."""

    lines: list[tuple[float, str]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.lines]

    def numbers(self, since: float = 0.0) -> list[int]:
        """Of a watch whose lines are single numbers; an empty line is 0."""
        counted = (text for at, text in self.lines if at >= since)
        return [int(text or 0) for text in counted if text.isdigit() or not text]


@contextmanager
def watching(cluster: Cluster, *words: str, path: str) -> Iterator[Watch]:
    """`path`: the jsonpath of a line."""
    template = f'jsonpath={path}{{"\\n"}}'
    process = subprocess.Popen(
        [*cluster.enter, *cluster.command, "get", *words, "--watch", "-o", template],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    watch = Watch()
    reader = threading.Thread(target=_read, args=(process, watch), daemon=True)
    reader.start()
    try:
        yield watch
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait()
        reader.join(5)


def _read(process: subprocess.Popen[str], watch: Watch) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        watch.lines.append((time.monotonic(), line.strip()))
