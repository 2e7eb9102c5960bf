"""Fonts and languages come along with the program that only recommends them."""

from __future__ import annotations

from collections.abc import Callable

from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.final.recommended import recommended_data

STATUS = """\
Package: wkhtmltopdf
Depends: libc6 (>= 2.34), libwebkit
Recommends: xvfb | fonts-any, fonts-dejavu-core

Package: libwebkit
Recommends: poppler-data

Package: gcc
Recommends: fonts-liberation

Package: fonts-dejavu-core
Version: 1
"""
INSTALLED = dict.fromkeys(
    ["wkhtmltopdf", "libwebkit", "gcc", "fonts-dejavu-core", "fonts-liberation", "poppler-data"],
    "1",
)


def test_data_comes_with_who_wants_it_and_not_with_a_compiler(
    view_of: Callable[..., ImageView],
) -> None:
    view = view_of(Recipe((("ADD", {"var/lib/dpkg/status": STATUS}),), {}))
    found = recommended_data(view, ["wkhtmltopdf"], INSTALLED, ["fonts-*", "*-data"])
    assert found == {
        "fonts-dejavu-core": "data for wkhtmltopdf",
        "poppler-data": "data for wkhtmltopdf",
    }
    assert recommended_data(view, ["libwebkit"], {"libwebkit": "1"}, ["*-data"]) == {}
