"""The page on the checks of the proof, from the checks themselves; `python tests/checks_page.py`
writes it anew."""

from __future__ import annotations

from pathlib import Path

from imgopt.proof.example import HARMLESS
from imgopt.proof.judge import CHECKS

PAGE = Path(__file__).parent.parent / "docs" / "checks.md"
HEAD = """\
# The checks of the proof

A variant, or the candidate of `imgopt prove`, is `refuted` when one check fails, `unproven` when its answers could not
be compared, else `proven`. A check that could not look says `not measured` and never counts as passed. Each change in
the last column is made to a small example service by `make check`, and must be refuted by that check alone.

| check | compares | refutes, for example |
|---|---|---|
"""
TAIL = """
Refuted by none: {harmless}.

Each refutation says what a user of the service would notice, what to write instead, and the key that says it is meant
so (`meant so: --allow env:MODE`, ready to paste). An intended difference stands in the result with its reason; an answer
that is another one, and a stop that takes longer, have no key.

Files of the build itself may be missing: Dockerfiles, ignore files, settings of editors, of CI and of the place where it
is deployed; scripts that call `docker` and the like where the image has no such program; archives and installers that a
step unpacked or ran; recipes and `.env` files that nothing reads. What the run opened, or another source names, may not.

Of two images without a Dockerfile the base is the largest image of the engine that lies below, else what the history tells
(the last CMD that is not in force), else it is not known: then only files in places that no base has are the author's.
"""


def page() -> str:
    rows = (
        f"| {check.name} | {check.compares} | {'; '.join(change.name for change in check.mutations)} |"
        for check in CHECKS
    )
    return (
        HEAD
        + "\n".join(rows)
        + "\n"
        + TAIL.format(harmless="; ".join(change.name for change in HARMLESS))
    )


if __name__ == "__main__":
    PAGE.write_text(page())
