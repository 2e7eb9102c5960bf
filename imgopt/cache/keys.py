"""From a Dockerfile to the build graph: what is in each step's key, and what is not.

Rules: moby/buildkit frontend/dockerfile/dockerfile2llb (convert.go, convert_copy.go) and
solver/llbsolver/ops. In no key at all: LABEL, EXPOSE, CMD, ENTRYPOINT, VOLUME, STOPSIGNAL,
HEALTHCHECK, ONBUILD itself, stage names, times, owners.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from imgopt.cache.bases import BaseConfig
from imgopt.cache.graph import Graph, Step, Vertex
from imgopt.cache.operations import add_copy, add_run, add_workdir
from imgopt.cache.stage import BASE_ENV, DEFAULT_PATH, Environment, StageState
from imgopt.dockerfile import Dockerfile, Instruction, Stage, parse
from imgopt.dockerfile.stages import find_stage, reachable
from imgopt.dockerfile.typed import Arg, Copy, Env, Onbuild, Run, Shell, User, Workdir

_STEPS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
_NOT_ENV = frozenset({"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})


class Call(Protocol):
    """What a graph depends on: the Dockerfile and what a build is called with, but no file of the
    context."""

    @property
    def dockerfile(self) -> Dockerfile: ...
    @property
    def target(self) -> str | None: ...
    @property
    def build_args(self) -> Mapping[str, str]: ...
    @property
    def bases(self) -> Mapping[str, BaseConfig]: ...
    @property
    def platform(self) -> str: ...
    @property
    def merge_op(self) -> bool: ...


def build_graph(call: Call) -> Graph:
    """The graph of what the target needs; stages that nothing needs are not in it."""
    return _Builder(call).build()


class _Builder:
    def __init__(self, call: Call) -> None:
        self.call = call
        self.dockerfile: Dockerfile = call.dockerfile
        self.stages = call.dockerfile.bind(call.build_args)
        self.graph = Graph()
        self.built: dict[int, StageState] = {}
        self.globals = _global_arguments(call)

    def build(self) -> Graph:
        target = self.stages[self.dockerfile.target(self.call.target).index]
        for stage in reachable(self.stages, target):
            self.built[stage.index] = self._stage(stage)
        return self.graph

    def image(self, name: str, platform: str = "") -> Vertex:
        """The root file system of an image; two names with one known identity are one image, and
        two names without may be one."""
        if name == "scratch":
            return self.graph.add("scratch", [("image", "scratch")])
        config = self.call.bases.get(name)
        identity = config.identity if config else ""
        platform = "" if platform == self.call.platform else platform
        operation = [
            ("base version", identity or name),
            ("identified", bool(identity)),
            ("--platform", platform),
        ]
        return self.graph.add("base", operation)

    def source(self, name: str, numbers: bool) -> Vertex:
        """The result of a stage or image that COPY --from or a mount (which takes no numbers)
        names."""
        stage = find_stage(self.stages, name, numbers=numbers)
        return self.built[stage.index].output if stage is not None else self.image(name)

    def _stage(self, stage: Stage) -> StageState:
        made = self._start(stage)
        for trigger in made.take_triggers():
            self._triggered(made, stage, trigger)
        for instruction in stage.instructions:
            self._dispatch(made, stage, instruction, instruction.line, instruction.original)
        return made

    def _start(self, stage: Stage) -> StageState:
        shown = stage.name or (f"stage-{stage.index}" if len(self.stages) > 1 else "")
        if stage.parent is not None:
            return self.built[stage.parent.index].child(shown, stage.index)
        name = str(stage.base)
        vertex = self.image(name, stage.platform or "")
        config = self.call.bases.get(name)
        made = StageState(shown, stage.index, vertex, Environment({}), self.dockerfile.escape)
        if stage.is_scratch:
            made.workdir = "/"
        elif config is not None and config.known:
            made.take_config(config)
        else:
            made.environment.set(BASE_ENV, "")  # PATH is in it, too
            return made
        if "PATH" not in made.environment.mapping():
            made.environment.set("PATH", DEFAULT_PATH)
        return made

    def _triggered(self, made: StageState, stage: Stage, trigger: str) -> None:
        """Runs an ONBUILD instruction of the base in this stage, as if it stood below FROM."""
        parsed = parse(f"FROM scratch\n{trigger}\n", self.dockerfile.name)
        for instruction in parsed.stages[0].instructions if parsed.stages else ():
            if instruction.keyword != "FROM":
                self._dispatch(
                    made, stage, instruction, stage.line, f"ONBUILD {instruction.original}"
                )

    def _dispatch(
        self, made: StageState, stage: Stage, instruction: Instruction, line: int, shown: str
    ) -> None:
        typed = instruction.typed
        if isinstance(typed, Env):
            made.set_env(typed)
        elif isinstance(typed, Arg):
            self._argument(made, typed)
        elif isinstance(typed, User):
            made.user = made.expand(typed.user)
        elif isinstance(typed, Shell):
            made.shell = typed.argv
        elif isinstance(typed, Onbuild) and instruction.trigger is not None:
            made.triggers.append(_text(instruction.trigger))
        elif isinstance(typed, Copy | Run | Workdir):
            vertex = self._step(made, typed)
            if vertex is made.output:
                return  # WORKDIR / makes nothing, and BuildKit does not count it
            made.output = vertex
            step = Step(made.name, stage.index, made.count, line, instruction.keyword, shown)
            made.count += 1
            self.graph.place(step, vertex)

    def _step(self, made: StageState, typed: Copy | Run | Workdir) -> Vertex:
        if isinstance(typed, Workdir):
            return add_workdir(self.graph, made, typed, _epoch(self.call))
        if isinstance(typed, Run):
            mounts = {m.from_: self.source(m.from_, False) for m in typed.mounts if m.from_}
            return add_run(self.graph, made, typed, mounts)
        source = self.source(typed.from_, True) if typed.from_ else None
        return add_copy(self.graph, made, typed, source, self.call.merge_op, _epoch(self.call))

    def _argument(self, made: StageState, typed: Arg) -> None:
        """ARG: the caller's value, else the default, else the global one; without a value it
        changes nothing."""
        for pair in typed.pairs:
            name = pair.key
            if name in self.call.build_args:
                value: str | None = self.call.build_args[name]
            elif pair.value is not None:
                value = made.expand(pair.value)
            else:
                value = self.globals.get(name)
            if value is not None and name not in _NOT_ENV:
                made.environment.set(name, value)
                made.arguments.add(name)


def _epoch(call: Call) -> str | None:
    return call.build_args.get("SOURCE_DATE_EPOCH")


def _text(instruction: Instruction) -> str:
    """An ONBUILD trigger as lines of its own."""
    return instruction.original + "".join(
        f"\n{doc.content}{doc.name}" for doc in instruction.heredocs
    )


def _global_arguments(call: Call) -> Mapping[str, str]:
    """ARG above the first FROM, and the platform arguments that every file has."""
    found = _platform_arguments(call.platform)
    environment = Environment(found)
    for instruction in call.dockerfile.instructions:
        if instruction.stage != -1 or not isinstance(instruction.typed, Arg):
            continue
        for pair in instruction.typed.pairs:
            if pair.key in call.build_args:
                environment.set(pair.key, call.build_args[pair.key])
            elif pair.value is not None:
                environment.set(pair.key, environment.expand(pair.value, call.dockerfile.escape))
    return environment.mapping()


def _platform_arguments(platform: str) -> dict[str, str]:
    system, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    parts = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": variant}
    return {f"{side}{name}": value for side in ("TARGET", "BUILD") for name, value in parts.items()}
