"""Image references are distribution's: ports are not tags, hosts are not repositories."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import ImageReference
from imgopt.errors import InputError

DIGEST = "sha256:" + "0123456789abcdef" * 4

PARTS = {
    "alpine": (None, "alpine", None, None),
    "alpine:3.20": (None, "alpine", "3.20", None),
    f"alpine@{DIGEST}": (None, "alpine", None, DIGEST),
    f"alpine:3@{DIGEST}": (None, "alpine", "3", DIGEST),
    "team/app": (None, "team/app", None, None),
    "host/app:1": (None, "host/app", "1", None),
    "host.io/app": ("host.io", "app", None, None),
    "host:5000/app": ("host:5000", "app", None, None),
    "host:5000/a/b:1": ("host:5000", "a/b", "1", None),
    "localhost/app": ("localhost", "app", None, None),
    "localhost:5000/app:x": ("localhost:5000", "app", "x", None),
    "127.0.0.1:80/a": ("127.0.0.1:80", "a", None, None),
    "[::1]:5000/a:1": ("[::1]:5000", "a", "1", None),
    "Host/app": ("Host", "app", None, None),
    "mcr.microsoft.com/dotnet/sdk:8.0": ("mcr.microsoft.com", "dotnet/sdk", "8.0", None),
    "a_b/c__d/e-f.g": (None, "a_b/c__d/e-f.g", None, None),
    "scratch": (None, "scratch", None, None),
}


@pytest.mark.parametrize("text", PARTS)
def test_parts_and_text(text: str) -> None:
    found = ImageReference.parse(text)
    assert (found.registry, found.repository, found.tag, found.digest) == PARTS[text]
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Alpine",
        "a:",
        "a:b:c",
        "a@",
        "a@sha256:12",
        "a b",
        "-a",
        "a/",
        "/a",
        "a:$x",
        "${x}",
        "a//b",
        "a:" + "x" * 129,
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InputError, match="invalid image reference"):
        ImageReference.parse(text)


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("alpine", "docker.io/library/alpine:latest", "alpine"),
        ("docker.io/library/alpine:3", "docker.io/library/alpine:3", "alpine"),
        ("team/app", "docker.io/team/app:latest", "team/app"),
        (f"h.io/a@{DIGEST}", f"h.io/a@{DIGEST}", "h.io/a"),
    ],
)
def test_long_and_short_names(text: str, canonical: str, familiar: str) -> None:
    found = ImageReference.parse(text)
    assert (found.canonical, found.familiar) == (canonical, familiar)


def test_changing_the_tag_drops_the_digest() -> None:
    found = ImageReference.parse(f"h.io/a:1@{DIGEST}")
    assert str(found.with_tag("2-slim")) == "h.io/a:2-slim"
    assert str(found.with_digest(None)) == "h.io/a:1"
