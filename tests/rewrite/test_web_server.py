"""A web server's settings from what the original answered, held by the answers of three real
servers."""

from __future__ import annotations

import pytest

from imgopt.rewrite.evidence import Page
from imgopt.rewrite.final.web_server import Refused, manners, server_block

HTML = "text/html; charset=utf-8"
KINDS = {
    ".js": "/assets/a.js",
    ".css": "/assets/a.css",
    "bare": "/bare",
    "index": "/index.html",
    "index name": "/index",
    "page file": "/about.html",
    "page": "/about",
    "page folder": "/about/",
    "hidden file": "/.git/a.json",
    "hidden name": "/.env",
    "folder": "/docs/",
    "folder name": "/docs",
    "folder index": "/docs/index.html",
    "empty folder": "/assets/",
    "empty folder name": "/assets",
    "missing file": "/imgopt/no-such-file.js",
}
ROOT = Page(200, HTML, digest="root")


def page(
    status: int = 200, media: str = HTML, location: str = "", digest: str = "", caching: str = ""
) -> Page:
    return Page(status, media, location, caching, digest)


def moved(location: str, status: int = 301) -> Page:
    return Page(status, "", location)


SERVE_SINGLE = {
    "/": ROOT,
    "/imgopt/no-such-page": ROOT,
    "/imgopt/no-such-file.js": ROOT,
    "/index.html": moved("/index"),
    "/index": moved("/"),
    "/about.html": moved("/about"),
    "/about": ROOT,
    "/about/": ROOT,
    "/.git/a.json": page(media="application/json", digest="a"),
    "/.env": ROOT,
    "/docs/": ROOT,
    "/docs": ROOT,
    "/docs/index.html": moved("/docs/index"),
    "/assets/": ROOT,
    "/assets": ROOT,
    "/bare": ROOT,
    "/assets/a.js": page(media="application/javascript; charset=utf-8", digest="js"),
    "/assets/a.css": page(media="text/css; charset=utf-8", digest="css"),
}
"""`serve -s` 14.2"""
HTTP_SERVER = {
    "/": page(digest="root", caching="max-age=3600"),
    "/imgopt/no-such-page": page(404),
    "/imgopt/no-such-file.js": page(404),
    "/index.html": page(digest="root", caching="max-age=3600"),
    "/index": page(digest="root", caching="max-age=3600"),
    "/about.html": page(digest="about", caching="max-age=3600"),
    "/about": page(digest="about", caching="max-age=3600"),
    "/about/": page(404),
    "/.git/a.json": page(404),
    "/.env": page(404),
    "/docs/": page(digest="docs", caching="max-age=3600"),
    "/docs": moved("/docs/", 302),
    "/docs/index.html": page(digest="docs", caching="max-age=3600"),
    "/assets/": page(404),
    "/assets": moved("/assets/", 302),
    "/bare": page(media="application/octet-stream", digest="bare", caching="max-age=3600"),
    "/assets/a.js": page(
        media="application/javascript; charset=UTF-8", digest="js", caching="max-age=3600"
    ),
    "/assets/a.css": page(media="text/css; charset=UTF-8", digest="css", caching="max-age=3600"),
}
"""`http-server` 14.1 with a 404.html"""


def test_a_single_page_answers_for_every_name_that_is_no_file() -> None:
    found = manners(KINDS, SERVE_SINGLE, has_404=True)
    assert (found.names, found.files) == (("/index.html",), ("$uri", "/index.html"))
    assert found.clean
    assert found.not_found == ""
    text = server_block(found, "/app/build", "3000")
    assert "try_files /index.html =404;" in text
    assert found.hides == ("hidden name",)
    assert '"application/javascript; charset=utf-8" js;' in text


LATER = {
    "application/javascript; charset=utf-8": ["js", "mjs"],
    "application/json": ["json"],
    "text/css; charset=utf-8": ["css"],
}


