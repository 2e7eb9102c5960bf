"""Which Java applications may need the fonts of a full system, and from where a run time is
taken."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.final.smaller_runtime import draws

JAVA = next(ecosystem for ecosystem in builtin_ecosystems() if ecosystem.name == "java")


def jar(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def drawer(path: str, data: bytes) -> str:
    """What is found in an image that keeps this one file."""
    name = path.rpartition("/")[2]
    node = SimpleNamespace(
        path=path,
        name=name,
        size=len(data),
        open=lambda: io.BytesIO(data),
        read=lambda most: data[:most],
    )
    evidence = SimpleNamespace(
        view=SimpleNamespace(file=lambda wanted: node if wanted == path else None)
    )
    carved = SimpleNamespace(paths=lambda _fate: (path,))
    return draws(cast(Any, evidence), cast(Any, carved), JAVA)


FONT = b"\xca\xfe\xba\xbe java/awt/Font x"
CASES = {
    "the application draws": (
        "/app/app.jar",
        jar(**{"BOOT-INF/classes/a/Chart.class": FONT}),
        "BOOT-INF/classes/a/Chart",
    ),
    "a class of its own": (
        "/app/target/classes/Chart.class",
        FONT,
        "/app/target/classes/Chart.class",
    ),
    "a library for documents": (
        "/app/app.jar",
        jar(**{"BOOT-INF/lib/poi-ooxml-5.2.jar": b""}),
        "poi-ooxml-5.2.jar in",
    ),
    "a library beside the application": (
        "/app/lib/openpdf-1.3.jar",
        jar(),
        "/app/lib/openpdf-1.3.jar",
    ),
    "a library that could, and is known not to": (
        "/app/lib/spring-web-6.jar",
        jar(**{"a/B.class": FONT}),
        "",
    ),
    "nothing of the kind": (
        "/app/app.jar",
        jar(**{"BOOT-INF/classes/a/App.class": b"\xca\xfe java/util/List"}),
        "",
    ),
    "a broken archive": ("/app/app.jar", b"PK broken", ""),
    "no archive": ("/app/data.txt", FONT, ""),
}


@pytest.mark.parametrize(("path", "data", "found"), CASES.values(), ids=CASES)
def test_what_may_draw_text_is_found(path: str, data: bytes, found: str) -> None:
    result = drawer(path, data)
    assert result.startswith(found) if found else result == ""
