"""What a script of package.json starts, where it compiles first: the compiler runs while the image
is built.

Sources: npm's documentation, "Scripts" (pre and post scripts) and `npm run`; the Nest CLI's
reference, `nest start`. A script that bundles is left alone: bundlers write the environment of
their run into what they make.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from imgopt.rewrite.language import Launched
from imgopt.rewrite.order.workspaces import json_object
from imgopt.rewrite.strategy import ContextFiles

COMPILERS = frozenset(
    ["tsc", "tsc-alias", "babel", "swc", "rimraf", "del-cli", "copyfiles", "cpx", "ncp"]
)
SHELL = frozenset(["rm", "cp", "mkdir"])
RUNS = {"npm": "npx --no-install ", "yarn": "yarn run ", "pnpm": "pnpm exec "}
"""Manager -> how it runs a program of the project's packages."""
_MOST_STEPS = 4
_MORE_THAN_A_LIST = re.compile(r"[;|<>$`()\\]|(?<!&)&(?!&)")
_PLAIN = re.compile(r"[\w./:=@,+%-]+\Z")
_NEST = re.compile(r"node (?:\./)?dist/main(?:\.js)?")


def node_script(
    words: tuple[str, ...], rest: tuple[str, ...], context: ContextFiles, folder: str
) -> Launched:
    """`npm start`, `npm run NAME` and the like; an empty answer where the script builds nothing, or
    more is in it."""
    manager = words[0].rpartition("/")[2]
    scripts = _scripts(context.text(f"{folder}/package.json" if folder else "package.json"))
    name, rest = (rest[0], rest[1:]) if words[1:] == ("run",) and rest else (words[-1], rest)
    steps = _steps(scripts, name)
    if rest or len(steps) < 1:
        return Launched()
    *builds, start = steps
    if start == "nest start" and not builds:
        builds, start = (
            ["nest build"],
            next((text for text in scripts.values() if _NEST.fullmatch(text)), ""),
        )
    if not builds or not start or not all(_is_build(step, scripts) for step in builds):
        return Launched()
    started = _start(manager, scripts, start)
    build = " && ".join(_build(manager, scripts, step) for step in builds)
    return Launched(started, build) if started else Launched()


def _scripts(text: str) -> dict[str, str]:
    given = json_object(text).get("scripts")
    return (
        {str(name): str(command).strip() for name, command in given.items()}
        if isinstance(given, dict)
        else {}
    )


def _steps(scripts: Mapping[str, str], name: str) -> list[str]:
    """The commands of a script and of the one before it, in order; none where they are more than a
    plain list."""
    text = " && ".join(filter(None, [scripts.get(f"pre{name}", ""), scripts.get(name, "")]))
    if name not in scripts or f"post{name}" in scripts or _MORE_THAN_A_LIST.search(text):
        return []
    return [step.strip() for step in text.split("&&")]


def _is_build(step: str, scripts: Mapping[str, str], depth: int = 0) -> bool:
    words = step.removeprefix("npx ").split()
    if not words or "-w" in words or "--watch" in words or depth == _MOST_STEPS:
        return False
    if words[0] in RUNS:
        inner = (
            _steps(scripts, words[-1]) if len(words) == (3 if words[1:2] == ["run"] else 2) else []
        )
        return bool(inner) and all(_is_build(one, scripts, depth + 1) for one in inner)
    return words[0] in COMPILERS | SHELL or words[:2] == ["nest", "build"]


def _alone(scripts: Mapping[str, str], text: str) -> str:
    """The script that is this command and nothing before or after it; "" for none."""
    names = (name for name, command in scripts.items() if command == text)
    return next((name for name in names if not {f"pre{name}", f"post{name}"} & scripts.keys()), "")


def _build(manager: str, scripts: Mapping[str, str], step: str) -> str:
    first = step.split()[0]
    if first in SHELL or first in RUNS or first == "npx":
        return step
    name = _alone(scripts, step)
    return f"{manager} run {name}" if name else RUNS[manager] + step


def _start(manager: str, scripts: Mapping[str, str], start: str) -> tuple[str, ...]:
    """The words that start the program: a script that does nothing else, as it gives the same
    environment; Node.js on a file; or a program of the project's packages."""
    name = _alone(scripts, start)
    words = tuple(start.split())
    if name:
        return (manager, "run", name)
    if (
        any(not _PLAIN.match(word) for word in words)
        or "=" in words[0]
        or words[0] in RUNS
        or words[0] == "npx"
    ):
        return ()
    return words if words[0] == "node" else (f"./node_modules/.bin/{words[0]}", *words[1:])
