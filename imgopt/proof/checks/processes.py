"""What the processes were started with and run as: what no answer shows, and a request that nobody
asked may depend on.

A launcher that is left out sets variables and limits, an entry script exports, a shell changes the
working directory: the process of the service is looked at itself, beside the original's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from imgopt.inspect.failures import Item
from imgopt.inspect.start.bookkeeping import read_texts
from imgopt.inspect.start.start_words import expanded
from imgopt.proof.check import Check, Comparison, Outcome, counted, judged, not_measured
from imgopt.proof.example import (
    NAMES,
    OWN_ACCOUNT,
    PROCESS,
    Mutation,
    seen_processes,
    without,
)
from imgopt.proof.name_service import lost_names
from imgopt.proof.process_environment import Given, compare_environments
from imgopt.proof.same_process import Pair, Paired, Spelling, pair
from imgopt.proof.unused_folder import unused_folder
from imgopt.run.observation import Observation
from imgopt.run.pictures import Picture, Process

NAME = "processes"


def check_processes(given: Comparison) -> Outcome:
    """Every process of the service after its start and at the end of the run, against all runs of
    the original."""
    runs, candidate = given.runs.originals, given.runs.candidate
    if not runs or candidate is None:
        return not_measured(NAME, given.runs.reason)
    if not candidate.started:
        return not_measured(NAME, f"the candidate does not start: {candidate.reason}")
    moments = tuple(_moments(runs, candidate))
    reason = _unseen(moments)
    if reason:
        return not_measured(NAME, reason)
    replaced = given.allowances.configuration.get("entrypoint")
    if replaced and given.allowances.start is None:
        return judged(NAME, "another program does the work", (), [replaced])
    judgement = _Judge(given, moments)
    return judged(NAME, judgement.detail, *judgement.outcome())


def _moments(
    runs: Sequence[Observation], candidate: Observation
) -> Iterator[tuple[tuple[Picture, ...], Picture]]:
    """The pictures of one moment: of every run of the original that has one, and the candidate."""
    count = min(len(run.pictures) for run in (*runs[:1], candidate))
    for at in range(count):
        before = tuple(run.pictures[at] for run in runs if len(run.pictures) > at)
        yield before, candidate.pictures[at]


def _unseen(moments: Sequence[tuple[tuple[Picture, ...], Picture]]) -> str:
    """Why nothing can be compared; "" where something can."""
    if not moments:
        return "no process was seen"
    pictures = [picture for before, after in moments for picture in (*before, after)]
    missing = [picture for picture in pictures if not picture.processes]
    return (missing[0].reason or "no process was seen") if missing else ""


@dataclass(frozen=True)
class _Judge:
    given: Comparison
    moments: tuple[tuple[tuple[Picture, ...], Picture], ...]

    @cached_property
    def paired(self) -> tuple[Paired, ...]:
        ours = Spelling(self.given.original, self.given.allowances)
        theirs = Spelling(self.given.candidate)
        return tuple(pair(before, ours, after, theirs) for before, after in self.moments)

    @cached_property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """What the service reads, without the files of launchers."""
        allowances, opened = self.given.allowances, self.given.files or frozenset()
        kept = (path for path in opened if allowances.drop_reason(path, opened=True) is None)
        return tuple(read_texts(self.given.original, kept, self.launchers))

    @cached_property
    def launchers(self) -> tuple[str, ...]:
        above = [" ".join(p.arguments) for one in self.paired for p in one.launchers]
        words: list[str] = []
        for view in (self.given.original, self.given.candidate):
            start = (*(view.config.entrypoint or ()), *(view.config.cmd or ()))
            words += [*start, *expanded(view, start)[:1]]
        return (*words, *above)

    @property
    def detail(self) -> str:
        """What was compared."""
        count = max(len(one.pairs) for one in self.paired)
        times = "until it ended" if self.moments[-1][1].ended else "after the start and at the end"
        return (
            f"{counted(count, 'process', 'processes')} {times}: variables, words, folder, user,"
            " groups, umask, limits, signals, kinds of open files, accounts, groups and hosts"
        )

    def outcome(self) -> tuple[list[Item], list[str]]:
        allowed: list[str] = []
        items = list(self._missing(allowed))
        for paired, (before, after) in zip(self.paired, self.moments, strict=True):
            for one in paired.pairs:
                found, said = compare_environments(self._environment, one.before, one.after)
                items += [*found, *self._differences(one, allowed)]
                allowed += said
            items += lost_names(
                self.given.original, self.given.candidate, before, after, lambda: self.texts
            )
        keys = self.given.allowances.configuration
        allowed += [f"{item}: {keys[item.subject]}" for item in items if item.subject in keys]
        return [item for item in items if item.subject not in keys], allowed

    @cached_property
    def _environment(self) -> Given:
        return Given(
            self.given.original,
            self.given.candidate,
            self.given.allowances,
            lambda: self.texts,
            self.launchers,
        )

    def _missing(self, allowed: list[str]) -> Iterator[Item]:
        """Processes that only one side has at the end: what a start does for a while is seen at one
        moment and not at the other. Of a program that ends, what is too quick to be seen is no
        difference."""
        start, last = self.given.allowances.start, self.paired[-1]
        if start is not None:
            allowed += [f"{_told(one)} is not started: {start.reason}" for one in last.launchers]
        if self.moments[-1][1].ended:
            return
        for process in (*last.lost, *(() if start is not None else last.launchers)):
            yield _item("lost", f"{_told(process)} does not run, as it does in the original")
        if not last.pairs:
            return
        always = set.intersection(*({_told(one) for one in each.new} for each in self.paired))
        for told in sorted(always):
            yield _item("new", f"{told} runs, which the original does not start")
        counts = [set(map(_counted, each.counts)) for each in self.paired]
        yield from (_item("count", said) for said in sorted(set.intersection(*counts)))

    def _differences(self, one: Pair, allowed: list[str]) -> Iterator[Item]:
        who = _told(one.after)
        start = self.given.allowances.start
        if not one.exact and start is not None and start.other_words:
            lost = (word for word in one.before[0].arguments if word.startswith(_OF_A_RUN_TIME))
            for word in (word for word in lost if word not in one.after.arguments):
                yield _item("arguments", f"{who} is started without {word}")
        elif not one.exact:
            words = " ".join(one.before[0].arguments)
            yield _item("arguments", f"{who} is started with other words than {words!r}")
        for aspect in _ASPECTS:
            if aspect.of_the_user and self.given.allowances.user is not None:
                continue
            yield from _compare(aspect, one, who)
        kept = frozenset.intersection(*(process.files for process in one.before))
        for kind in sorted((kept - one.after.files) & _KINDS):
            yield _item("files", f"{who} has no {kind} open, as it has in the original")
        yield from self._folder(one, who, allowed)

    def _folder(self, one: Pair, who: str, allowed: list[str]) -> Iterator[Item]:
        before, after = one.before[0].folder, one.after.folder
        if after in {process.folder for process in one.before}:
            return
        what = f"{who} works in the folder {after} instead of {before}"
        reason = unused_folder(self.given, before)
        if reason:
            allowed.append(f"{what}: {reason}")
        else:
            yield _item("folder", f"{what}: paths that begin with no / lead elsewhere")


_OF_A_RUN_TIME = ("-D", "-javaagent", "-agent", "-Xm", "-Xs", "--add-", "--enable-")
"""Options of a run time that a program sees, or that say how much it may take; others only say how
it is compiled while it runs."""
_KINDS = frozenset(["socket", "memory", "terminal"])
"""Of open files those that stay open while a service runs, whatever build of its run time."""


def _counted(found: tuple[Process, int, int]) -> str:
    process, was, now = found
    return f"{_told(process)} runs {now} times instead of {was}"


@dataclass(frozen=True, slots=True)
class _Aspect:
    """One thing that processes of one work have in common. `values` by a key of its own; `notice`
    says what a user would see."""

    name: str
    values: Callable[[Process], Mapping[str, object]]
    notice: str
    of_the_user: bool = False


_ASPECTS = (
    _Aspect(
        "user",
        lambda p: {"user": p.uid, "group": p.gid},
        "other files can be read and written",
        of_the_user=True,
    ),
    _Aspect(
        "groups",
        lambda p: {"groups": p.groups},
        "files of these groups are closed to it",
        of_the_user=True,
    ),
    _Aspect("umask", lambda p: {"umask": f"{p.umask:04o}"}, "files that it makes have other modes"),
    _Aspect("limits", lambda p: p.limits, "it comes to an end earlier, or does not"),
    _Aspect(
        "streams",
        lambda p: dict(zip(("input", "output", "errors"), p.streams, strict=False)),
        "what is written or read there goes elsewhere",
    ),
    _Aspect("signals", lambda p: {"ignored signals": sorted(p.ignored)}, "it ends by other ones"),
    _Aspect("priority", lambda p: {"nice": p.nice}, "it gets another share of the processor"),
)


def _compare(aspect: _Aspect, one: Pair, who: str) -> Iterator[Item]:
    before = [aspect.values(process) for process in one.before]
    after = aspect.values(one.after)
    for key in before[0]:
        values = [found.get(key) for found in before]
        if after.get(key) not in values and all(value == values[0] for value in values):
            said = f"{key} of {who} is {after.get(key)} instead of {values[0]}"
            yield _item(aspect.name, f"{said}: {aspect.notice}")


def _told(process: Process) -> str:
    words = " ".join(word for word in process.arguments if word) or process.program
    return f"`{words if len(words) < 80 else words[:77] + '...'}`"


def _item(aspect: str, message: str) -> Item:
    return Item("process", f"process:{aspect}", message=message)


_ENVIRONMENT = dict(PROCESS.environment or {})

CHECK = Check(
    NAME,
    "what each process was started with and runs as: variables, words, folder, user, groups, umask,"
    " limits, signals, streams; which accounts, groups and hosts it can look up",
    check_processes,
    (
        Mutation(
            "a launcher's variable is lost",
            "does not get the variable FACTOR",
            seen={"pictures": seen_processes(environment=without(_ENVIRONMENT, "FACTOR"))},
        ),
        Mutation(
            "a launcher's variable has another value",
            "another value of the variable FACTOR",
            seen={"pictures": seen_processes(environment={**_ENVIRONMENT, "FACTOR": "4"})},
        ),
        Mutation(
            "a variable is new",
            "gets the variable NODE_OPTIONS",
            seen={"pictures": seen_processes(environment={**_ENVIRONMENT, "NODE_OPTIONS": "-r x"})},
        ),
        Mutation(
            "a program is found elsewhere",
            "another value of the variable PATH",
            seen={"pictures": seen_processes(environment={**_ENVIRONMENT, "PATH": "/bin"})},
        ),
        Mutation(
            "it is started with another word",
            "other words",
            seen={"pictures": seen_processes(arguments=("web", "main.py", "--debug"))},
        ),
        Mutation(
            "it works in another folder",
            "works in the folder / instead of /app",
            seen={"pictures": seen_processes(folder="/")},
        ),
        Mutation(
            "a group is lost",
            "groups of `web main.py` is (1000,)",
            seen={"pictures": seen_processes(groups=(1000,))},
        ),
        Mutation(
            "files that it makes are closed to others",
            "umask of `web main.py` is 0077 instead of 0022",
            seen={"pictures": seen_processes(umask=0o077)},
        ),
        Mutation(
            "it may open fewer files",
            "Max open files of `web main.py` is 1024/4096",
            seen={"pictures": seen_processes(limits={"Max open files": "1024/4096"})},
        ),
        Mutation(
            "it takes no notice of a signal",
            "ignored signals of `web main.py` is [1, 13]",
            seen={"pictures": seen_processes(ignored=frozenset({1, 13}))},
        ),
        Mutation(
            "its output goes elsewhere",
            "output of `web main.py` is /dev/null instead of pipe",
            seen={"pictures": seen_processes(streams=("/dev/null", "/dev/null", "pipe"))},
        ),
        Mutation(
            "a socket is not open",
            "has no socket open",
            seen={"pictures": seen_processes(files=frozenset({"file"}))},
        ),
        Mutation(
            "it is nice to others",
            "nice of `web main.py` is 10 instead of 0",
            seen={"pictures": seen_processes(nice=10)},
        ),
        Mutation(
            "a process in the background is not started",
            "`web worker.py` does not run",
            seen={"pictures": seen_processes(beside=())},
        ),
        Mutation(
            "an account is lost",
            "the account worker (1001) is not there: a process of the original runs as it",
            seen={"pictures": seen_processes(names={**NAMES, "/etc/passwd": OWN_ACCOUNT})},
        ),
        Mutation(
            "hosts of a file are not found",
            "hosts are not looked up by way of files",
            seen={
                "pictures": seen_processes(names={**NAMES, "/etc/nsswitch.conf": "hosts: dns\n"})
            },
        ),
    ),
)
