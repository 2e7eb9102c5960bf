"""Generated files, rewritten and built in both forms, and what differs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from differential.case import Case
from differential.laboratory import Built, Job, Laboratory
from differential.oracle import differences
from differential.rewriting import Rewrite, rewrite, twice


@dataclass(frozen=True, slots=True)
class Outcome:
    """`counts`: the original builds, and the rewrite changes something; `error` says why it does
    not build."""

    case: Case
    rewrite: Rewrite
    counts: bool = False
    different: tuple[str, ...] = ()
    error: str = ""

    def __str__(self) -> str:
        """Everything that is needed to see what happened, and to do it again."""
        lines = [f"--- {self.case.name}; changed by {', '.join(self.rewrite.changed)}"]
        lines += difflib.unified_diff(
            self.case.dockerfile.splitlines(),
            self.rewrite.text.splitlines(),
            "original",
            "rewritten",
            "",
            "",
            99,
            "",
        )
        lines += ["context:", *(f"  {path}" for path in sorted(self.case.files))]
        if self.rewrite.ignore != self.case.ignore:
            lines += [
                ".dockerignore:",
                *(f"  {line}" for line in (self.rewrite.ignore or "").splitlines()),
            ]
        return "\n".join([*lines, "differences:", *(f"  {line}" for line in self.different)])


def compare(
    laboratory: Laboratory,
    cases: Sequence[Case],
    folder: Path,
    make: Callable[[Case, Path], Rewrite] = rewrite,
) -> list[Outcome]:
    """Rewrites and builds each case; those that no strategy changes need no build."""
    rewrites, jobs = [], list[Job]()
    for number, case in enumerate(cases):
        context = folder / str(number)
        context.mkdir(parents=True)
        case.write(context)
        new = make(case, context)
        rewrites.append(new)
        if new.changed:
            jobs += _jobs(number, case, new, context)
    built = laboratory.build(jobs) if jobs else {}
    outcomes = []
    for number, (case, new) in enumerate(zip(cases, rewrites, strict=True)):
        if not new.changed:
            outcomes.append(Outcome(case, new))
            continue
        before, after = built[f"before{number}"], built[f"after{number}"]
        if before.error:
            outcomes.append(Outcome(case, new, error=before.error))
            continue
        found = differences(case, new, before, after)
        if make is rewrite and twice(case, folder / str(number), new) != Rewrite(
            new.text, new.ignore
        ):
            found.append("what is rewritten twice is not what is rewritten once")
        if f"sibling{number}" in built and _differ(
            built[f"sibling{number}"], built[f"otherwise{number}"]
        ):
            found.append(f"the ignore file breaks another Dockerfile: {case.sibling!r}")
        outcomes.append(Outcome(case, new, True, tuple(found)))
    return outcomes


def _jobs(number: int, case: Case, new: Rewrite, context: Path) -> list[Job]:
    jobs = [
        Job(f"before{number}", case.dockerfile, case.ignore, context),
        Job(f"after{number}", new.text, new.ignore, context),
    ]
    if case.sibling is not None and new.ignore != case.ignore:
        # as a pattern, a name that is not there ends no build
        text = re.sub(r"(?<=COPY )(\S*)(\S)(?= )", r"\1[\2]", case.sibling)
        jobs += [
            Job(f"sibling{number}", text, case.ignore, context),
            Job(f"otherwise{number}", text, new.ignore, context),
        ]
    return jobs


def _differ(before: Built, after: Built) -> bool:
    return not before.error and before.stages[0].files.keys() != after.stages[0].files.keys()
