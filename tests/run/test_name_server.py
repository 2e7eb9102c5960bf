"""The name server of a run knows nobody and keeps what it was asked for."""

from __future__ import annotations

import socket

from imgopt.run.name_server import answered, name_server

QUESTION = b"\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3api\7Example\3org\0\0\1\0\1"


def test_a_question_is_answered_with_no_such_name() -> None:
    name, answer = answered(QUESTION)
    assert name == "api.example.org"
    assert answer == b"\x12\x34\x81\x83\0\1\0\0\0\0\0\0\3api\7Example\3org\0\0\1\0\1"


def test_what_is_no_question_gets_nothing() -> None:
    for text in (
        b"",
        b"x" * 11,
        QUESTION[:20],
        b"\0\0\x80" + QUESTION[3:],
        QUESTION[:12] + b"\xff" * 9,
    ):
        assert answered(text) == ("", b"")


def test_names_are_kept_while_it_serves() -> None:
    with name_server("127.0.0.53") as asked:
        if asked is None:  # port 53 takes root
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.settimeout(5)
            one.sendto(QUESTION, ("127.0.0.53", 53))
            assert one.recv(512)[3] & 15 == 3
        assert asked == {"api.example.org"}
