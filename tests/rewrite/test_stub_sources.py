"""The least source that Cargo builds: every target of every package of a workspace, and what stands
against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.rewrite.strategy import ContextFiles
from imgopt.strategies.ecosystems.rust.stub_sources import cargo_stub

from .kit import project
from .order_kit import CARGO, draft_of

WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["server", "core"]\n',
    "core/Cargo.toml": '[package]\nname = "core-lib"\n',
    "core/src/lib.rs": "pub fn answer() {}",
    "server/Cargo.toml": '[package]\nname = "server"\n[[bin]]\nname = "web"\npath = "src/web.rs"\n'
    '[[bench]]\nname = "speed"\n[dependencies]\ncore-lib = { path = "../core" }\n',
    "server/src/web.rs": "fn main() {}",
    "server/src/bin/tool.rs": "fn main() {}",
    "server/benches/speed.rs": "fn main() {}",
    "server/build.rs": "fn main() {}",
    "target/release/build/x/Cargo.toml": "broken [",
}


def files(folder: Path, given: dict[str, str]) -> ContextFiles:
    project(folder, given)
    return ContextFiles(folder, {name: len(text) for name, text in given.items()})


def test_every_target_of_a_workspace_gets_a_source_and_is_forgotten_after_the_build(
    tmp_path: Path,
) -> None:
    stub = cargo_stub(files(tmp_path, WORKSPACE), "")
    assert stub.refused == ""
    assert stub.manifests == ["Cargo.toml", "core/Cargo.toml", "server/Cargo.toml"]
    assert stub.shell("cargo build --bin web", ["target/*/.fingerprint/{package}-*"]) == (
        "mkdir -p core/src server server/benches server/src server/src/bin && touch core/src/lib.rs"
        " && echo 'fn main() {}' | tee server/build.rs server/src/bin/tool.rs server/src/web.rs server/benches/speed.rs"
        " > /dev/null && cargo build --bin web"
        " && rm -rf target/*/.fingerprint/core-lib-* target/*/.fingerprint/server-*"
    )


def test_a_project_in_a_folder_of_the_context_is_read_there(tmp_path: Path) -> None:
    inside = {f"api/{name}": text for name, text in WORKSPACE.items()}
    stub = cargo_stub(
        files(tmp_path, {**inside, "Cargo.toml": '[package]\nname = "other"\n'}), "api"
    )
    assert stub.packages == ["core-lib", "server"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"core/Cargo.toml": "[package"}, "core/Cargo.toml cannot be read"),
        (
            {"Cargo.toml": '[dependencies]\na = { path = "/opt/a" }\n'},
            "lies outside of the project (/opt/a)",
        ),
        (
            {"core/Cargo.toml": '[package]\nname = "c"\n[[bin]]\nname = "x"\npath = "gen/x.rs"\n'},
            "core/gen/x.rs is",
        ),
        ({"core/src/bin/a b.rs": ""}, "needs quotes"),
        (
            {"late/Cargo.toml": '[package]\nname = "late"\n'},
            "no source of the package `late` is copied",
        ),
        (
            {"late/Cargo.toml": '[package]\nname = "l"\n', "late/build.rs": ""},
            "no source of the package `l`",
        ),
        (
            {"core/Cargo.toml": '[package]\nname = "c"\n[lib]\npath = "gen/lib.rs"\n'},
            "core/gen/lib.rs is",
        ),
    ],
)
def test_what_a_stub_cannot_stand_for_is_refused(
    changed: dict[str, str], reason: str, tmp_path: Path
) -> None:
    assert reason in cargo_stub(files(tmp_path, {**WORKSPACE, **changed}), "").refused


def test_the_command_that_is_helped_is_the_one_named(tmp_path: Path) -> None:
    draft = draft_of(
        tmp_path,
        "FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo build --release && chmod +x target/release/shop\n",
        CARGO,
    )
    assert [
        change.because for change in draft.changes if "`cargo build --release`" in change.because
    ]
