from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from imgopt.run.facts.doors import Door
from imgopt.run.facts.grpc_health import ask_health, call, status_of

HUFFMAN_TYPE = b"\x5f\x8b" + bytes.fromhex("1d75d0620d263d4c4d6564")
PLAIN_TYPE = b"\x5f\x10application/grpc"


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


SETTINGS = frame(4, 0, 0, b"")
SERVING = frame(0, 0, 1, b"\0\0\0\0\2\x08\x01")
NOT_SERVING = frame(0, 0, 1, b"\0\0\0\0\2\x08\x02")
TRAILERS = frame(1, 0x5, 1, b"\x88")


@contextlib.contextmanager
def answering(*pieces: bytes) -> Iterator[Door]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            stream, _ = server.accept()
            with stream:
                stream.settimeout(5)
                stream.recv(4096)
                for piece in pieces:
                    stream.sendall(piece)
                with contextlib.suppress(OSError):
                    while stream.recv(4096):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Door("127.0.0.1", server.getsockname()[1], 50051)
        thread.join(5)


@pytest.mark.parametrize("kind", [HUFFMAN_TYPE, PLAIN_TYPE])
@pytest.mark.parametrize(("message", "serving"), [(SERVING, True), (NOT_SERVING, False)])
def test_a_health_service_says_whether_it_serves(
    kind: bytes, message: bytes, serving: bool
) -> None:
    with answering(SETTINGS + frame(1, 4, 1, kind), message, TRAILERS) as door:
        answer = ask_health(door)
    assert (answer.speaks, answer.serving) == (True, serving)


def test_frames_that_come_in_pieces_are_put_together() -> None:
    whole = SETTINGS + frame(1, 4, 1, HUFFMAN_TYPE) + SERVING + TRAILERS
    with answering(*(whole[at : at + 5] for at in range(0, len(whole), 5))) as door:
        assert ask_health(door).serving is True


def test_a_service_without_health_speaks_grpc_all_the_same() -> None:
    with answering(SETTINGS + frame(1, 0x5, 1, b"\x88" + HUFFMAN_TYPE)) as door:
        answer = ask_health(door)
    assert (answer.speaks, answer.serving) == (True, None)


def test_http2_without_grpc_is_not_grpc() -> None:
    with answering(SETTINGS + frame(1, 0x5, 1, b"\x8d")) as door:
        assert ask_health(door).speaks is False


def test_http1_and_silence_are_not_grpc() -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as door:
        assert ask_health(door, patience=0.5).speaks is False
    with answering() as door:
        assert ask_health(door, patience=0.3).speaks is False


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert ask_health(Door("127.0.0.1", held.getsockname()[1], 1)).speaks is False


def test_the_call_is_two_frames_of_one_stream() -> None:
    sent = call("localhost:50051")
    size = int.from_bytes(sent[:3], "big")
    assert sent[3:9] == struct.pack("!BBI", 1, 4, 1)
    assert sent[9 + size :] == frame(0, 1, 1, bytes(5))


def test_a_status_that_is_left_out_is_unknown() -> None:
    assert status_of(b"\x08\x01") and not status_of(b"") and not status_of(b"\x08\x03")
