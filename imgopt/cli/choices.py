"""What options with fixed values may be. `--help` and the messages for a wrong value list it; tests
hold it true.

Written out here, because the modules that decide are too heavy for every start of the command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import typer

from imgopt.errors import InputError

FORMATS: dict[str, tuple[str, ...]] = {
    "analysis": ("text", "json", "markdown", "html", "csv"),
    "bench": ("text", "json", "markdown", "html", "csv"),
    "cache": ("text", "json", "markdown", "html"),
    "ci": (
        "text",
        "json",
        "markdown",
        "html",
        "sarif",
        "junit",
        "gitlab",
        "github",
        "rdjson",
        "metrics",
        "bencher",
        "benchmark-action",
    ),
    "deploy": ("text", "json", "markdown", "html"),
    "deploy-check": ("text", "json", "markdown", "sarif", "junit", "gitlab", "github"),
    "deploy-proof": ("text", "json", "markdown", "html"),
    "diff": ("text", "json", "markdown", "html"),
    "explain": ("text", "json", "markdown"),
    "fleet-cost": ("text", "json", "markdown", "html"),
    "fleet-layout": ("text", "json", "markdown", "html"),
    "history": ("text", "json", "markdown", "csv"),
    "lives": ("text", "json", "markdown", "html"),
    "optimize": ("text", "json", "markdown", "pr", "html"),
    "proof": ("text", "json", "markdown", "html"),
    "registry": ("text", "json", "markdown", "html", "csv"),
    "replay": ("text", "json", "markdown"),
    "rewrite": ("text", "json", "markdown", "html"),
    "run-facts": ("text", "json", "markdown", "html"),
    "stack": ("text", "json", "markdown", "html"),
}
"""Formats of each kind of result; `imgopt report` takes those of the result at hand."""
VARIANTS = ("safe", "slim", "distroless")
LATER_EDITS = (
    "data-folder",
    "settings-file",
    "new-module",
    "browser-file",
    "pure-dependency",
    "compiled-dependency",
    "program-dependency",
    "raise-version",
    "next-patch",
    "next-minor",
)
TRIALS = ("probes", "update", "drain", "pod", "node", "bad-release", "scale", "memory")
"""Of `imgopt deploy prove` on nodes, in their order."""
SUGGESTIONS = (
    "cpu-wheels",
    "heavy-light",
    "recommends",
    "graceful-stop",
    "health-check",
    "health-prober",
    "pin-digest",
)
"""Strategies that are only made with `--allow NAME`."""
DIFFERENCES = (
    "user",
    "entrypoint",
    "command",
    "workdir",
    "platform",
    "onbuild",
    "stop-signal",
    "healthcheck",
    "expose:PORT",
    "volume:PATH",
    "label:NAME",
    "env:NAME",
    "file:PATH",
    "mode:PATH",
    "package:NAME",
    "module:NAME",
    "library:NAME",
    "program:NAME",
    "runtime:NAME",
    "locale:NAME",
    "zone:NAME",
    "certificates",
    "process:ASPECT",
    "account:NAME",
    "group:NAME",
    "hosts:WAY",
    "root:PROGRAM",
)
"""What `imgopt prove --allow` takes for intended."""
SCENARIOS = (
    "no-change",
    "touch-only",
    "edit-source",
    "edit-test",
    "edit-docs",
    "edit-manifest",
    "edit-lock",
    "edit-dockerfile-comment",
    "edit-dockerignore",
    "add-file",
    "delete-file",
    "rename-file",
    "chmod-file",
    "build-arg",
    "base-bump",
)
"""Changes that `imgopt cache` makes; a project may have its own beside them."""
MEASURED = (
    "no-change",
    "touch-only",
    "edit-source",
    "edit-test",
    "edit-docs",
    "edit-manifest",
    "edit-lock",
    "add-file",
    "build-arg",
    "cold",
    "run",
)
"""What `imgopt bench` measures."""
SCALES = ("none", "cpu", "requests", "queue", "prometheus")
"""What an autoscaler may go by."""
FAIL_LEVELS = ("error", "warn", "never")
DEPLOY_LEVELS = ("error", "warning", "note", "never")


def listed(values: Sequence[str], last: str = "or") -> str:
    """ "safe, slim or distroless"."""
    return f"{', '.join(values[:-1])} {last} {values[-1]}" if len(values) > 1 else "".join(values)


def format_option(*kinds: str) -> Any:
    """`--format` of a command whose results are of the first kind; the others are what it gives
    with some options."""
    formats = FORMATS[kinds[0]]
    few = [name for name in formats if any(name not in FORMATS[kind] for kind in kinds)]
    note = f" ({listed(few)} not of every result)" if few else ""
    return typer.Option("--format", help=f"For standard output: {listed(formats)}{note}.")


def check(option: str, values: Iterable[str], known: Sequence[str]) -> None:
    """Raises InputError that lists what is known. A name that ends in a colon word ("env:NAME")
    stands for any."""
    open_ended = tuple(name.partition(":")[0] + ":" for name in known if ":" in name)
    for value in values:
        if value not in known and not (value.startswith(open_ended) and not value.endswith(":")):
            raise InputError(f"{option} {value}: no such name", hint=f"known: {', '.join(known)}")
