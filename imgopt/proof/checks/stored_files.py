"""Does the candidate leave the same files in its volumes?"""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.inspect.failures import Item
from imgopt.proof.check import Check, Outcome, counted, judged, not_measured, of_the_runs
from imgopt.proof.example import Mutation
from imgopt.run.observation import Observation

STORED_FILES = "stored files"


def check_stored_files(originals: Sequence[Observation], candidate: Observation) -> Outcome:
    """By name and kind, those that every run of the original leaves; what only one of them leaves
    has a name that changes by itself."""
    seen = [run.stored for run in originals]
    if None in seen or candidate.stored is None:
        return not_measured(STORED_FILES, "it has no volumes, or they cannot be seen")
    known = [frozenset(one.items()) for one in seen if one is not None]
    always = frozenset.intersection(*known)
    return judged(
        STORED_FILES,
        f"{counted(len(always), 'path')} in its volumes at the end of every run",
        [
            Item("answer", path, path, message=f"{path}: a {kind} that the original leaves there")
            for path, kind in always - frozenset(candidate.stored.items())
        ],
    )


CHECK = Check(
    STORED_FILES,
    "what it leaves in volumes and mounted folders, where a Compose file gives it some: names and"
    " kinds",
    of_the_runs(STORED_FILES, check_stored_files),
    (
        Mutation(
            "an upload is not stored",
            "/media/a.png: a file that the original leaves there",
            seen={"stored": {"/media": "folder"}},
        ),
        Mutation(
            "a folder where a file was",
            "/media/a.png: a file that the original leaves there",
            seen={"stored": {"/media": "folder", "/media/a.png": "folder"}},
        ),
    ),
)
