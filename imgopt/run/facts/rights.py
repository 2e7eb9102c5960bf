"""Which capabilities an image needs, and whether it runs on a read-only root file system: found by
runs without, which have to show what the first one showed."""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.tree import Tree
from imgopt.results.run_facts import Capabilities, ReadOnlyRoot, Written
from imgopt.run.facts.conditions import Conditions
from imgopt.run.facts.known import known
from imgopt.run.facts.written import hides
from imgopt.run.observation import Observation

_ALL = ("ALL",)
_LOW_PORT = 1024
UNPRIVILEGED = {"net.ipv4.ip_unprivileged_port_start": str(_LOW_PORT)}
"""Engines let everybody listen on low ports in a network of their own; a kubelet does not."""
_SMALL_SETS: tuple[tuple[str, ...], ...] = (
    ("NET_BIND_SERVICE",),
    ("SETGID", "SETUID"),
    ("NET_BIND_SERVICE", "SETGID", "SETUID"),
    ("CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID"),
    ("CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID"),
)
DEFAULT_SET = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip
"""What an engine gives where nothing is said (moby, oci/caps/defaults.go)."""
_MOST_TRIALS = 24
_MOST_SECONDS = 150.0
_LARGE = 6
_MOST_WITHOUT = 6
_EXECUTABLE = "exec,mode=1777"
"""As an emptyDir is: programs may lie in it (libraries that a run time unpacks)."""
_REFUSED = re.compile(
    r"read-only file ?system|operation not permitted|permission denied|\b(?:EROFS|EPERM|EACCES)\b",
    re.IGNORECASE,
)
Try = Callable[[Conditions], Observation]


@dataclass
class Same:
    """Compares runs with the first one. `unstable` are questions that two ordinary runs answered
    differently."""

    first: Observation
    again: Observation

    def why_not(self, run: Observation) -> str:
        """What is otherwise, in a clause; "" where it did the same."""
        return (
            _not_started(self.first, run)
            or self._answered_otherwise(run)
            or _complains(f"{self.first.log}\n{self.again.log}", run.log)
        )

    def _answered_otherwise(self, run: Observation) -> str:
        statuses = {answer.probe.name: answer.status for answer in run.answers}
        before = {answer.probe.name: answer.status for answer in self.first.answers}
        stable = {
            answer.probe.name: answer.status
            for answer in self.again.answers
            if before.get(answer.probe.name) == answer.status
        }
        for name, status in stable.items():
            if name in statuses and statuses[name] != status:
                return f"{name}: {statuses[name] or 'no answer'} instead of {status}"
        return ""


def _not_started(first: Observation, run: Observation) -> str:
    if first.plan.ends:
        same = run.exit_code == first.exit_code
        return "" if same else f"it ended with {run.exit_code} instead of {first.exit_code}"
    if run.started:
        return ""
    last = next((line.strip() for line in reversed(run.log_tail) if line.strip()), "")
    complaint = _complains(first.log, run.log) or last[:200]
    return f"{run.reason}: {complaint}" if complaint else run.reason


def _complains(before: str, after: str) -> str:
    """The first new line of a log that says that something was refused."""
    known = {_without_numbers(line) for line in before.splitlines()}
    for line in after.splitlines():
        if _REFUSED.search(line) and _without_numbers(line) not in known:
            return line.strip()[:200]
    return ""


