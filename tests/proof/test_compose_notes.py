"""What a Compose file says of an image that does not hold for a variant of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recipes import File, Recipe

from imgopt.compose.companions import Beside
from imgopt.compose.model import Health, Service
from imgopt.inspect.image_view import ImageView
from imgopt.loop.compose_notes import compose_notes

Images = Callable[..., ImageView]
PASSWD = "root:x:0:0::/:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n"
BEFORE = Recipe(
    (
        (
            "ADD",
            {
                "etc/passwd": PASSWD,
                "usr/bin/curl": File("x", 0o755),
                "usr/bin/npm": File("x", 0o755),
                "app/main.js": "x",
            },
        ),
    ),
    {"Env": ["PATH=/usr/bin"]},
)
AFTER = Recipe(
    (
        (
            "ADD",
            {"etc/passwd": "root:x:0:0::/:/bin/sh\n", "app/main.js": "x", "app/.venv/bin/a": "x"},
        ),
    ),
    {"Env": ["PATH=/usr/bin"]},
)


def said(view_of: Images, service: Service, hidden: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    beside = Beside(service, files=(Path("compose.yaml"),), sharing=(service,), hidden=hidden)
    notes = compose_notes(beside, view_of(BEFORE), view_of(AFTER))
    return [(note.key, note.instead or note.message) for note in notes]


def test_a_user_that_only_the_original_knows_is_written_as_its_number(view_of: Images) -> None:
    assert said(view_of, Service("web", user="node")) == [("user", "1000:1001")]
    assert said(view_of, Service("web", user="1000")) == []
    assert said(view_of, Service("web", user="root")) == []
    assert said(view_of, Service("web", user="nobody")) == []  # the original knows it no more


def test_a_program_that_only_the_original_has_is_named(view_of: Images) -> None:
    health = Health(("CMD-SHELL", "curl -f http://127.0.0.1 || exit 1"))
    service = Service("web", command=("npm", "start"), health=health)
    assert said(view_of, service) == [
        ("command", "command calls npm, which is not in the variant"),
        ("healthcheck", "healthcheck calls curl, which is not in the variant"),
    ]
    assert said(view_of, Service("web", entrypoint=("/app/main.js",), command=("npm",))) == []


def test_a_development_mount_hides_what_only_the_variant_has_there(view_of: Images) -> None:
    assert said(view_of, Service("web"), ("/app",)) == [("volumes", "/app/.venv")]
    assert said(view_of, Service("web"), ("/srv",)) == []
