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
    app.command("doctor", help="Engine, BuildKit, store, permissions, bases: what works here and what not.")(doctor)


def doctor(base: options.Base = None, config: options.ConfigFile = None) -> int:
    from rich.console import Console
    from rich.text import Text

    from imgopt.engine import connect, sweep

    console = Console(highlight=False)
    wide = not console.is_terminal  # a log has no edge to wrap at
    settings = options.effective_config(Path(), options.BuildOptions(base=base, config=config))
    try:
        engine = connect(builds=False)
    except EnvironmentFailure as error:
        console.print(Text.assemble(("x ", "red"), f"engine: {error.message}"), soft_wrap=wide)
        console.print(Text(f"  {error.hint}") if error.hint else "", soft_wrap=wide)
        return error.exit_code
    facts = engine.facts
    swept = sweep(engine)
    left = [f"{count} {name}" for name, count in zip(("containers", "images", "folders"),
            (swept.containers, swept.images, swept.trees), strict=True) if count]  # fmt: skip
    rows = _of_engine(facts)
    rows.append((True, "leftovers of killed runs", f"removed {', '.join(left)}" if left else "none"))
    rows += _bases(engine, settings.bases)
    for fine, name, what in rows:
        console.print(Text.assemble(("+ ", "green") if fine else ("- ", "yellow"), f"{name:<26}", what), soft_wrap=wide)
    if engine.missing is None:
        console.print(Text("Next: imgopt optimize", style="bold"))
        return 0
    console.print(Text(f"  {engine.missing.hint}"), soft_wrap=wide)
    return 0 if "Podman" in facts.kind else engine.missing.exit_code


def _of_engine(facts: EngineFacts) -> list[tuple[bool, str, str]]:
    store = f"{facts.store}{' (containerd image store)' if facts.containerd_store else ''}, {facts.platform}"
    rows: list[tuple[str, str | None, str]] = [
        ("engine", None, f"{facts.kind} {facts.version} (API {facts.api_version}) at {facts.endpoint}"),
        ("chosen by", None, facts.origin),
        ("builds with BuildKit", facts.build_reason, f"buildx {facts.buildx_version} with rawjson progress"),
        ("store", None, store),
        ("fast reading of images", facts.store_reason, "the store is read directly"),
        ("ports of containers", facts.port_reason, "asked on 127.0.0.1"),
        ("processes, memory", facts.process_reason, "seen from here"),
        ("opened files", facts.trace_reason, "recorded with fanotify"),
    ]
    return [(reason is None, name, works if reason is None else f"no: {reason}") for name, reason, works in rows]


def _bases(engine: object, bases: dict[str, str]) -> list[tuple[bool, str, str]]:
    from imgopt.engine import Engine

    assert isinstance(engine, Engine)
    if not bases:
        return [(True, "bases", "public names, as the Dockerfiles say")]
    missing = sorted(name for name, image in bases.items() if not engine.has_image(image))
    known = f"{len(bases)} names are replaced by the configuration"
    return [(not missing, "bases", f"{known}; not on this engine: {', '.join(missing[:5])}" if missing else known)]
