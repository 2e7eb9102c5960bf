"""`imgopt doctor`: what works here and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from imgopt.cli import options
from imgopt.errors import EnvironmentFailure

if TYPE_CHECKING:
    from imgopt.engine import EngineFacts


def register(app: typer.Typer) -> None:
    app.command(
        "doctor", help="Engine, BuildKit, store, permissions, bases: what works here and what not."
    )(doctor)


def doctor(base: options.Base = None, config: options.ConfigFile = None) -> int:
    from rich.console import Group

    from imgopt.cli.emit import show
    from imgopt.engine import connect, sweep
    from imgopt.report.layout import Column, Grid, Words

    settings = options.effective_config(Path(), options.BuildOptions(base=base, config=config))
    try:
        engine = connect(builds=False)
    except EnvironmentFailure as error:
        head = Words()
        head.append("x ", style="red").append(f"engine: {error.message}")
        show(Group(head, *([Words(f"  {error.hint}")] if error.hint else [])))
        return error.exit_code
    swept = sweep(engine)
    left = [f"{count} {name}" for name, count in zip(("containers", "images", "folders"),
            (swept.containers, swept.images, swept.trees), strict=True) if count]  # fmt: skip
    rows = _of_engine(engine.facts)
    rows.append(
        (True, "leftovers of killed runs", f"removed {', '.join(left)}" if left else "none")
    )
    rows += _bases(engine, settings.bases)
    marks = (Words("+", style="green"), Words("-", style="yellow"))
    cells = [(marks[not fine], name, what) for fine, name, what in rows]
    grid = Grid((Column(), Column(), Column(wraps=True)), cells)
    if engine.missing is None:
        show(Group(grid, Words("Next: imgopt optimize", style="bold")))
        return 0
    show(Group(grid, *([Words(f"  {engine.missing.hint}")] if engine.missing.hint else [])))
    return 0 if "Podman" in engine.facts.kind else engine.missing.exit_code


def _of_engine(facts: EngineFacts) -> list[tuple[bool, str, str]]:
    store = (
        f"{facts.store}{' (containerd image store)' if facts.containerd_store else ''},"
        f" {facts.platform}"
    )
    rows: list[tuple[str, str | None, str]] = [
        (
            "engine",
            None,
            f"{facts.kind} {facts.version} (API {facts.api_version}) at {facts.endpoint}",
        ),
        ("chosen by", None, facts.origin),
        (
            "builds with BuildKit",
            facts.build_reason,
            f"buildx {facts.buildx_version} with rawjson progress",
        ),
        ("store", None, store),
        ("fast reading of images", facts.store_reason, "the store is read directly"),
        ("ports of containers", facts.port_reason, "asked on 127.0.0.1"),
        ("processes, memory", facts.process_reason, "seen from here"),
        ("opened files", facts.trace_reason, "recorded with fanotify"),
    ]
    return [
        (reason is None, name, works if reason is None else f"no: {reason}")
        for name, reason, works in rows
    ]


def _bases(engine: object, bases: dict[str, str]) -> list[tuple[bool, str, str]]:
    from imgopt.engine import Engine

    assert isinstance(engine, Engine)
    if not bases:
        return [(True, "bases", "public names, as the Dockerfiles say")]
    missing = sorted(name for name, image in bases.items() if not engine.has_image(image))
    known = f"{len(bases)} names are replaced by the configuration"
    return [
        (
            not missing,
            "bases",
            f"{known}; not on this engine: {', '.join(missing[:5])}" if missing else known,
        )
    ]
