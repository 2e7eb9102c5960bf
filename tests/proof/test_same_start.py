from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from recipes import File, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.inspect.image_view import ImageView
from imgopt.proof.same_start import same_start
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.strategy import ContextFiles, Project, Situation, Skip
from imgopt.strategies.start_command import STRATEGY

ELF = b"\x7fELF" + b"\0" * 60
FILES = {
    "usr/bin/node": File(ELF + b"node", 0o755),
    "usr/bin/python3.11": File(ELF, 0o755),
    "usr/bin/python": File(link="python3.11"),
    "usr/bin/npm": File("#!/usr/bin/env node\n", 0o755),
    "usr/bin/env": File(ELF, 0o755),
    "bin/sh": File(ELF, 0o755),
    "app/main.py": "print()",
    "app/start.sh": File("#!/bin/sh\nexport A=1\nexec python main.py\n", 0o755),
    "app/entry.sh": File('#!/bin/sh\nexport A=1\nexec "$@"\n', 0o755),
    "app/migrating.sh": File("#!/bin/sh\npython migrate.py\nexec python main.py\n", 0o755),
    "app/package.json": '{"scripts": {"start": "node dist/server.js", "serve": "next start", '
    '"production": "NODE_ENV=production node dist/server.js", "crossed": "cross-env A=1 B=x/y node dist/server.js", '
    '"prebuild": "x", "build": "y"}}',
    "app/dist/server.js": "server()",
    "app/node_modules/next/dist/next": File("#!/usr/bin/env node\n", 0o755),
    "app/node_modules/.bin/next": File(link="../next/dist/next"),
    "app/target/app-1.0.jar": "PK jar",
}


def images(
    view_of: Callable[..., ImageView],
    before: Sequence[str],
    after: Sequence[str],
    *,
    entry: bool = False,
    moved: bool = False,
) -> tuple[ImageView, ImageView]:
    files = dict(FILES)
    if moved:
        files["app.jar"] = files.pop("app/target/app-1.0.jar")
    base = {"Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/app"}
    given = {"Entrypoint" if entry else "Cmd": list(after)}
    original = Recipe((("COPY", FILES),), {**base, "Cmd": list(before)})
    return view_of(original), view_of(Recipe((("COPY", files),), {**base, **given}))


