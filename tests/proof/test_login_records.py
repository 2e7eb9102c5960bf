"""The record of logins is what a tool of the system keeps: an account that was made without it is
the same account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.example import File
from proof.test_checks import ORIGINAL, compared, failed


@pytest.mark.parametrize("path", ["var/log/lastlog", "var/log/faillog", "var/log/tallylog"])
@pytest.mark.parametrize("left", [None, File("")], ids=["absent", "empty"])
def test_a_shorter_record_of_logins_is_no_difference(
    path: str, left: File | None, view_of: Callable[..., ImageView]
) -> None:
    original = ORIGINAL.but(files={path: File("\0" * 5000)})
    candidate = ORIGINAL.but(files={path: left}) if left is not None else ORIGINAL
    assert failed(compared(view_of(original, 1), view_of(candidate), Allowances())) == {}


def test_a_log_of_the_application_is_one(view_of: Callable[..., ImageView]) -> None:
    original = ORIGINAL.but(files={"var/log/app/audit.log": File("first line\n")})
    checks = compared(view_of(original, 1), view_of(ORIGINAL), Allowances())
    assert "/var/log/app/audit.log" in str(failed(checks))
