"""Which strategies are left out when a failure names nothing that could be added."""

from __future__ import annotations

from imgopt.rewrite.loop.repair import to_leave_out


def test_one_after_the_other_and_all_when_it_makes_no_difference() -> None:
    names = ["non-root", "slim-base", "ignore-file"]
    assert to_leave_out({}, names, "a file is lost") == ["non-root"]
    assert to_leave_out({"bytecode": "a file is lost"}, names, "a file is lost") == ["non-root"]
    assert to_leave_out({"bytecode": "x", "exec-form": "x"}, names, "a file is lost") == ["non-root"]
    assert to_leave_out({"bytecode": "x", "exec-form": "x"}, names, "x") == names
