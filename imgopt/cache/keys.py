"""From a Dockerfile to the build graph: what is in each step's key, and what is not.

Rules: moby/buildkit frontend/dockerfile/dockerfile2llb (convert.go, convert_copy.go) and solver/llbsolver/ops. In no
key at all: LABEL, EXPOSE, CMD, ENTRYPOINT, VOLUME, STOPSIGNAL, HEALTHCHECK, ONBUILD itself, stage names, times, owners.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from imgopt.cache.graph import Graph, Step, Vertex
from imgopt.cache.operations import add_copy, add_run, add_workdir
from imgopt.cache.stage import BASE_ENV, DEFAULT_PATH, Environment, StageState
from imgopt.dockerfile import Dockerfile, Instruction, Stage, parse
from imgopt.dockerfile.stages import find_stage, reachable
from imgopt.dockerfile.typed import Arg, Copy, Env, Onbuild, Run, Shell, User, Workdir

if TYPE_CHECKING:
    from imgopt.cache.state import State

_STEPS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
_NOT_ENV = frozenset({"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})


def build_graph(state: State) -> Graph:
    """The graph of what the target needs; stages that nothing needs are not in it."""
    return _Builder(state).build()


class _Builder:
    def __init__(self, state: State) -> None:
        self.state = state
        self.dockerfile: Dockerfile = state.dockerfile
        self.stages = state.dockerfile.bind(state.build_args)
        self.graph = Graph()
        self.built: dict[int, StageState] = {}
        self.globals = _global_arguments(state)

    def build(self) -> Graph:
        target = self.stages[self.dockerfile.target(self.state.target).index]
        for stage in reachable(self.stages, target):
            self.built[stage.index] = self._stage(stage)
        return self.graph

    def image(self, name: str, platform: str = "") -> Vertex:
        """The root file system of an image; two names with one known identity are one image, and two names without
        may be one."""
        if name == "scratch":
            return self.graph.add("scratch", [("image", "scratch")])
        config = self.state.bases.get(name)
        identity = config.identity if config else ""
        platform = "" if platform == self.state.platform else platform
        operation = [("base version", identity or name), ("identified", bool(identity)), ("--platform", platform)]
        return self.graph.add("base", operation)

    def source(self, name: str, numbers: bool) -> Vertex:
        """The result of a stage or image that COPY --from or a mount (which takes no numbers) names."""
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
        config = self.state.bases.get(name)
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
                self._dispatch(made, stage, instruction, stage.line, f"ONBUILD {instruction.original}")

    def _dispatch(self, made: StageState, stage: Stage, instruction: Instruction, line: int, shown: str) -> None:
        typed = instruction.typed
        if isinstance(typed, Env):
            made.set_env(typed)
        elif isinstance(typed, Arg):
            self._argument(made, typed)
        elif isinstance(typed, User):
            made.user = made.expand(typed.user)
        elif isinstance(typed, Shell):
            made.shell = typed.argv
        elif isinstance(typed, Onbuild):
            made.triggers.append(_text(typed.trigger))
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
            return add_workdir(self.graph, made, typed, _epoch(self.state))
        if isinstance(typed, Run):
            mounts = {m.from_: self.source(m.from_, False) for m in typed.mounts if m.from_}
            return add_run(self.graph, made, typed, mounts)
        source = self.source(typed.from_, True) if typed.from_ else None
        return add_copy(self.graph, made, typed, source, self.state.merge_op, _epoch(self.state))

    def _argument(self, made: StageState, typed: Arg) -> None:
        """ARG: the caller's value, else the default, else the global one; without a value it changes nothing."""
        for pair in typed.pairs:
            name = pair.key
            if name in self.state.build_args:
                value: str | None = self.state.build_args[name]
            elif pair.value is not None:
                value = made.expand(pair.value)
            else:
                value = self.globals.get(name)
            if value is not None and name not in _NOT_ENV:
                made.environment.set(name, value)
                made.arguments.add(name)


def _epoch(state: State) -> str | None:
    return state.build_args.get("SOURCE_DATE_EPOCH")


def _text(instruction: Instruction) -> str:
    """An ONBUILD trigger as lines of its own."""
    return instruction.original + "".join(f"\n{doc.content}{doc.name}" for doc in instruction.heredocs)


def _global_arguments(state: State) -> Mapping[str, str]:
    """ARG above the first FROM, and the platform arguments that every file has."""
    found = _platform_arguments(state.platform)
    environment = Environment(found)
    for instruction in state.dockerfile.instructions:
        if instruction.stage != -1 or not isinstance(instruction.typed, Arg):
            continue
        for pair in instruction.typed.pairs:
            if pair.key in state.build_args:
                environment.set(pair.key, state.build_args[pair.key])
            elif pair.value is not None:
                environment.set(pair.key, environment.expand(pair.value, state.dockerfile.escape))
    return environment.mapping()


def _platform_arguments(platform: str) -> dict[str, str]:
    system, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    parts = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": variant}
    return {f"{side}{name}": value for side in ("TARGET", "BUILD") for name, value in parts.items()}
