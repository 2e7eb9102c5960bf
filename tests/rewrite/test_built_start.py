"""What a start that builds first is started with, once it is proven: a program of the packages with
its interpreter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recipes import File, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import apply_edits, parse
from imgopt.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.strategy import Change, ContextFiles, Project, Situation
from imgopt.strategies.start_command import STRATEGY

TEXT = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm install\nCMD npm start\n"
FILES = {
    "usr/local/bin/node": File("\x7fELF", 0o755),
    "app/node_modules/fastify-cli/cli.js": File("#!/usr/bin/env node\n", 0o755),
    "app/node_modules/.bin/fastify": File(link="../fastify-cli/cli.js"),
}


def test_a_program_of_the_packages_is_given_to_its_interpreter(
    image_of: Callable[[Recipe], Image], tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text('{"scripts": {"start": "tsc && fastify start a.js"}}')
    config = {
        "WorkingDir": "/app",
        "Cmd": ["./node_modules/.bin/fastify", "start", "a.js"],
        "Env": ["PATH=/usr/local/bin:/usr/bin"],
    }
    evidence = Evidence(
        ImageView(image_of(Recipe((("COPY . .", FILES),), config))), SystemPackages()
    )
    context = ContextFiles(tmp_path, {"package.json": 9})
    (change,) = STRATEGY.rewrite(
        Situation(Project(context, builtin_ecosystems(), evidence=evidence), parse(TEXT))
    )
    assert isinstance(change, Change)
    assert apply_edits(TEXT, change.edits).endswith(
        'RUN npx --no-install tsc\nCMD ["node", "node_modules/fastify-cli/cli.js", "start", "a.js"]\n'
    )


SCRIPTS = (
    '{"scripts": {"start": "nest start", "build": "nest build", "start:prod": "node dist/main"}}'
)


def started(image_of: Callable[[Recipe], Image], folder: Path, source: str) -> str:
    """The last line of the file that is made for a Nest service."""
    (folder / "package.json").write_text(SCRIPTS)
    (folder / "main.ts").write_text(source)
    npm = {
        "usr/local/bin/npm": File("#!/usr/bin/env node\n", 0o755),
        "app/package.json": SCRIPTS,
        "app/dist/main.js": "1",
    }
    config = {
        "WorkingDir": "/app",
        "Cmd": ["npm", "run", "start:prod"],
        "Env": ["PATH=/usr/local/bin:/usr/bin"],
    }
    evidence = Evidence(
        ImageView(image_of(Recipe((("COPY . .", {**FILES, **npm}),), config))), SystemPackages()
    )
    context = ContextFiles(folder, {"package.json": 9, "main.ts": 9})
    (change,) = STRATEGY.rewrite(
        Situation(Project(context, builtin_ecosystems(), evidence=evidence), parse(TEXT))
    )
    assert isinstance(change, Change)
    return apply_edits(TEXT, change.edits).splitlines()[-1]


def test_what_a_built_start_names_may_be_a_launcher_again(
    image_of: Callable[[Recipe], Image], tmp_path: Path
) -> None:
    assert (
        started(image_of, tmp_path, "process.env.npm_package_version")
        == 'CMD ["npm", "run", "start:prod"]'
    )
    assert started(image_of, tmp_path, "process.env.PORT") == 'CMD ["node", "dist/main"]'