def _without_numbers(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def likely(first: Observation, *, as_root: bool) -> tuple[str, ...]:
    """What is needed by what was seen: a low port, processes of another user than the one that the
    container is started as (`as_root`)."""
    processes = [one for picture in first.pictures for one in picture.processes]
    names = {"NET_BIND_SERVICE"} if any(one.port < _LOW_PORT for one in first.listening) else set()
    if as_root and any(one.uid for one in processes):
        names |= {"CHOWN", "SETGID", "SETUID"}
    return tuple(sorted(names))


def capabilities(
    same: Same, attempt: Try, *, sysctls: bool, guess: tuple[str, ...] = ()
) -> Capabilities:
    """Drops all; where that shows, adds back the `guess`, then a few small sets, then those that an
    engine gives, and of what does the fewest. `sysctls`: whether the run has a network of its own,
    whose low ports can be closed to ordinary users."""
    trials = _Trials(same, attempt, sysctls)
    first = trials.without(())
    if not first:
        return Capabilities(tried=True, detail="it does the same without any")
    needed = trials.fewest(guess) if guess and not trials.without(guess) else ()
    if needed or same.why_not(attempt(_of(DEFAULT_SET, sysctls=False))):
        return _found(needed, first)
    for names in _SMALL_SETS:
        if not trials.is_over and not trials.without(names):
            return _found(trials.fewest(names), first)
    return _found(() if trials.without(DEFAULT_SET) else trials.fewest(DEFAULT_SET), first)


def _found(needed: tuple[str, ...], first: str) -> Capabilities:
    if not needed:
        said = f"no set of capabilities was found to do: {first}"
        return Capabilities(tried=True, detail=said)
    detail = f"without {_listed(needed)}: {first}"
    return Capabilities(needed=list(needed), tried=True, detail=detail)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _of(names: Sequence[str], *, sysctls: bool) -> Conditions:
    return Conditions(cap_drop=_ALL, cap_add=tuple(names), sysctls=UNPRIVILEGED if sysctls else {})


class _Trials:
    def __init__(self, same: Same, attempt: Try, sysctls: bool) -> None:
        self._same, self._attempt, self._sysctls = same, attempt, sysctls
        self._left = _MOST_TRIALS
        self._until = time.monotonic() + _MOST_SECONDS
        self._known: dict[tuple[str, ...], str] = {}

    @property
    def is_over(self) -> bool:
        """Whether enough was tried."""
        return self._left <= 0 or time.monotonic() > self._until

    def without(self, names: tuple[str, ...]) -> str:
        """What is otherwise with these alone."""
        if names not in self._known:
            self._left -= 1
            run = self._attempt(_of(names, sysctls=self._sysctls))
            self._known[names] = self._same.why_not(run)
        return self._known[names]

    def fewest(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of a set that does without which it does not: of a large one halves are left out
        first, then smaller parts; what there was no time to try stays."""
        kept, size = names, len(names) // 2 if len(names) > _LARGE else 1
        while size:
            for at in range(0, len(names), size):
                part = names[at : at + size]
                fewer = tuple(one for one in kept if one not in part)
                if fewer and fewer != kept and not self.is_over and not self.without(fewer):
                    kept = fewer
            size //= 2
        return kept


def read_only_root(
    same: Same, attempt: Try, folders: Sequence[Written], tree: Tree
) -> ReadOnlyRoot:
    """A run that may write nowhere; where that shows, with the folders that it wrote to, and then
    without each of them."""
    first = same.why_not(attempt(_read_only(())))
    if not first:
        return ReadOnlyRoot(works=True, detail="it does the same and writes nowhere")
    places = [one.folder for one in folders if _may_be_mounted(one)]
    for candidates in _candidates(places, tree):
        if not same.why_not(attempt(_read_only(candidates))):
            tmpfs = _fewest_folders(same, attempt, candidates)
            return ReadOnlyRoot(works=True, tmpfs=list(tmpfs), detail=f"without them: {first}")
    return ReadOnlyRoot(works=False, detail=first)


def _candidates(places: Sequence[str], tree: Tree) -> Iterable[tuple[str, ...]]:
    """What it wrote, and where programs put what they take away again; then without those that hide
    the image's own files; then more of such places. A folder below another one is no place of its
    own."""
    apart = [place for place in places if not hides(place, tree)]
    usual, more = known().temporary, known().further_temporary
    tried = ([*places, *usual], [*apart, *usual], [*apart, *usual, *more])
    return dict.fromkeys(tuple(outermost(one)) for one in tried)


def outermost(places: Iterable[str]) -> list[str]:
    """Sorted, each once, without those that lie below another one."""
    kept: list[str] = []
    for place in sorted(set(places)):
        if not any(place.startswith(f"{other}/") for other in kept):
            kept.append(place)
    return kept


def _fewest_folders(same: Same, attempt: Try, places: tuple[str, ...]) -> tuple[str, ...]:
    kept = places
    for place in places[:_MOST_WITHOUT] if len(places) > 1 else ():
        fewer = tuple(one for one in kept if one != place)
        if fewer and not same.why_not(attempt(_read_only(fewer))):
            kept = fewer
    return kept


def _read_only(places: Iterable[str]) -> Conditions:
    return Conditions(read_only=True, tmpfs=tuple(f"{place}:{_EXECUTABLE}" for place in places))


def _may_be_mounted(one: Written) -> bool:
    """What an interpreter makes of sources is made again in memory; the root itself is no place to
    mount something at."""
    bytecode = {made.bytecode.folder for made in builtin_ecosystems() if made.bytecode is not None}
    return one.folder != "/" and not one.volume and posixpath.basename(one.folder) not in bytecode
