"""What launchers hand on to what they start, wherever they find it: carried over where it is plain,
else the launcher stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from recipes import File, Files, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import apply_edits, parse
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.launcher_settings import handed_on
from imgopt.inspect.start.start_words import unfolded
from imgopt.proof.same_start import same_start
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages
from imgopt.rewrite.strategy import Change, ContextFiles, Project, Situation, Skip
from imgopt.run.pictures import Process
from imgopt.strategies.start_command import STRATEGY

ELF = File(b"\x7fELF" + b"\0" * 60, 0o755)
VENV = "opt/venv"
FILES: Files = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "usr/bin/node": ELF,
    "usr/bin/python": ELF,
    "usr/bin/env": ELF,
    "bin/sh": ELF,
    **{
        f"usr/bin/{name}": File("#!/usr/bin/env x\n", 0o755)
        for name in ("npm", "yarn", "pnpm", "pipenv", "poetry", "uv")
    },
    f"{VENV}/pyvenv.cfg": "home = /usr/bin\ninclude-system-site-packages = false\n",
    f"{VENV}/bin/python": ELF,
    "app/package.json": '{"scripts": {"start": "node server.js"}}',
    "app/server.js": "serve()",
    "app/main.py": "serve()",
}
NPM, YARN, PNPM = ("npm", "start"), ("yarn", "start"), ("pnpm", "start")
PIPENV, POETRY, UV = ((name, "run", "python", "main.py") for name in ("pipenv", "poetry", "uv"))


def view_with(
    view_of: Callable[..., ImageView],
    words: tuple[str, ...],
    files: Files | None = None,
    env: Mapping[str, str] | None = None,
) -> ImageView:
    variables = {"PATH": "/usr/bin:/bin", **(env or {})}
    config: dict[str, Any] = {
        "WorkingDir": "/app",
        "Cmd": list(words),
        "Env": [f"{name}={value}" for name, value in variables.items()],
    }
    return view_of(Recipe((("COPY . .", {**FILES, **(files or {})}),), config))


NOTHING: dict[str, tuple[tuple[str, ...], Files, Mapping[str, str]]] = {
    "a registry and a token": (NPM, {"app/.npmrc": "registry=https://x\n//x/:_authToken=y\n"}, {}),
    "a comment on node-options": (NPM, {"app/.npmrc": "; node-options=--require ./a.js\n"}, {}),
    "options of node of another launcher": (
        NPM,
        {"app/pnpm-workspace.yaml": "nodeOptions: -x\n"},
        {},
    ),
    "pnpm's list of packages": (PNPM, {"app/pnpm-workspace.yaml": "packages:\n  - apps/*\n"}, {}),
    "yarn's linker": (YARN, {"app/.yarnrc.yml": "nodeLinker: node-modules\n"}, {}),
    "variables of a file that npm does not read": (NPM, {"app/.env": "A=1\n"}, {}),
    "pipenv is told not to read them": (PIPENV, {"app/.env": "A=1"}, {"PIPENV_DONT_LOAD_ENV": "1"}),
    "poetry reads no .env": (POETRY, {"app/.env": "A=1"}, {}),
    "uv reads no .env": (UV, {"app/.env": "A=1"}, {}),
    "poetry's own plugins": (
        POETRY,
        {
            "usr/lib/python3/site-packages/poetry_plugin_export-1.dist-info/entry_points.txt": (
                "[poetry.application.plugin]\nexport=poetry_plugin_export.plugins:Export\n"
            )
        },
        {},
    ),
    "a login shell with the base's profile": (("bash", "-lc", "node server.js"), {}, {}),
}


@pytest.mark.parametrize("case", NOTHING)
def test_a_launcher_that_hands_nothing_on_is_taken_off(
    case: str, view_of: Callable[..., ImageView]
) -> None:
    words, files, env = NOTHING[case]
    view = view_with(view_of, words, files, env)
    assert handed_on(view, words).refused == ""
    assert unfolded(view, words).reasons


CARRIED: dict[str, tuple[Files, Mapping[str, str]]] = {
    "of the project": ({"app/.npmrc": 'node-options = "--max-http-header-size=9"\n'}, {}),
    "of the user": ({"root/.npmrc": "node-options=--max-http-header-size=9"}, {}),
    "npm config set --location=global": (
        {"usr/local/etc/npmrc": "fund=false\nnode-options=--max-http-header-size=9\n"},
        {},
    ),
    "above the working directory": ({".npmrc": "node-options=--max-http-header-size=9\n"}, {}),
    "a variable": ({}, {"NPM_CONFIG_NODE_OPTIONS": "--max-http-header-size=9"}),
}


@pytest.mark.parametrize("case", CARRIED)
def test_options_that_npm_hands_on_are_carried_over(
    case: str, view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    files, env = CARRIED[case]
    view = view_with(view_of, NPM, files, env)
    given = (("NODE_OPTIONS", "--max-http-header-size=9"),)
    assert unfolded(view, NPM).environment == given
    change = _rewritten(view, NPM, tmp_path)
    assert isinstance(change, Change)
    text = apply_edits(_text(NPM), change.edits)
    assert 'ENV NODE_OPTIONS=--max-http-header-size=9\nCMD ["node", "server.js"]' in text
    plain = view_with(view_of, ("node", "server.js"), files, env)
    with_it = view_with(view_of, ("node", "server.js"), files, {**env, **dict(given)})
    assert same_start(view, plain).start is None
    assert same_start(view, with_it).start is not None


REFUSED: dict[str, tuple[tuple[str, ...], Files, Mapping[str, str], str]] = {
    "another shell for scripts": (NPM, {"app/.npmrc": "script-shell=/app/sh\n"}, {}, "/app/.npmrc"),
    "two values of one option": (
        NPM,
        {"app/.npmrc": "node-options=-r a", "root/.npmrc": "node-options=-r b"},
        {},
        "npmrc",
    ),
    "a value with a variable in it": (
        NPM,
        {"app/.npmrc": "node-options=--require ${HOOK}\n"},
        {},
        "/app/.npmrc",
    ),
    "options beside those of the image": (
        NPM,
        {"app/.npmrc": "node-options=-r a"},
        {"NODE_OPTIONS": "-r b"},
        "NODE_OPTIONS is set by the image",
    ),
    "pnpm 10 has them in its workspace": (
        PNPM,
        {"app/pnpm-workspace.yaml": "packages:\n  - .\nnodeOptions: --require ./a.js\n"},
        {},
        "pnpm-workspace.yaml",
    ),
    "pnpm's own shell": (PNPM, {"app/.npmrc": "shell-emulator=true\n"}, {}, "/app/.npmrc"),
    "pnpm config set": (PNPM, {"root/.config/pnpm/rc": "node-options=-r a"}, {}, "pnpm/rc"),
    "yarn reads .env.yarn": (YARN, {"app/.env.yarn": "A=1\n"}, {}, "/app/.env.yarn"),
    "yarn is told which files": (
        YARN,
        {"app/.yarnrc.yml": "injectEnvironmentFiles:\n  - .env.prod\n"},
        {},
        ".yarnrc.yml",
    ),
    "a plugin of yarn": (
        YARN,
        {"app/.yarnrc.yml": "plugins:\n  - path: .yarn/plugins/dotenv.cjs\n"},
        {},
        ".yarnrc.yml",
    ),
    "yarn 1 has another shell": (YARN, {"app/.yarnrc": 'script-shell "/x"\n'}, {}, "/app/.yarnrc"),
    "pipenv reads .env": (PIPENV, {"app/.env": "A=1\n"}, {}, "/app/.env"),
    "pipenv reads .env of the folder above": (PIPENV, {".env": "A=1\n"}, {}, "/.env"),
    "pipenv is told another file": (
        PIPENV,
        {},
        {"PIPENV_DOTENV_LOCATION": "/etc/a.env"},
        "PIPENV_DOTENV_LOCATION",
    ),
    "not loading is switched off": (
        PIPENV,
        {"app/.env": "A=1"},
        {"PIPENV_DONT_LOAD_ENV": "0"},
        "/app/.env",
    ),
    "a script of pipenv": (PIPENV, {"app/Pipfile": "[scripts]\npython = 'x'\n"}, {}, "Pipfile"),
    "a plugin of poetry loads .env": (
        POETRY,
        {
            "usr/lib/python3/site-packages/poetry_dotenv_plugin-1.dist-info/entry_points.txt": (
                "[poetry.application.plugin]\npoetry-dotenv-plugin=poetry_dotenv_plugin:Dotenv\n"
            )
        },
        {},
        "entry_points.txt",
    ),
    "uv is told a file": (UV, {}, {"UV_ENV_FILE": ".env"}, "UV_ENV_FILE"),
    "a login shell reads a profile of the author": (
        ("bash", "-lc", "node server.js"),
        {"etc/profile.d/app.sh": "export A=1\n"},
        {},
        "/etc/profile.d/app.sh",
    ),
    "bash reads a file": (("bash", "-c", "node server.js"), {}, {"BASH_ENV": "/a"}, "BASH_ENV"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_launcher_with_settings_of_its_own_stays(
    case: str, view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    words, files, env, where = REFUSED[case]
    view = view_with(view_of, words, files, env)
    assert where in handed_on(view, words).refused
    found = unfolded(view, words)
    assert found.reasons == ()
    if words[0] != "bash":
        skip = _rewritten(view, words, tmp_path)
        assert isinstance(skip, Skip)
        assert where in skip.reason
    plain = view_with(
        view_of, ("node", "server.js") if "node" in str(words) else ("python", "main.py")
    )
    assert same_start(view, plain).start is None


PLAIN = {"PATH": "/usr/bin:/bin", "HOME": "/root", "HOSTNAME": "h"}
NOTES = {"npm_config_cache": "x", "INIT_CWD": "/app", "PWD": "/app", "COLOR": "0"}


def _seen(words: tuple[str, ...], **environment: str) -> tuple[Process, ...]:
    return (
        Process(1, 0, "/usr/bin/node", ("npm start",), PLAIN, "/app"),
        Process(9, 1, f"/usr/bin/{words[0]}", words, {**PLAIN, **environment}, "/app"),
    )


SEEN: dict[str, tuple[Mapping[str, str], str, str]] = {
    "npm's notes on itself": (NOTES, "serve()", ""),
    "a variable from where nobody looked": ({**NOTES, "REGION": "eu"}, "serve()", "REGION"),
    "options from where nobody looked": ({**NOTES, "NODE_OPTIONS": "-r x"}, "", "NODE_OPTIONS"),
    "a note that a source reads": (NOTES, "open(process.env.INIT_CWD)", "server.js"),
    "a program of the packages": (
        {**NOTES, "PATH": "/app/node_modules/.bin:/usr/bin:/bin"},
        "require('child_process').execSync('migrate up')",
        "migrate",
    ),
}


@pytest.mark.parametrize("case", SEEN)
def test_what_the_run_showed_that_it_hands_over_keeps_the_launcher(
    case: str, view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    environment, source, says = SEEN[case]
    files: Files = {
        "app/server.js": source,
        "app/node_modules/.bin/migrate": File("#!/usr/bin/env node\n", 0o755),
    }
    view = view_with(view_of, NPM, files)
    made = _rewritten(view, NPM, tmp_path, _seen(("node", "server.js"), **environment))
    assert isinstance(made, Skip if says else Change)
    assert says in (made.reason if isinstance(made, Skip) else "")


def _text(words: tuple[str, ...]) -> str:
    listed = ", ".join(f'"{word}"' for word in words)
    return f"FROM node:20\nWORKDIR /app\nCOPY . .\nCMD [{listed}]\n"


def _rewritten(
    view: ImageView, words: tuple[str, ...], folder: Path, processes: tuple[Process, ...] = ()
) -> Change | Skip:
    evidence = Evidence(view, SystemPackages(), Seen(processes=processes))
    project = Project(ContextFiles(folder, {}), builtin_ecosystems(), evidence=evidence)
    (made,) = STRATEGY.rewrite(Situation(project, parse(_text(words))))
    return made