def test_an_ending_that_no_file_has_today_gets_the_type_that_the_server_is_known_to_give() -> None:
    found = manners(KINDS, SERVE_SINGLE, has_404=True, later=LATER)
    assert found.types["application/json"] == ("json",)
    assert found.types["application/javascript; charset=utf-8"] == ("js", "mjs")
    assert found.types["text/css; charset=utf-8"] == ("css",)


def test_a_server_that_was_seen_to_answer_otherwise_is_not_known() -> None:
    today = manners(KINDS, SERVE_SINGLE, has_404=True)
    other = {**LATER, "text/javascript": ["js"]}
    del other["application/javascript; charset=utf-8"]
    assert manners(KINDS, SERVE_SINGLE, has_404=True, later=other).types == today.types


def test_pages_folders_and_what_is_missing_are_answered_as_a_plain_server_did() -> None:
    found = manners(KINDS, HTTP_SERVER, has_404=True)
    assert found.names == ("$uri", "$uri/index.html", "$uri.html", "=404")
    assert found.files == ("$uri", "=404")
    assert (found.clean, found.slash, found.not_found) == (False, 302, "/404.html")
    assert found.default_type == "application/octet-stream"
    text = server_block(found, "/app/my site", "8080")
    assert 'root "/app/my site";' in text
    assert "add_header Cache-Control max-age=3600 always;" in text
    assert "error_page 404 /404.html;" in text
    assert found.hides == ("hidden file", "hidden name")
    assert text.count("return 404;") == 2


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (
            {"/assets/": page(digest="list"), "/assets": page(digest="list")},
            "list of the folder's files",
        ),
        ({"/imgopt/no-such-page": page(200, digest="other")}, "a page of its own"),
        ({"/imgopt/no-such-page": page(500)}, "status 500"),
        ({"/assets/a.js": page(404)}, "which is there, with status 404"),
        ({"/": page(302, location="/app/")}, "front page"),
        ({"/about/": page(digest="about", caching="max-age=3600")}, "with the page of that name"),
        ({"/index.html": moved("/home")}, "with status 301"),
        ({"/assets/a.css": page(digest="css", caching="max-age=9")}, "another Cache-Control"),
        (
            {"/about.html": page(media="text/plain", digest="about", caching="max-age=3600")},
            "another media type",
        ),
    ],
)
def test_what_settings_cannot_say_is_refused(answers: dict[str, Page], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        manners(KINDS, {**HTTP_SERVER, **answers}, has_404=False)


def test_a_question_that_was_not_answered_is_refused() -> None:
    answers = {path: answer for path, answer in SERVE_SINGLE.items() if path != "/docs"}
    with pytest.raises(Refused, match="no answer for /docs"):
        manners(KINDS, answers, has_404=False)


PREVIEW_KINDS = {kind: KINDS[kind] for kind in (".js", "index", "index name", "missing file")}
PREVIEW = {
    "/": page(media="text/html", digest="root"),
    "/imgopt/no-such-page": page(media="text/html", digest="root"),
    "/imgopt/no-such-file.js": page(media="text/html", digest="root"),
    "/index.html": page(media="text/html;charset=utf-8", digest="root"),
    "/index": page(media="text/html", digest="root"),
    "/assets/a.js": page(media="text/javascript", digest="js"),
}
"""As `vite preview` answers: a charset where the index is asked for by its name, none where it
stands for others."""


def test_the_front_page_keeps_its_own_media_type() -> None:
    found = manners(PREVIEW_KINDS, PREVIEW, has_404=False)
    block = server_block(found, "/app/dist", "4173")
    assert found.front == "text/html"
    assert '"text/html;charset=utf-8" html;' in block
    assert "try_files $uri @front;" in block
    front = "        types { }\n        default_type text/html;\n        try_files /index.html =404;\n    }\n"
    assert f"    location = / {{\n{front}    location @front {{\n{front}" in block


def test_a_page_below_with_a_media_type_of_its_own_is_refused() -> None:
    kinds = {**PREVIEW_KINDS, "folder": "/docs/"}
    with pytest.raises(Refused, match="several media types"):
        manners(kinds, {**PREVIEW, "/docs/": page(digest="docs")}, has_404=False)
