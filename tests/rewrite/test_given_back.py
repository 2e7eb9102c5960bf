"""A step that takes away again what it installed stays one step where it ships: in a layer of its
own the installation would be in the image for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from .order_kit import CARGO, GO, NODE, PYTHON, order

SHIPS = {
    "the packages' folder removed": (NODE, "npm ci && npm run build && rm -fr node_modules"),
    "by its path from here": (NODE, "npm ci && npm run build && rm -rf ./node_modules/"),
    "a part of it": (NODE, "npm ci && npm run build && rm -rf node_modules/typescript"),
    "by a search": (NODE, "npm ci && npm run build && find . -name '*.map' -delete"),
    "by a search that calls rm": (
        NODE,
        "npm ci && npm run build && find node_modules -name test -exec rm -r {} +",
    ),
    "put elsewhere": (NODE, "npm ci && npm run build && mv node_modules ../kept"),
    "packages for development": (NODE, "npm ci && npm run build && npm prune --omit=dev"),
    "the same, in older words": (NODE, "npm ci && npm run build && npm prune --production"),
    "installed anew": (NODE, "npm ci && npm run build && npm ci --omit=dev"),
    "packages by name": (NODE, "npm i -g serve tsx && npm run build && npm rm -g tsx"),
    "system packages": (PYTHON, "apt-get install -y gcc && pip install . && apt-get purge -y gcc"),
    "what nothing needs": (PYTHON, "apt-get install -y gcc && make && apt-get autoremove -y gcc"),
    "a group of packages": (
        PYTHON,
        "apk add --no-cache --virtual .build gcc && pip install . && apk del .build",
    ),
    "a path that a variable leads to": (NODE, "npm ci && npm run build && rm -rf $LEFT"),
}


@pytest.mark.parametrize(("files", "command"), SHIPS.values(), ids=SHIPS)
def test_a_step_that_gives_back_what_it_installed_stays_one(
    files: dict[str, str], command: str, tmp_path: Path
) -> None:
    text = f'FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\nCMD ["x"]\n'
    assert order(tmp_path, text, files) == text


PARTED = {
    "sources removed": (NODE, "npm ci && npm run build && rm -rf conf"),
    "a cache": (NODE, "npm ci && npm run build && npm cache clean --force"),
    "nothing": (NODE, "npm ci && npm run build"),
    "something else put elsewhere": (NODE, "npm ci && npm run build && mv dist site"),
    "other packages more": (PYTHON, "pip install -r requirements.txt && pip install ."),
}


@pytest.mark.parametrize(("files", "command"), PARTED.values(), ids=PARTED)
def test_other_steps_are_parted(files: dict[str, str], command: str, tmp_path: Path) -> None:
    first, _, rest = command.partition(" && ")
    text = f'FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\nCMD ["x"]\n'
    done = order(tmp_path, text, files)
    assert done.index(f"RUN {first}\n") < done.index("COPY . .") < done.index(f"RUN {rest}\n")


def test_a_builder_keeps_nothing_in_the_image(tmp_path: Path) -> None:
    text = (
        "FROM base AS build\nWORKDIR /app\nCOPY . .\n"
        "RUN npm ci && npm run build && rm -rf node_modules\n"
        "FROM small\nCOPY --from=build /app /app\n"
    )
    done = order(tmp_path, text, NODE)
    assert done.index("RUN npm ci\n") < done.index("COPY . .")


EMPTIED = {
    "the cache's folder": (GO, "go build -o /srv && rm -rf /go/pkg"),
    "by the tool": (GO, "go build -o /srv && go clean -modcache"),
    "the build's folder": (CARGO, "cargo build && cp target/debug/shop /srv && rm -rf target"),
}


@pytest.mark.parametrize(("files", "command"), EMPTIED.values(), ids=EMPTIED)
def test_nothing_is_fetched_in_front_of_a_step_that_removes_it(
    files: dict[str, str], command: str, tmp_path: Path
) -> None:
    text = f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\n"
    assert order(tmp_path, text, files) == text


def test_it_is_where_the_step_keeps_it(tmp_path: Path) -> None:
    text = "FROM base\nWORKDIR /app\nCOPY . .\nRUN go build -o /srv && rm -rf /tmp/*\n"
    assert "RUN go mod download\n" in order(tmp_path, text, GO)