SAME = {
    "shell form and exec form": (["/bin/sh", "-c", "python main.py"], ["python", "main.py"]),
    "exec in the shell": (
        ["/bin/sh", "-c", "exec python main.py --port 80"],
        ["python", "main.py", "--port", "80"],
    ),
    "a name and its path": (["python", "main.py"], ["/usr/bin/python3.11", "/app/main.py"]),
    "npm start": (["npm", "start"], ["node", "dist/server.js"]),
    "npm run in the shell": (["/bin/sh", "-c", "npm run start"], ["node", "dist/server.js"]),
    "arguments that npm hands on": (
        ["npm", "start", "--", "--port", "80"],
        ["node", "dist/server.js", "--port", "80"],
    ),
    "arguments of yarn": (
        ["yarn", "start", "--port", "80"],
        ["node", "dist/server.js", "--port", "80"],
    ),
    "npx that asks nothing": (
        ["npx", "--yes", "next", "start"],
        ["node", "node_modules/next/dist/next", "start"],
    ),
    "a script that is a package's program": (
        ["npm", "run", "serve"],
        ["node", "node_modules/next/dist/next", "start"],
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_program_by_other_words_is_the_same_start(
    name: str, view_of: Callable[..., ImageView]
) -> None:
    found = same_start(*images(view_of, *SAME[name]))
    assert found.start is not None
    assert found.start.reason


OTHER = {
    "another argument": (["/bin/sh", "-c", "python main.py"], ["python", "main.py", "--debug"]),
    "a variable that the shell expands": (
        ["/bin/sh", "-c", "python main.py $PORT"],
        ["python", "main.py", "8000"],
    ),
    "two commands": (
        ["/bin/sh", "-c", "python migrate.py && python main.py"],
        ["python", "main.py"],
    ),
    "an assignment": (["/bin/sh", "-c", "MODE=x python main.py"], ["python", "main.py"]),
    "arguments that npm keeps": (
        ["npm", "start", "--port", "80"],
        ["node", "dist/server.js", "--port", "80"],
    ),
    "a variable that the script sets": (["npm", "run", "production"], ["node", "dist/server.js"]),
    "a script with a step before it": (["npm", "run", "build"], ["y"]),
    "a script that runs two programs": (["./migrating.sh"], ["python", "main.py"]),
    "a variable that a script sets": (["./start.sh"], ["python", "main.py"]),
    "a script that its arguments say nothing to": (["./start.sh"], ["./start.sh", "--debug"]),
    "another program": (["python", "main.py"], ["node", "main.py"]),
    "another file": (["node", "dist/server.js"], ["node", "main.py"]),
}


@pytest.mark.parametrize("name", OTHER)
def test_what_may_do_something_else_is_another_start(
    name: str, view_of: Callable[..., ImageView]
) -> None:
    assert same_start(*images(view_of, *OTHER[name])).start is None


@pytest.mark.parametrize(
    ("script", "environment"),
    [("production", {"NODE_ENV": "production"}), ("crossed", {"A": "1", "B": "x/y"})],
)
def test_variables_in_front_of_the_command_may_be_set_by_the_image(
    script: str, environment: dict[str, str], view_of: Callable[..., ImageView]
) -> None:
    path = "PATH=/usr/bin:/bin"
    given = [path, *(f"{name}={value}" for name, value in environment.items())]
    original = view_of(
        Recipe(
            (("COPY", FILES),), {"Env": [path], "WorkingDir": "/app", "Cmd": ["npm", "run", script]}
        )
    )
    start = {"WorkingDir": "/app", "Cmd": ["node", "dist/server.js"]}
    found = same_start(original, view_of(Recipe((("COPY", FILES),), {"Env": given, **start})))
    assert found.start is not None
    assert set(found.environment) == set(environment)
    others = [path, *(f"{name}=other" for name in environment)]
    assert (
        same_start(original, view_of(Recipe((("COPY", FILES),), {"Env": others, **start}))).start
        is None
    )


def test_a_command_that_becomes_an_entrypoint_takes_arguments_otherwise(
    view_of: Callable[..., ImageView],
) -> None:
    assert (
        same_start(*images(view_of, ["python", "main.py"], ["python", "main.py"], entry=True)).start
        is None
    )


def test_the_started_file_may_be_at_another_place(view_of: Callable[..., ImageView]) -> None:
    before, after = ["python", "target/app-1.0.jar"], ["python", "/app.jar"]
    found = same_start(*images(view_of, before, after, moved=True))
    assert [(move.old, move.new) for move in found.moves] == [
        ("/app/target/app-1.0.jar", "/app.jar")
    ]


def test_the_launchers_own_files_are_excused_and_no_others(
    view_of: Callable[..., ImageView],
) -> None:
    (drop,) = same_start(*images(view_of, ["npm", "start"], ["node", "dist/server.js"])).drops
    assert drop.covers("/usr/local/lib/node_modules/npm/lib/cli.js")
    assert not drop.covers("/app/node_modules/express/index.js")


def test_without_yarn_no_package_is_found_where_it_plugs_and_plays(
    view_of: Callable[..., ImageView],
) -> None:
    config = {"Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/app"}

    def start(name: str, files: Mapping[str, File | str]) -> object:
        layers = (("COPY", {**FILES, **files}),)
        original = view_of(Recipe(layers, {**config, "Cmd": [name, "start"]}))
        return same_start(
            original, view_of(Recipe(layers, {**config, "Cmd": ["node", "dist/server.js"]}))
        ).start

    map_of_packages: dict[str, File | str] = {"app/.pnp.cjs": "map()"}
    assert start("yarn", {}) is not None
    assert start("yarn", map_of_packages) is None
    assert start("npm", map_of_packages) is not None


def test_what_yarn_wrote_for_itself_is_excused_with_it(view_of: Callable[..., ImageView]) -> None:
    (drop,) = same_start(*images(view_of, ["yarn", "start"], ["node", "dist/server.js"])).drops
    for path in (
        "/app/node_modules/.yarn-state.yml",
        "/app/.yarn/install-state.gz",
        "/root/.cache/node/corepack/v1/y.js",
    ):
        assert drop.covers(path)
    assert not drop.covers("/app/node_modules/.package-map.json")


def test_a_start_that_plugs_and_plays_is_told_by_its_name(
    view_of: Callable[..., ImageView],
) -> None:
    files = {**FILES, "app/.pnp.cjs": "map()"}
    view = view_of(
        Recipe((("COPY", files),), {"Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/app"})
    )
    project = Project(
        ContextFiles(Path("/nowhere"), {}),
        builtin_ecosystems(),
        evidence=Evidence(view, SystemPackages()),
    )
    (skip,) = STRATEGY.rewrite(
        Situation(project, parse('FROM node:24\nWORKDIR /app\nCOPY . .\nCMD ["yarn", "start"]\n'))
    )
    assert isinstance(skip, Skip)
    assert skip.reason == "what yarn starts finds its packages by it alone (.pnp.cjs)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"Cmd": ["./start.sh"]}, {"Cmd": ["python", "main.py"]}),
        ({"Cmd": ["/bin/sh", "-c", ". start.sh"]}, {"Cmd": ["python", "main.py"]}),
        (
            {"Entrypoint": ["/app/entry.sh"], "Cmd": ["python", "main.py"]},
            {"Cmd": ["python", "main.py"]},
        ),
    ],
)
def test_a_script_that_sets_a_variable_may_be_what_the_image_says(
    before: dict[str, list[str]], after: dict[str, list[str]], view_of: Callable[..., ImageView]
) -> None:
    path = "PATH=/usr/bin:/bin"
    layers = (("COPY", FILES),)

    def side(given: list[str], start: dict[str, list[str]]) -> ImageView:
        return view_of(Recipe(layers, {"Env": given, "WorkingDir": "/app", **start}))

    found = same_start(side([path], before), side([path, "A=1"], after))
    assert found.start is not None
    assert set(found.environment) == {"A"}
    assert same_start(side([path], before), side([path, "A=2"], after)).start is None


@pytest.mark.parametrize(
    ("entry", "same"),
    [
        (["tini", "--"], True),
        (["/usr/bin/tini", "--"], True),
        (["tini", "-s", "--"], False),  # other options, which may do more
        (["nice", "--"], False),
    ],
)
def test_an_init_in_front_of_what_a_launcher_started_is_the_same_start(
    entry: list[str], same: bool, view_of: Callable[..., ImageView]
) -> None:
    given = {"Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/app"}
    layers = (("COPY", FILES),)
    original = view_of(Recipe(layers, {**given, "Cmd": ["npm", "start"]}))
    candidate = {**given, "Entrypoint": entry, "Cmd": ["node", "dist/server.js"]}
    assert (same_start(original, view_of(Recipe(layers, candidate))).start is not None) == same
