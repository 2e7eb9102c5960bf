"""What a package.json makes npm read beside it: hooks that are known, and the members of a
workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.order.install_commands import recognise
from imgopt.rewrite.order.manifests_read import Reads, reads
from imgopt.rewrite.strategy import ContextFiles


def read(folder: Path, files: Mapping[str, object], command: str = "npm install") -> Reads:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    found = recognise(command.split(), builtin_ecosystems())
    assert found is not None
    return reads(found, ContextFiles(folder, dict.fromkeys(files, 1)), "")


def with_script(name: str, command: str) -> dict[str, object]:
    return {
        "package.json": {"scripts": {name: command}},
        "patches/a.patch": "",
        "nuxt.config.ts": "",
        "src/a.ts": "",
    }


@pytest.mark.parametrize(
    ("name", "command", "more"),
    [
        ("prepare", "husky", ()),
        ("prepare", "husky install || true", ()),
        ("preinstall", "npx only-allow npm", ()),
        ("postinstall", "patch-package", ("patches/",)),
        ("postinstall", "nuxt prepare", ("nuxt.config.ts",)),
        ("prepare", "svelte-kit sync || echo ''", ()),
        ("build", "node build.js", ()),
    ],
)
def test_of_known_hooks_it_is_known_what_they_read(
    name: str, command: str, more: tuple[str, ...], tmp_path: Path
) -> None:
    assert read(tmp_path, with_script(name, command)).files == ("package.json", *more)


@pytest.mark.parametrize(
    "command", ["node src/a.ts", "husky && npm run build", "patch-package; tsc", "npm run x"]
)
def test_any_other_hook_keeps_the_source_in_front(command: str, tmp_path: Path) -> None:
    found = read(tmp_path, with_script("postinstall", command))
    assert (
        found.refused == f'package.json runs the project\'s own code (`"postinstall": "{command}"`)'
    )


@pytest.mark.parametrize(
    "command", ["pnpm install -r", "pnpm -r install", "pnpm --recursive install"]
)
def test_what_installs_every_project_below_reads_the_source_unless_a_workspace_says_which(
    command: str, tmp_path: Path
) -> None:
    files: dict[str, object] = {"package.json": {}, "api/package.json": {}}
    assert "another place of the source" in read(tmp_path, files, command).refused
    workspace = {**files, "pnpm-workspace.yaml": "packages: [api]\n"}
    assert set(read(tmp_path, workspace, command).files) == {*workspace}


MEMBERS: dict[str, object] = {
    "package.json": {"workspaces": ["packages/*", "./apps/web"]},
    "packages/a/package.json": {"name": "a", "dependencies": {"b": "workspace:*"}},
    "packages/b/package.json": {"name": "b"},
    "packages/b/src/deep/package.json": {},
    "apps/web/package.json": {"name": "web"},
    "apps/old/package.json": {"name": "old"},
}
FOUND = ("apps/web/package.json", "packages/a/package.json", "packages/b/package.json")


@pytest.mark.parametrize(
    "written", [["packages/*", "./apps/web"], {"packages": ["packages/*", "apps/web"]}]
)
def test_the_manifests_of_the_members_are_read_too(written: object, tmp_path: Path) -> None:
    found = read(tmp_path, {**MEMBERS, "package.json": {"workspaces": written}})
    assert found.files == ("package.json", *FOUND)
    assert "apps/web/node_modules" in found.lays


def test_pnpm_names_its_members_in_a_file_of_its_own(tmp_path: Path) -> None:
    listed = 'packages:\n  # all\n  - "packages/*"\n  - apps/web # the site\ncatalog:\n  - x\n'
    files = {**MEMBERS, "package.json": {}, "pnpm-workspace.yaml": listed}
    assert read(tmp_path, files, "pnpm install").files == (
        "package.json",
        "pnpm-workspace.yaml",
        *FOUND,
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"package.json": {"workspaces": ["packages/{a,b}"]}}, "members are not known"),
        ({"package.json": {"workspaces": []}}, "members are not known"),
        ({"package.json": {"workspaces": ["none/*"]}}, "no member of it is in the build context"),
        ({"packages/b/package.json": {"bin": "./cli.js"}}, "packages/b/package.json has a program"),
        (
            {"packages/b/package.json": {"scripts": {"prepare": "tsc"}}},
            "b/package.json runs the project's own",
        ),
        (
            {"packages/b/package.json": {"dependencies": {"c": "file:../c"}}},
            "packages/b/package.json refers to",
        ),
    ],
)
def test_a_workspace_that_reads_more_keeps_the_source_in_front(
    change: dict[str, object], reason: str, tmp_path: Path
) -> None:
    assert reason in read(tmp_path, {**MEMBERS, **change}).refused
