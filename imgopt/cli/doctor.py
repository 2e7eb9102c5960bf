"""`imgopt doctor`: what works here and what does not."""

from __future__ import annotations

from pathlib import Path

import typer

from imgopt.cli import options
from imgopt.errors import EnvironmentFailure


def register(app: typer.Typer) -> None:
    app.command("doctor", help="Engine, BuildKit, store, permissions, bases: what works here and what not.")(doctor)


def doctor(base: options.Base = None, config: options.ConfigFile = None) -> int:
    from rich.console import Console
    from rich.text import Text

    from imgopt.engine import connect, sweep

    console = Console(highlight=False)
    settings = options.effective_config(Path(), options.BuildOptions(base=base, config=config))
    try:
        engine = connect()
    except EnvironmentFailure as error:
        console.print(Text.assemble(("x ", "red"), f"engine: {error.message}"))
        console.print(Text(f"  {error.hint}") if error.hint else "")
        return error.exit_code
    facts = engine.facts
    rows = [
        (True, "engine", f"Docker {facts.version} (API {facts.api_version}) at {facts.endpoint}"),
        (True, "BuildKit", f"buildx {facts.buildx_version} with rawjson progress"),
        (
            True,
            "store",
            f"{facts.store}{' (containerd image store)' if facts.containerd_store else ''}, {facts.platform}",
        ),
        (facts.store_reason is None, "fast reading of images", facts.store_reason or "the store is read directly"),
        (facts.trace_reason is None, "opened files", facts.trace_reason or "recorded with fanotify"),
    ]
    swept = sweep(engine)
    left = [f"{count} {name}" for name, count in zip(("containers", "images", "folders"),
            (swept.containers, swept.images, swept.trees), strict=True) if count]  # fmt: skip
    rows.append((True, "leftovers of killed runs", f"removed {', '.join(left)}" if left else "none"))
    rows += _bases(engine, settings.bases)
    for fine, name, what in rows:
        console.print(Text.assemble(("+ ", "green") if fine else ("- ", "yellow"), f"{name:<26}", what))
    console.print(Text("Next: imgopt optimize", style="bold"))
    return 0


def _bases(engine: object, bases: dict[str, str]) -> list[tuple[bool, str, str]]:
    from imgopt.engine import Engine

    assert isinstance(engine, Engine)
    if not bases:
        return [(True, "bases", "public names, as the Dockerfiles say")]
    missing = sorted(name for name, image in bases.items() if not engine.has_image(image))
    known = f"{len(bases)} names are replaced by the configuration"
    return [(not missing, "bases", f"{known}; not on this engine: {', '.join(missing[:5])}" if missing else known)]
