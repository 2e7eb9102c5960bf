"""A name server of ours for the network of a run: it knows nobody, so that no question leaves this
machine, and it keeps the names of the hosts that were asked for."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

_PORT = 53
_MOST_BYTES = 512
_MOST_NAMES = 200
_NO_SUCH_NAME = 3


@contextlib.contextmanager
def name_server(address: str) -> Iterator[set[str] | None]:
    """Names asked for, while the block runs; None where the port cannot be had (it takes root)."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        try:
            server.bind((address, _PORT))
        except OSError:
            yield None
            return
        server.settimeout(0.2)
        asked: set[str] = set()
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, asked, over), daemon=True)
        thread.start()
        stack.callback(thread.join, 2)
        stack.callback(over.set)
        yield asked


def _serve(server: socket.socket, asked: set[str], over: threading.Event) -> None:
    while not over.is_set():
        try:
            question, sender = server.recvfrom(_MOST_BYTES)
        except TimeoutError:
            continue
        except OSError:
            return
        name, answer = answered(question)
        if name and len(asked) < _MOST_NAMES:
            asked.add(name)
        if answer:
            with contextlib.suppress(OSError):
                server.sendto(answer, sender)


def answered(question: bytes) -> tuple[str, bytes]:
    """The name that is asked for, and the answer that there is none (RFC 1035, section 4.1); "" and
    nothing for what is no question."""
    if len(question) < 17 or question[2] & 0x80:
        return "", b""
    labels, at = [], 12
    while at < len(question) and question[at]:
        size = question[at]
        if size > 63 or at + 1 + size >= len(question):
            return "", b""
        labels.append(question[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    end = at + 5
    if len(question) < end:
        return "", b""
    flags = bytes((0x80 | (question[2] & 0x79), 0x80 | _NO_SUCH_NAME))
    head = question[:2] + flags + b"\0\1" + bytes(6)
    return ".".join(labels).lower(), head + question[12:end]
