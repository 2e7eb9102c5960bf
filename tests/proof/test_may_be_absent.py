"""What a rewrite drops by its facts, the proof knows by facts of its own, or explains by a rule."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.runs import Drop
from imgopt.inspect.files.application_files import is_application_path
from imgopt.inspect.files.tool_state import is_state
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.excused_files import derived_drops
from imgopt.rewrite.final.fates import drop_reason, drop_rules

ELF = File(b"\x7fELF\x02\x01\x01" + bytes(200), 0o755)
DROPS = [(ecosystem.name, drop) for ecosystem in builtin_ecosystems() for drop in ecosystem.drop]


def service(view_of: Callable[..., ImageView], *command: str) -> ImageView:
    base = {"usr/bin/python3": ELF, "usr/bin/node": ELF, "usr/bin/java": ELF}
    config = {"Cmd": list(command), "Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/app"}
    return view_of(Recipe((("ADD base", base), ("COPY . .", {"app/server": ELF})), config), 1)


def places(glob: str) -> list[str]:
    """A path that the pattern covers, and one below it."""
    path = re.sub(r"\*\*/|~", lambda found: "/root" if found[0] == "~" else "", glob)
    path = re.sub(r"\[.*?\]", "", path).replace("*", "a")
    path = path if path.startswith("/") else f"/app/{path}"
    return [path, f"{path}/x"]


def unknown(view: ImageView, paths: list[str]) -> list[str]:
    """Those that the proof would miss in the application's own places."""
    allowed = Allowances(drops=derived_drops(view, frozenset()))
    return [
        path
        for path in paths
        if allowed.drop_reason(path, opened=False) is None
        and not is_state(view, path)
        and is_application_path(path, ("/app",))
    ]


@pytest.mark.parametrize(
    ("name", "drop"), DROPS, ids=[f"{name}: {drop.reason}" for name, drop in DROPS]
)
def test_what_a_rewrite_drops_the_proof_knows_by_itself(
    name: str, drop: Drop, view_of: Callable[..., ImageView]
) -> None:
    starts = [("java", "-jar", "app.jar")] if name == "java" else [("./server",)]
    starts += [] if drop.only_compiled else [("python3", "main.py"), ("node", "main.js")]
    for command in starts:
        view = service(view_of, *command)
        # a folder is known by what lies in it, a file by itself
        lost = [glob for glob in drop.paths if len(unknown(view, places(glob))) > 1]
        assert lost == [], command


def test_a_wrong_fact_of_the_rewriter_would_be_seen(view_of: Callable[..., ImageView]) -> None:
    wrong = ["~/.config/app", "**/data", "/opt/models", "**/*.sql", "**/.next/cache"]
    view = service(view_of, "node", "main.js")
    assert [glob for glob in wrong if len(unknown(view, places(glob))) > 1] == wrong


READ_WHILE_IT_RUNS = ["fetch-cache/0a1b2c", "images/4f/60.1764471004811.webp", "fetch-cache"]
MADE_AGAIN = [
    "webpack/client-production/0.pack",
    "swc/plugins/v7",
    "eslint/.cache_1a",
    ".tsbuildinfo",
]


def test_the_cache_that_a_site_reads_while_it_runs_is_missed(
    view_of: Callable[..., ImageView],
) -> None:
    view = service(view_of, "node", "server.js")
    paths = [f"/app/.next/cache/{name}" for name in (*READ_WHILE_IT_RUNS, *MADE_AGAIN)]
    assert unknown(view, paths) == paths[: len(READ_WHILE_IT_RUNS)]


PEOPLES_OWN = [
    "/home/app/.config/yarn/global/node_modules/pm2/lib/God.js",
    "/root/.gem/ruby/3.4.0/gems/puma-7.1.0/lib/puma.rb",
    "/root/.local/share/gem/ruby/3.4.0/gems/puma-7.1.0/lib/puma.rb",
    "/root/.composer/vendor/bin/envoy",
    "/root/.dotnet/tools/dotnet-ef",
    "/root/.dotnet/corefx/cryptography/x509stores/my/1A.pfx",
    "/root/.gnupg/pubring.kbx",
    "/root/.java/.userPrefs/shop/prefs.xml",
]
"""Installed for a user, or his keys and settings, in a folder that holds caches as well."""


def test_what_is_installed_for_a_user_is_no_cache_of_its_installer(
    view_of: Callable[..., ImageView],
) -> None:
    rules = drop_rules(builtin_ecosystems(), ["/root", "/home/app"], compiled=False)
    assert [path for path in PEOPLES_OWN if drop_reason(path, rules, opened=False)] == []
    assert unknown(service(view_of, "./server"), PEOPLES_OWN[1:]) == PEOPLES_OWN[1:]
