"""The project's own tests, asked of a running service: in a container of their own, beside it.

The service is started once more, so that nothing that the tests do is taken for what it does by
itself. Both are in a network of the run's own, from which no other machine answers, or in that
which the user names. The build context is mounted for reading alone, and copied inside.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.engine import Container, RunRequest, Session
from imgopt.engine.container import StartFailure
from imgopt.errors import EnvironmentFailure, InputError
from imgopt.run.companions import CompanionFailure, companions
from imgopt.run.fresh_mounts import fresh_mounts
from imgopt.run.near import Near
from imgopt.run.observation import RunPlan
from imgopt.run.own_run import OwnRun
from imgopt.run.ready import Expected, Ready, await_ready
from imgopt.run.settings import SmokeSettings
from imgopt.run.starting import HOSTNAME

CONTEXT = "/imgopt/context"
_NOT_BEGUN = (125, 126, 127)
_LEFT_OUT = (".git",)
_SCRIPT = f"""\
if [ -d {CONTEXT} ]; then
  if [ "$PWD" = / ] || [ ! -w . ]; then
    mkdir -p /tmp/imgopt-tests && cd /tmp/imgopt-tests || exit 125
  fi
  cp -RP {CONTEXT}/. . || exit 125
fi
exec /bin/sh -c "$1"
"""


@dataclass(frozen=True)
class OwnTests:
    """`tools` is the image that they run in, `place` what it is called in messages; `context` the
    folder whose files they find, None for none."""

    session: Session
    settings: SmokeSettings
    command: str
    tools: str
    place: str
    context: Path | None = None
    say: Callable[[str], None] = lambda _: None

    def original(self, image: str, plan: RunPlan) -> OwnRun:
        """Raises InputError where they have nothing to ask, do not begin or do not end."""
        self._check(plan)
        self.say("Running the project's tests against the original")
        seen = self._run(image, plan, self.settings.start_timeout)
        if seen.code is None:
            raise InputError(
                f"the tests `{self.command}` tell nothing of the original: {seen.last}",
                hint="try the command by hand; give them more time by start-timeout under [smoke]",
            )
        if seen.code in _NOT_BEGUN:
            raise self._not_begun(seen.last)
        return seen

    def candidate(self, image: str, plan: RunPlan, first: OwnRun) -> OwnRun:
        """The same of another image, which has at least twice the original's time."""
        self.say("Running the project's tests against the candidate")
        return self._run(image, plan, max(self.settings.start_timeout, 2 * first.seconds))

    def again(self, image: str, plan: RunPlan, first: OwnRun) -> OwnRun:
        """The original once more, for what differs between its own runs."""
        self.say("Running the project's tests against the original once more")
        return self._run(image, plan, max(self.settings.start_timeout, 2 * first.seconds))

    def _check(self, plan: RunPlan) -> None:
        if not plan.listens:
            raise InputError(
                f"the tests `{self.command}` have nothing to ask: the original listens on no port",
                hint="leave out tests under [smoke]; name what to run there with run",
            )
        if self.context is not None and not self.session.engine.facts.local:
            raise EnvironmentFailure(
                "the tests need the files of the build context, and the engine is not on this"
                " machine",
                hint="leave out tests under [smoke], or use an engine of this machine",
            )

    def _not_begun(self, why: str) -> InputError:
        return InputError(
            f"the tests `{self.command}` do not begin in {self.place}: {why}",
            hint="install what they need there, or name the stage of the Dockerfile that has it:"
            " tests-stage under [smoke]",
        )

    def _run(self, image: str, plan: RunPlan, patience: float) -> OwnRun:
        with contextlib.ExitStack() as stack:
            mounts = stack.enter_context(fresh_mounts(self.session, self.settings.mounts))
            try:
                near = stack.enter_context(companions(self.session, self.settings, image))
                request = self._service(image, plan, mounts, near)
                service = stack.enter_context(self.session.create(request))
                service.start()
            except (StartFailure, CompanionFailure) as failure:
                return OwnRun(self.command, None, str(failure))
            ready = self._await(service, plan)
            if ready.state != "answers":
                why = f"the service does not answer beside them ({ready.state})"
                return OwnRun(self.command, None, f"{why}: {_last(service)}")
            try:
                asking = self._tests(service, ready, plan)
                asking = replace(asking, network=near.network) if near is not None else asking
                tests = stack.enter_context(self.session.create(asking))
                tests.start()
            except StartFailure as failure:
                return OwnRun(self.command, 127, failure.message)
            started = time.monotonic()
            code = tests.wait(patience)
            seconds = time.monotonic() - started
            said = tests.logs().text
            if code is None:
                said += f"\nthey did not end within {patience:.0f} s"
            return OwnRun(self.command, code, said, seconds, service.logs().text)

    def _service(
        self, image: str, plan: RunPlan, mounts: Sequence[str], near: Near | None
    ) -> RunRequest:
        network = self._network if near is None else near.network
        request = RunRequest(
            image,
            command=self.settings.command,
            env=self.settings.environment(),
            mounts=tuple(mounts),
            ports=() if self._shared else tuple(f"{port}/tcp" for port in plan.ports),
            network=network,
            hostname=None if self._shared else HOSTNAME,
            aliases=() if self._shared else (HOSTNAME,),
            health_check=False,
        )
        return request if near is None else near.started_like(request)

    @property
    def _shared(self) -> bool:
        """Whether the service has no network in which another container could have a name."""
        named = self.settings.network or ""
        return named in ("host", "none") or named.startswith("container:")

    @property
    def _network(self) -> str:
        named = self.settings.network
        if named not in (None, "bridge", "default"):
            return named
        made = self.session.tests_network()
        if made is None:
            raise EnvironmentFailure("the engine makes no network for the project's tests")
        return made

    def _await(self, service: Container, plan: RunPlan) -> Ready:
        timeout = max(self.settings.start_timeout, 4 * plan.ready_seconds)
        expected = Expected(frozenset(plan.listens), frozenset(), {}, False, timeout, final=True)
        local = self.session.engine.facts.local
        return await_ready(service, service.ports(), expected, local=local)

    def _tests(self, service: Container, ready: Ready, plan: RunPlan) -> RunRequest:
        mounts = () if self.context is None else (f"{self.context.resolve()}:{CONTEXT}:ro",)
        return RunRequest(
            self.tools,
            entrypoint=("/bin/sh",),
            command=("-c", _SCRIPT, "sh", self.command),
            env={**self.settings.environment(), **self._address(ready, plan)},
            mounts=mounts,
            tmpfs=tuple(f"{CONTEXT}/{name}" for name in self._left_out()),
            network=f"container:{service.id}" if self._shared else self._network,
            health_check=False,
        )

    def _left_out(self) -> list[str]:
        """Folders of the context that are not for them: what was installed on this machine, where
        the image has its own."""
        names = {*_LEFT_OUT, *(name for one in builtin_ecosystems() for name in one.installed)}
        folder = self.context
        return sorted(name for name in names if folder and _is_folder(folder / name))

    def _address(self, ready: Ready, plan: RunPlan) -> dict[str, str]:
        answers = {port: a.probe for port, a in sorted(ready.first.items()) if a.status is not None}
        port = next(iter(answers), plan.listens[0])
        host = "127.0.0.1" if self._shared else HOSTNAME
        scheme = answers[port].scheme if port in answers else "http"
        url = f"{scheme}://{host}:{port}"
        return {"IMGOPT_URL": url, "BASE_URL": url, "HOST": host, "PORT": str(port)}


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _last(service: Container) -> str:
    lines = service.logs(tail=5).text.split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it says nothing")
