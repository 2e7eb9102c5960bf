"""Which accounts of an image the application names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.named_accounts import named_accounts

ACCOUNTS = "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n"


def named(view_of: Callable[..., ImageView], *command: str) -> set[str]:
    program = File(b"\x7fELF", 0o755)
    base: dict[str, File | str] = {
        "etc/passwd": ACCOUNTS,
        "usr/bin/node": program,
        "usr/bin/gosu": program,
    }
    config = {"Env": ["PATH=/usr/bin"], "WorkingDir": "/app", "Cmd": list(command)}
    layers = (("ADD base", base), ("COPY . .", {"app/server.js": "1"}))
    return {name for name, _ in named_accounts(view_of(Recipe(layers, config), 1))}


@pytest.mark.parametrize(
    "command", ["node server.js", "sh -c 'exec node server.js'", "/usr/bin/node server.js"]
)
def test_a_program_of_that_name_is_no_account(
    command: str, view_of: Callable[..., ImageView]
) -> None:
    assert named(view_of, *command.split()) == set()


@pytest.mark.parametrize(
    "command",
    ["gosu node node server.js", "serve --user node", "serve --user=node", "serve -u node:node"],
)
def test_who_a_service_becomes_is_one(command: str, view_of: Callable[..., ImageView]) -> None:
    assert named(view_of, *command.split()) == {"node"}
