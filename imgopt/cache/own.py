"""A user's own scenarios (`[[cache.scenario]]`): a patch or a command, tried on a copy of the
context."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from imgopt.cache.edits import Edit
from imgopt.cache.scenarios import Scenario
from imgopt.cache.selection import differences
from imgopt.cache.workspace import copy_tree
from imgopt.context.files import BytesContent, Entry, Tree, list_files
from imgopt.errors import InputError, Location

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class OwnScenario:
    """`patch`: a unified diff, its paths relative to the context. `command`: run by /bin/sh in the
    copy."""

    name: str
    patch: Path | None = None
    command: str | None = None


def own_scenarios(
    context: Path, wanted: Iterable[OwnScenario], folder: Path
) -> tuple[Scenario, ...]:
    """The user's scenarios, each run once on a copy below `folder`, which the caller removes.

    Raises InputError for a patch that does not apply or a command that fails.
    """
    whole = list_files(context)
    return tuple(
        _scenario(context, whole, one, folder / f"own-{number}")
        for number, one in enumerate(wanted)
    )


def _scenario(context: Path, whole: Tree, own: OwnScenario, folder: Path) -> Scenario:
    folder.mkdir(parents=True)
    copy_tree(context, whole, folder)
    if own.patch is not None:
        _run(own, ["patch", "-p1", "--batch", "--silent", "-i", str(own.patch.resolve())], folder)
    else:
        _run(own, ["/bin/sh", "-c", own.command or "true"], folder)
    after = list_files(folder)
    changes = {
        path: _kept(one.after) if one.after is not None else None
        for path, one in differences(whole, after).items()
    }
    words = (
        ", ".join([*changes][:3]) + (f" and {len(changes) - 3} more" if len(changes) > 3 else "")
        or "nothing"
    )
    edit = Edit(f"{words} changed", changes)
    return Scenario(own.name, edit.words, lambda _: edit)


def _kept(entry: Entry) -> Entry:
    """The bytes themselves: the copy goes away."""
    return (
        entry
        if entry.content is None
        else replace(entry, content=BytesContent(entry.content.read()))
    )


def _run(own: OwnScenario, command: list[str], folder: Path) -> None:
    location = Location(f"[[cache.scenario]] {own.name}")
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(
            f"cannot run {command[0]}: {error.strerror}", location=location, hint="install it"
        ) from None
    try:
        said, _ = process.communicate(timeout=_SECONDS)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            hint = "a scenario changes files; it must end by itself"
            raise InputError(
                f"did not end within {_SECONDS:.0f} s", location=location, hint=hint
            ) from None
        raise
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise InputError(
            f"failed with code {process.returncode}: {last[0]}",
            location=location,
            hint=(
                "try it in a copy of the context: patches apply with -p1, commands run in the"
                " context's root"
            ),
        )
