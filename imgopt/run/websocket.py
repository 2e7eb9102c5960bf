"""As much of the WebSocket protocol (RFC 6455) as shows that a service speaks it: the handshake,
and the first message."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

_KEY = "aW1nb3B0LWtleS0xMjM0NQ=="
_MOST_HEAD = 1 << 16
_MOST_MESSAGE = 1 << 16
_GREETING_SECONDS = 0.7
_ANSWER_SECONDS = 1.5
_SAID = b'{"type":"ping"}'
_TEXT, _BINARY, _CLOSE = 1, 2, 8


def first_message(stream: socket.socket, path: str, host: str) -> tuple[int, bytes]:
    """The status of the handshake (101 where it is one), and what the service says first: by
    itself, or else in answer to one short text. b"" where it says nothing. Raises OSError, and
    ValueError for what is not HTTP."""
    stream.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUser-Agent: imgopt\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {_KEY}\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        piece = stream.recv(4096)
        if not piece or len(head) > _MOST_HEAD:
            raise ValueError("the answer is not HTTP")
        head += piece
    line, _, _ = head.partition(b"\r\n")
    words = line.split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ValueError("the answer is not HTTP")
    status = int(words[1])
    if status != 101:
        return status, b""
    return status, _said(stream, head.partition(b"\r\n\r\n")[2])


def _said(stream: socket.socket, read: bytes) -> bytes:
    message = _message(stream, read, _GREETING_SECONDS)
    if message is None:
        stream.sendall(_frame(_SAID))
        message = _message(stream, b"", _ANSWER_SECONDS)
    with contextlib.suppress(OSError):
        stream.sendall(_frame(b"", _CLOSE))
    return message or b""


def _message(stream: socket.socket, read: bytes, seconds: float) -> bytes | None:
    """The next text or binary message, not longer than 64 KiB; None where none comes in time."""
    stream.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        while True:
            while (frame := _whole(read)) is None:
                piece = stream.recv(4096)
                if not piece or len(read) > _MOST_MESSAGE:
                    return None
                read += piece
            kind, payload, read = frame
            if kind in (_TEXT, _BINARY, _CLOSE):
                return payload if kind != _CLOSE else b"closed"
    return None


def _whole(read: bytes) -> tuple[int, bytes, bytes] | None:
    """Kind, payload and what follows of the first frame; None where it is not all there. A server's
    frames carry no mask."""
    if len(read) < 2:
        return None
    kind, size, at = read[0] & 0x0F, read[1] & 0x7F, 2
    if size >= 126:
        wide = 2 if size == 126 else 8
        if len(read) < at + wide:
            return None
        size, at = int.from_bytes(read[at : at + wide], "big"), at + wide
    return (kind, read[at : at + size], read[at + size :]) if len(read) >= at + size else None


def _frame(payload: bytes, kind: int = _TEXT) -> bytes:
    """A whole frame, with the mask that a client's has."""
    mask = os.urandom(4)
    hidden = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return struct.pack("!BB", 0x80 | kind, 0x80 | len(payload)) + mask + hidden
