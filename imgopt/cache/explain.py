"""Why was it a miss? Two states, one line: the first step that is not found, and what exactly
changed its key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imgopt.cache.predict import Prediction, predict
from imgopt.cache.reasons import Cause, shortened
from imgopt.cache.selection import PathDifference
from imgopt.cache.state import State, read_revision, read_state
from imgopt.cache.traps import traps
from imgopt.context.files import BytesContent, Entry, Tree, parents, sifted
from imgopt.context.history import Repository
from imgopt.errors import InputError, Location
from imgopt.results.explain import ChangedPath, ExplainedStep, ExplainResult, TrapFound

_PATHS = 200


def explain(before: State, after: State, line: int | None, compared_with: str) -> ExplainResult:
    """Explains the step at a line of the later Dockerfile; None: the first that misses.

    Raises InputError for a line that is no cacheable step of what is built.
    """
    prediction = predict(before, after)
    chosen = _at(prediction, after, line)
    steps = [
        ExplainedStep(
            line=one.step.line,
            instruction=shortened(one.step.instruction, 200),
            verdict=one.verdict,
            reason=one.reason,
        )
        for one in prediction.steps
    ]
    if chosen is None:
        return ExplainResult(
            compared_with=compared_with, verdict="hit", reason="every step is found", steps=steps
        )
    one = prediction.steps[chosen]
    cause = prediction.cause(one.step)
    origin = cause.origin.steps[0] if cause is not None and cause.origin.steps else None
    vertex = cause.origin if cause is not None else prediction.vertex(one.step)
    return ExplainResult(
        compared_with=compared_with,
        line=one.step.line,
        instruction=shortened(one.step.instruction, 200),
        verdict=one.verdict,
        reason=one.reason,
        first_line=origin.line if origin else None,
        first_instruction=shortened(origin.instruction, 200) if origin else None,
        cause=_cause_text(prediction, cause),
        changed=[_changed(path) for path in (cause.paths if cause is not None else ())[:_PATHS]],
        changed_more=max(0, len(cause.paths) - _PATHS) if cause is not None else 0,
        traps=[
            TrapFound(name=trap.name, advice=trap.advice)
            for trap in traps(prediction.matching, vertex, cause)
        ],
        steps=steps,
    )


def _at(prediction: Prediction, after: State, line: int | None) -> int | None:
    """The number of the step that is meant."""
    numbers = range(len(prediction.steps))
    if line is None:
        for wanted in ("miss", "unknown"):
            found = next((n for n in numbers if prediction.steps[n].verdict == wanted), None)
            if found is not None:
                return found
        return None
    instruction = after.dockerfile.at_line(line)
    if instruction is not None:
        for number in numbers:
            if prediction.steps[number].step.line == instruction.line:
                return number
    lines = ", ".join(str(step.step.line) for step in prediction.steps)
    raise InputError(
        f"line {line} is no cacheable step of what is built",
        location=Location(after.dockerfile.name, line),
        hint=f"RUN, COPY, ADD and WORKDIR stand at lines {lines}"
        if lines
        else "the Dockerfile has none",
    )


def _cause_text(prediction: Prediction, cause: Cause | None) -> str | None:
    if cause is None:
        return None
    return (
        prediction.reasons.cause(cause.origin).detail
        if _not_found(prediction, cause)
        else cause.detail
    )


def _not_found(prediction: Prediction, cause: Cause) -> bool:
    outcome = prediction.matching.outcomes.get(cause.origin)
    return outcome is not None and outcome.verdict != "hit"


def _changed(one: PathDifference) -> ChangedPath:
    return ChangedPath(path=one.path, what=one.what, detail=str(one))


def state_since(context: Path, revision: str, now: State) -> State:
    """The state at a git revision as a build on this machine would have seen it: with today's
    untracked files, and with today's permission bits where git does not tell another executable
    bit."""
    then = read_revision(context, revision, now)
    repository = Repository.of(context)
    assert not isinstance(repository, str)
    entries = _untracked(now.tree, repository.tracked())
    for path, entry in then.tree.entries.items():
        entries[path] = _with_local_mode(entry, now.tree.get(path))
    if repository.commit(revision) != repository.commit("HEAD") and ".git/HEAD" in entries:
        entries[".git/HEAD"] = replace(
            entries[".git/HEAD"], content=BytesContent(revision.encode())
        )
    return replace(then, tree=sifted(Tree(entries), then.ignore))


def _untracked(tree: Tree, tracked: frozenset[str]) -> dict[str, Entry]:
    """What git does not know: files, and directories but those that hold tracked files only (they
    may be new)."""
    others = [
        path for path, entry in tree.entries.items() if path not in tracked and entry.kind != "dir"
    ]
    with_tracked = {up for path in tracked for up in parents(path)}
    with_others = {up for path in others for up in parents(path)}
    return {
        path: entry
        for path, entry in tree.entries.items()
        if path not in tracked
        and (entry.kind != "dir" or path not in with_tracked or path in with_others)
    }


def _with_local_mode(entry: Entry, local: Entry | None) -> Entry:
    if local is None or local.kind != entry.kind:
        return entry
    if entry.kind == "file" and (entry.mode ^ local.mode) & 0o100:
        return entry
    return replace(entry, mode=local.mode)


def state_against(folder: Path, context: Path, now: State) -> State:
    """The state of another copy of the context, built in the same way. Its Dockerfile is the one at
    the same path."""
    file = folder / now.dockerfile_path if now.dockerfile_path else Path(now.dockerfile.name)
    if folder.resolve() == context.resolve():
        raise InputError(
            "--against names the context itself", hint="name the directory with the other state"
        )
    return read_state(
        folder,
        file,
        target=now.target,
        build_args=now.build_args,
        bases=now.bases,
        platform=now.platform,
        merge_op=now.merge_op,
    )
