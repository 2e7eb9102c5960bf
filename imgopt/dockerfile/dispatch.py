"""What BuildKit refuses only when it carries an instruction out: bad substitutions, ports, signals,
modes, mounts.

It looks only into the stages that the target needs, in their order, with the variables in force at
each line. A variable that a base image or the caller's `--build-arg` may set is not known here, and
what hangs on it is not judged. Rules: moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go
(dispatch).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

from imgopt.dockerfile import values
from imgopt.dockerfile.expand import ExpansionError, Lexer, RequiredError
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.mounts import check_mount
from imgopt.dockerfile.problems import CARRYING_OUT, Problem, Refused
from imgopt.dockerfile.scope import Scope, ScopeBuilder
from imgopt.dockerfile.stages import Stage, Stages, find_stage, reachable
from imgopt.dockerfile.typed import (
    Add,
    Arg,
    Copy,
    Env,
    Expose,
    KeyValue,
    Label,
    Located,
    Mount,
    Pairs,
    Run,
    StopSignal,
    User,
    Volume,
    Workdir,
)

_COMPUTED = re.compile(r"[$'\"\\`]")
_BY_OTHERS = ("PATH",)
"""Variables that BuildKit sets where no image does."""


def check_dispatch(
    stages: Stages, target: Stage, globals_: Scope, build_args: Mapping[str, str]
) -> Iterator[Problem]:
    """The problems of every instruction of the stages that `target` needs. Takes time linear in
    them."""
    made: dict[int, _Words] = {}
    for stage in reachable(stages, target):
        if stage.parent is not None:
            words = made[stage.parent.index].child()
        else:
            words = _Words(
                ScopeBuilder(globals_.values, build_args, {}), stage.is_scratch, {*_BY_OTHERS}
            )
        made[stage.index] = words
        for instruction in stage.instructions:
            problem = _problem(instruction, words, stages, stage)
            if problem:
                yield problem
            words.step_over(instruction)


class _Words:
    """Expands words in the scope of one line. `hazy` are the variables whose value is not known
    here."""

    def __init__(self, builder: ScopeBuilder, base_known: bool, hazy: set[str]) -> None:
        self._builder = builder
        self._base_known = base_known
        self._hazy = hazy

    def child(self) -> _Words:
        """Where a stage on this one begins."""
        return _Words(self._builder.child(), self._base_known, set(self._hazy))

    def step_over(self, instruction: Instruction) -> None:
        """To the line below."""
        typed = instruction.typed
        if not isinstance(typed, (Env, Arg)):
            self._builder.add((instruction,))
        else:
            hazy = {pair.key for pair in typed.pairs if self._is_hazy(pair)}
            self._builder.add((instruction,))
            self._hazy.difference_update(pair.key for pair in typed.pairs if pair.value is not None)
            self._hazy |= hazy

    def _is_hazy(self, pair: KeyValue) -> bool:
        try:
            return self.known(pair.value or "") is None
        except Refused:
            return True

    def known(self, word: str, place: int | None = None, quotes: bool = True) -> str | None:
        """The expanded word, None where it hangs on what is not known here. Raises Refused."""
        if not _COMPUTED.search(word):
            return word
        try:
            found = Lexer(
                word, self._builder.values, self._builder.escape, skip_quotes=not quotes
            ).run()
        except RequiredError as error:
            if self._unknown(frozenset({error.name}), frozenset()):
                return None
            raise Refused(str(error), "set the variable above", place, CARRYING_OUT) from None
        except ExpansionError as error:
            raise Refused(
                str(error), "mend the quote or the substitution", place, CARRYING_OUT
            ) from None
        return None if self._unknown(found.unmatched, found.matched) else found.text

    def _unknown(self, unset: frozenset[str], used: frozenset[str]) -> bool:
        if (used | unset) & self._hazy or unset & self._builder.unset:
            return True
        return bool(unset) and not self._base_known

    @property
    def root(self) -> str | None:
        """The directory of the stage; None where only the base image says it."""
        return self._builder.workdir or ("/" if self._base_known else None)


def _problem(
    instruction: Instruction, words: _Words, stages: Stages, stage: Stage
) -> Problem | None:
    if instruction.problem:
        return instruction.problem if instruction.problem.phase == CARRYING_OUT else None
    typed = instruction.typed
    check = _CHECKS.get(type(typed))
    try:
        if check:
            check(typed, words)
        if isinstance(typed, Copy) and typed.from_:
            _check_order(find_stage(stages, typed.from_), typed.from_, stage)
        elif isinstance(typed, Run):
            _check_mounts(instruction, typed, words, stages, stage)
    except Refused as refused:
        return instruction.locate_problem(refused)
    return None


def _expect(problem: str | None, hint: str, place: int | None = None) -> None:
    """Raises Refused where there is a problem."""
    if problem is not None:
        raise Refused(problem, hint, place, CARRYING_OUT)


def _each(
    words: _Words, located: Iterator[Located | None] | tuple[Located | None, ...]
) -> list[tuple[Located, str]]:
    """The known words among them, with their values."""
    given = [word for word in located if word is not None]
    found = [(word, words.known(word, word.span.start)) for word in given]
    return [(word, text) for word, text in found if text is not None]


def _word(word: Located, words: _Words) -> None:
    words.known(word, word.span.start)


def _pairs(typed: Pairs, words: _Words) -> None:
    for pair in typed.pairs:
        words.known(pair.key, pair.span.start)
        words.known(pair.value or "", pair.span.start)


def _copy(typed: Copy, words: _Words) -> None:
    _each(words, (typed.destination, typed.chown))
    sources = _each(words, typed.sources)
    for word, mode in _each(words, (typed.chmod,)):
        _expect(
            values.mode_problem(mode),
            "write an octal mode, such as 755, or u=rwX,go=rX",
            word.span.start,
        )
    for heredoc in typed.heredocs:
        if heredoc.expand and heredoc.span:
            words.known(heredoc.text, heredoc.span.start, quotes=False)
    if isinstance(typed, Add):
        if len(sources) == len(typed.sources):
            for word, checksum in _each(words, (typed.checksum,)):
                problem = values.checksum_problem(checksum, [text for _, text in sources])
                _expect(problem, "write sha256: and 64 hexadecimal digits", word.span.start)
        return
    for word, text in () if typed.from_ else sources:
        kind = "a git ref" if values.is_git(text) else "a URL" if values.is_url(text) else None
        _expect(
            f"source can't be {kind} for COPY" if kind else None, "ADD fetches", word.span.start
        )


def _expose(typed: Expose, words: _Words) -> None:
    for word, text in _each(words, typed.ports):
        for port in text.split():
            _expect(
                values.port_problem(port), "write a port, such as 8080 or 53/udp", word.span.start
            )


def _volume(typed: Volume, words: _Words) -> None:
    for word, text in _each(words, typed.paths):
        _expect(
            None if text else "VOLUME specified can not be an empty string",
            "name a directory",
            word.span.start,
        )


def _stop_signal(typed: StopSignal, words: _Words) -> None:
    for word, text in _each(words, (typed.signal,)):
        _expect(
            values.signal_problem(text), "write a signal's name, such as SIGTERM", word.span.start
        )


def _check_order(used: Stage | None, name: str, stage: Stage) -> None:
    if used is not None and used.index >= stage.index:
        what = (
            f'cannot copy from stage "{name}", it needs to be defined before current stage'
            f' "{_shown(stage)}"'
        )
        _expect(what, "move that stage up")


def _shown(stage: Stage) -> str:
    return stage.name or f"stage-{stage.index}"


def _check_mounts(
    instruction: Instruction, typed: Run, words: _Words, stages: Stages, stage: Stage
) -> None:
    flags = [flag for flag in instruction.flags if flag.name == "mount"]
    for flag, mount in zip(flags, typed.mounts, strict=True):
        place = mount.span.start
        if _COMPUTED.search(flag.value or ""):
            check_mount(Located(flag.value or "", mount.span), lambda text: words.known(text))
        target = _target(mount, words)
        _expect('invalid mount target "/"' if target == "/" else None, "add target=PATH", place)
        used = find_stage(stages, mount.from_, numbers=False) if mount.from_ else None
        if used is not None and used.index >= stage.index:
            what = (
                f'cannot mount from stage "{mount.from_}" to "{target}", stage needs to be defined'
                " before"
            )
            _expect(f"{what} current command", "move that stage up", place)


def _target(mount: Mount, words: _Words) -> str | None:
    """Where it is mounted, absolute; None where that is not known here, or the mount has a place of
    its own."""
    if mount.type not in ("bind", "cache", "tmpfs"):
        return None
    target = words.known(mount.target or "")
    if target is None or target.startswith("/"):
        return target
    root = words.root
    return posixpath.normpath(posixpath.join(root, target)) if root is not None else None


_CHECKS: dict[type, Callable[..., None]] = {
    Add: _copy,
    Arg: _pairs,
    Copy: _copy,
    Env: _pairs,
    Expose: _expose,
    Label: _pairs,
    StopSignal: _stop_signal,
    User: lambda typed, words: _word(typed.user, words),
    Volume: _volume,
    Workdir: lambda typed, words: _word(typed.path, words),
}
