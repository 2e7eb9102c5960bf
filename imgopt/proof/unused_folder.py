"""A working directory that the service does not use: another one is no difference to it."""

from __future__ import annotations

from imgopt.inspect.files.application_files import application_files
from imgopt.proof.check import Comparison


def unused_folder(given: Comparison, folder: str) -> str:
    """Why it does not matter that the service works elsewhere; "" where it may.

    Nothing was opened or written there, and nothing lies there that a source could read by a path
    without its folder; the program that is started is found by its own path.
    """
    opened, runs = given.opened, given.runs.originals
    if opened is None or not runs:
        return ""
    below = folder.rstrip("/") + "/"
    allowances = given.allowances
    started = {process.program for one in runs[0].pictures for process in one.processes}
    used = (
        *(path for path in opened.files if allowances.drop_reason(path, opened=True) is None),
        *(change.path for change in runs[0].written),
        *(
            node.path
            for node in application_files(given.original)
            if allowances.drop_reason(node.path) is None
        ),
    )
    if any(path.startswith(below) and path not in started for path in used):
        return ""
    return f"nothing was opened or written in {folder}, and nothing that a run could read is there"
