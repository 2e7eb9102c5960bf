"""The page on the checks says what the checks are."""

from __future__ import annotations

from checks_page import PAGE, page


def test_the_page_on_the_checks_is_made_from_them() -> None:
    assert PAGE.read_text() == page(), "python tests/checks_page.py writes it anew"
