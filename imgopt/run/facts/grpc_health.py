"""As much of HTTP/2 and gRPC as asks a service for its health: one call of
`grpc.health.v1.Health/Check` on a connection of its own.

Sources: RFC 9113 (frames), RFC 7541 (header fields), the gRPC protocol over HTTP/2, and
grpc/health/v1/health.proto.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass

from imgopt.run.facts.doors import Door

PATH = "/grpc.health.v1.Health/Check"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _GO_AWAY = 0, 1, 3, 4, 7
_END_STREAM, _END_HEADERS = 0x1, 0x4
_ACKNOWLEDGED = 0x1
_STREAM = 1
_MOST_FRAME = 1 << 20
_STATUS_FIELD, _SERVING = 0x08, 1
_KINDS = (b"application/grpc", bytes.fromhex("1d75d0620d263d4c4d6564"))
"""The content type as it stands in a header block: plain, or in Huffman's code."""


@dataclass(frozen=True, slots=True)
class GrpcAnswer:
    """`speaks`: the port speaks gRPC. `serving`: what its health service said; None where it has
    none."""

    speaks: bool
    serving: bool | None = None
    seconds: float = 0.0


def ask_health(door: Door, patience: float = 5.0) -> GrpcAnswer:
    """Asks the health of the whole server, in plain text; never raises for what the container
    does."""
    begun = time.monotonic()
    try:
        with door.connect(patience) as stream:
            stream.settimeout(patience)
            stream.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, b"") + call(f"localhost:{door.port}"))
            said = bytearray()
            reading = _Reading()
            while not reading.over and time.monotonic() - begun < patience:
                piece = stream.recv(1 << 14)
                if not piece or len(said) > _MOST_FRAME:
                    break
                said += piece
                if reading.take(said):
                    stream.sendall(_frame(_SETTINGS, _ACKNOWLEDGED, 0, b""))
    except (OSError, ValueError):
        return GrpcAnswer(False, seconds=time.monotonic() - begun)
    return GrpcAnswer(reading.is_grpc, reading.serving, time.monotonic() - begun)


def call(authority: str) -> bytes:
    """HEADERS and DATA of the call with an empty request (no compressed table, no Huffman)."""
    fields = (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", PATH),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "imgopt"),
    )
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)
    return _frame(_HEADERS, _END_HEADERS, _STREAM, block) + _frame(
        _DATA, _END_STREAM, _STREAM, bytes(5)
    )


def _text(value: str) -> bytes:
    """A string literal of less than 127 bytes."""
    return bytes([len(value)]) + value.encode("ascii")


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


class _Reading:
    """What came so far."""

    def __init__(self) -> None:
        self.over = False
        self.is_http2 = False
        self.is_grpc = False
        self.serving: bool | None = None

    def take(self, data: bytearray) -> bool:
        """Takes whole frames off the front; whether settings came that have to be acknowledged.
        Raises ValueError for what is no HTTP/2."""
        settings = False
        while len(data) >= 9:
            size = int.from_bytes(data[:3], "big")
            kind, flags, stream = struct.unpack("!BBI", data[3:9])
            if not self.is_http2 and kind != _SETTINGS:
                raise ValueError("no HTTP/2")
            self.is_http2 = True
            if len(data) < 9 + size:
                break
            payload = bytes(data[9 : 9 + size])
            del data[: 9 + size]
            settings |= kind == _SETTINGS and not flags & _ACKNOWLEDGED
            self._note(kind, flags, stream & 0x7FFFFFFF, payload)
        return settings

    def _note(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _GO_AWAY:
            self.over = True
        if stream != _STREAM:
            return
        if kind == _HEADERS:
            self.is_grpc |= any(sign in payload for sign in _KINDS)
        elif kind == _DATA and len(payload) >= 5:
            self.is_grpc = True
            self.serving = status_of(payload[5:])
        self.over |= kind == _RESET or (kind in (_DATA, _HEADERS) and bool(flags & _END_STREAM))


def status_of(message: bytes) -> bool:
    """Whether a HealthCheckResponse says SERVING; the field is left out for UNKNOWN."""
    return message[:2] == bytes([_STATUS_FIELD, _SERVING])
