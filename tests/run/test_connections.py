"""Connections in the kernel's tables."""

from __future__ import annotations

from imgopt.run.connections import read

ENGINE_DNS = "   0: 0B00007F:A2E1 00000000:0000 0A 00000000:00000000"
LIVES = "   1: 020012AC:C3D4 030012AC:1538 01 00000000:00000000"
CLOSED = "   2: 020012AC:C3D6 040012AC:18EB 06 00000000:00000000"
ASKED_IN_VAIN = "   3: 020012AC:C3D8 050012AC:18EB 02 00000000:00000000"
MAPPED = "   4: 0000000000000000FFFF0000020012AC:1F90 0000000000000000FFFF0000060012AC:D431 01 0:0"


def test_the_other_end_of_what_lives_and_of_what_has_just_ended() -> None:
    assert set(read([ENGINE_DNS, LIVES, CLOSED, MAPPED])) == {
        ("172.18.0.3", "1538", "C3D4"),
        ("172.18.0.4", "18EB", "C3D6"),
        ("172.18.0.6", "D431", "1F90"),
    }


def test_who_did_not_answer_was_not_reached() -> None:
    assert list(read([ASKED_IN_VAIN, "", "nonsense"])) == []
