"""What `imgopt cache` does, as calls: examine, explain, replay one project. Nothing in the context
is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from imgopt.cache.bases import BaseConfig
from imgopt.cache.edits import Edit
from imgopt.cache.examine import examine
from imgopt.cache.explain import explain, state_against, state_since
from imgopt.cache.local_bases import local_bases
from imgopt.cache.match import Known
from imgopt.cache.measure import Laboratory
from imgopt.cache.memory import Memory
from imgopt.cache.own import OwnScenario, own_scenarios
from imgopt.cache.replayed import Arm, replayed
from imgopt.cache.scenarios import NAMES, Scenario, Skipped, scenarios
from imgopt.cache.state import State, read_state
from imgopt.cache.times import Times, times_of
from imgopt.context.absent import absent_sources
from imgopt.context.files import list_files
from imgopt.context.history import churn, history
from imgopt.context.project import project_name
from imgopt.dockerfile import IgnoreFile
from imgopt.engine import BuildRequest, Session
from imgopt.errors import FindingsError, InputError
from imgopt.results.cache import CacheResult
from imgopt.results.explain import ExplainResult
from imgopt.results.replay import ReplayResult

Tell = Callable[[str], None]
_NO_VCS = IgnoreFile.parse(".git\n.hg\n.svn\n")


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Project:
    """A context and how it is built: `request` holds target, arguments, bases, platform and what
    else a build needs.

    `own` are the user's own scenarios. `memory` keeps what measurements said, and may be shared.
    """

    request: BuildRequest
    own: tuple[OwnScenario, ...] = ()
    memory: Memory | None = None
    bases: dict[str, BaseConfig] = field(default_factory=dict)

    @property
    def context(self) -> Path:
        return self.request.context

    @cached_property
    def state(self) -> State:
        """As it is now. Raises InputError for a missing or refused Dockerfile."""
        file = self.request.dockerfile
        return self.state_of(file if isinstance(file, Path) else None)

    def state_of(self, dockerfile: Path | None) -> State:
        """The context built by another Dockerfile."""
        request = self.request
        return read_state(
            request.context,
            dockerfile,
            target=request.target,
            build_args=request.build_args,
            bases=self.bases,
            platform=request.platform or "linux/amd64",
        )

    def examine(self, names: Sequence[str] = (), times: Times | None = None) -> CacheResult:
        """All scenarios (or those named), predicted."""
        with self._chosen(names) as chosen:
            return self._named(examine(self.state, chosen, None, self._known, self._times(times)))

    def measure(
        self, session: Session, names: Sequence[str] = (), tell: Tell = _silent
    ) -> CacheResult:
        """All scenarios (or those named), predicted and built. What an earlier measurement said is
        predicted, too, and measured anew. Raises FindingsError where it fails as it is."""
        with self._chosen(names) as chosen:
            state = self._on(session, self.state)
            hidden = list_files(self.context, _NO_VCS) if state.ignore else None
            laboratory = Laboratory(session, self.context, state, self.request, hidden)
            tell("first build")
            cold = laboratory.cold()
            if cold.failure:
                raise FindingsError(cold.failure, hint="it fails as it is, before any change")
            result = self._named(
                examine(state, chosen, laboratory, self._known, times_of(cold), tell)
            )
            if self.memory is not None:
                edits = {one.name: one.example for one in chosen if isinstance(one, Scenario)}
                self.memory.remember(self.state, edits, result, times_of(cold))
            return result

    def _named(self, result: CacheResult) -> CacheResult:
        absent = absent_sources(
            self.state.dockerfile,
            self.context,
            self.state.ignore,
            self.state.target,
            self.state.build_args,
        )
        notes = [f"line {one.line}: {one.text}; a build fails there" for one in absent]
        return msgspec.structs.replace(
            result, project=project_name(self.context), notes=[*notes, *result.notes]
        )

    def explain(
        self, line: int | None, since: str | None = None, against: Path | None = None
    ) -> ExplainResult:
        """Why the step at a line (None: the first that misses) is not found, compared with one
        other state."""
        if since is not None:
            return explain(state_since(self.context, since, self.state), self.state, line, since)
        if against is None:
            raise InputError(
                "nothing to compare with", hint="add --since REV (a git revision) or --against DIR"
            )
        return explain(
            state_against(against, self.context, self.state), self.state, line, str(against)
        )

    def replay(
        self,
        commits: int,
        others: Sequence[Path] = (),
        times: Times | None = None,
        session: Session | None = None,
        tell: Tell = _silent,
    ) -> ReplayResult:
        """The last commits, against this Dockerfile and the others. With a session, each is built
        once for its steps' seconds. Raises InputError where there is no history."""
        found = history(self.context, commits)
        if found.commits is None:
            return replayed(found, [])
        states = [(self.state.dockerfile_path or self.state.dockerfile.name, self.state)]
        states += [(str(path), self.state_of(self._existing(path))) for path in others]
        return replayed(
            found, [self._arm(name, state, times, session, tell) for name, state in states]
        )

    def _arm(
        self, name: str, state: State, times: Times | None, session: Session | None, tell: Tell
    ) -> Arm:
        known = self._times(times)
        if session is None:
            return Arm(name, state, known)
        tell(f"building {name}")
        cold = Laboratory(session, self.context, self._on(session, state), self.request).cold()
        if cold.failure:
            raise FindingsError(
                f"{name}: {cold.failure}", hint="replay without --measure counts steps instead"
            )
        return Arm(name, state, times_of(cold).over(known))

    def _existing(self, path: Path) -> Path:
        return next((one for one in (path, self.context / path) if one.is_file()), path)

    @property
    def _known(self) -> Callable[[Edit], Known | None] | None:
        """What was measured of a change before."""
        memory = self.memory
        return (lambda edit: memory.known(self.state, edit)) if memory is not None else None

    def _times(self, given: Times | None) -> Times:
        remembered = self.memory.times() if self.memory is not None else Times()
        return given.over(remembered) if given is not None else remembered

    def _on(self, session: Session, state: State) -> State:
        """The state as this engine builds it: with what it knows of the bases; COPY --link works
        only with the containerd image store."""
        engine = session.engine
        found = local_bases(engine, state.dockerfile, state.build_args, self.request.bases)
        return replace(
            state, merge_op=engine.facts.containerd_store, bases={**found, **state.bases}
        )

    @contextmanager
    def _chosen(self, names: Sequence[str]) -> Iterator[Sequence[Scenario | Skipped]]:
        """The scenarios; the user's own live on a copy that goes away."""
        known = {*NAMES, *(one.name for one in self.own)}
        for name in names:
            if name not in known:
                raise InputError(
                    f"no scenario {name!r}", hint=f"one of: {', '.join(sorted(known))}"
                )
        own = [one for one in self.own if not names or one.name in names]
        built_in = [name for name in NAMES if not names or name in names]
        with TemporaryDirectory(prefix="imgopt-own-") as folder:
            counts = churn(self.context).counts or {}
            chosen = scenarios(self.context, self.state, counts, built_in) if built_in else ()
            yield (*chosen, *(own_scenarios(self.context, own, Path(folder)) if own else ()))
