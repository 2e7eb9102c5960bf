"""Installed packages get a stage of their own where the source does not come in front of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from recipes import Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import apply_edits, parse
from imgopt.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.final.packages_stage import own_stage
from imgopt.rewrite.strategy import ContextFiles, Project, Repairs, Situation

FILES: Mapping[str, Mapping[str, str]] = {
    "RUN /bin/sh -c npm install # buildkit": {
        "app/node_modules/a/index.js": "1",
        "app/node_modules/b/index.js": "1",
    },
    "RUN /bin/sh -c npm run build # buildkit": {
        "app/dist/main.js": "2",
        "app/node_modules/.cache/x": "3",
    },
}
GOOD = "FROM node:20\nWORKDIR /app\nCOPY package.json ./\nRUN npm install\nCOPY . .\nRUN npm run build\n"


def divided(
    image_of: Callable[[Recipe], Image],
    text: str = GOOD,
    files: Mapping[str, Mapping[str, str]] = FILES,
    repairs: tuple[str, ...] = (),
) -> str | None:
    layers = [("COPY . . # buildkit", {"app/package.json": "{}"}), *files.items()]
    image = image_of(Recipe(tuple(layers), {"WorkingDir": "/app"}))
    context = ContextFiles(Path("/nowhere"), {"package.json": 2, "src/main.ts": 5})
    evidence = Evidence(ImageView(image), SystemPackages())
    project = Project(
        context, builtin_ecosystems(), evidence=evidence, repairs=Repairs(paths=repairs)
    )
    dockerfile = parse(text)
    install = next(
        item for item in dockerfile.target(None).instructions if "npm install" in item.value
    )
    found = own_stage(Situation(project, dockerfile), install, "/app/node_modules", "", "npm prune")
    return apply_edits(text, found.edits) if found is not None else None


def test_the_stage_is_divided_where_the_source_comes(image_of: Callable[[Recipe], Image]) -> None:
    assert divided(image_of) == (
        "FROM node:20 AS packages\nWORKDIR /app\nCOPY package.json ./\nRUN npm install\n\n"
        "FROM packages AS production\nRUN npm prune\n\n"
        "FROM packages\nCOPY . .\nRUN npm run build\n"
    )


def test_a_stage_with_a_name_keeps_it(image_of: Callable[[Recipe], Image]) -> None:
    found = divided(image_of, GOOD.replace("node:20", "node:20 AS packages"))
    assert found is not None
    assert found.startswith("FROM node:20 AS installed-packages\n")
    assert "FROM installed-packages AS packages\nCOPY . .\n" in found
    assert not parse(found).errors


LATER = {
    **FILES,
    "RUN /bin/sh -c npm run build # buildkit": {"app/node_modules/.prisma/client.js": "made"},
}
OTHER = {"RUN /bin/sh -c make && npm install # buildkit": {"app/node_modules/a/index.js": "1"}}


@pytest.mark.parametrize(
    ("text", "files", "repairs"),
    [
        pytest.param(
            GOOD.replace("COPY package.json ./", "COPY . ."), FILES, (), id="the source is in front"
        ),
        pytest.param(GOOD.replace("COPY . .\n", ""), FILES, (), id="nothing comes behind"),
        pytest.param(GOOD, LATER, (), id="the build writes into the packages"),
        pytest.param(GOOD, OTHER, (), id="the step was another one"),
        pytest.param(
            GOOD, FILES, ("/app/node_modules/x",), id="an earlier build failed without a part of it"
        ),
        pytest.param(
            GOOD + "FROM a\nCOPY --from=0 /app /app\nRUN npm install\n",
            FILES,
            (),
            id="another stage",
        ),
    ],
)
def test_another_shape_stays_as_it_is(
    text: str,
    files: Mapping[str, Mapping[str, str]],
    repairs: tuple[str, ...],
    image_of: Callable[[Recipe], Image],
) -> None:
    assert divided(image_of, text, files, repairs) is None


def test_a_step_that_was_cut_behind_the_installation_is_divided_too(
    image_of: Callable[[Recipe], Image],
) -> None:
    together = {
        "RUN /bin/sh -c npm install && npm run build # buildkit": {
            "app/node_modules/a/index.js": "1"
        }
    }
    assert divided(image_of, files=together) is not None


def test_continued_lines_are_the_same_command(image_of: Callable[[Recipe], Image]) -> None:
    folded = {
        "RUN /bin/sh -c npm install     && npm cache clean # buildkit": {
            "app/node_modules/a/index.js": "1"
        }
    }
    text = GOOD.replace("RUN npm install", "RUN npm install \\\n    && npm cache clean")
    assert divided(image_of, text, folded) is not None
