"""The Dockerfile: its text, its nodes, its stages, and what BuildKit would refuse in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import takewhile

from imgopt.dockerfile import stages as graph
from imgopt.dockerfile.directives import Directive
from imgopt.dockerfile.dispatch import check_dispatch
from imgopt.dockerfile.graphcheck import check_stages
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.problems import MEANING, Problem, Refused
from imgopt.dockerfile.scope import DEFAULT_SHELL, Scope, ScopeBuilder, global_builder, global_scope
from imgopt.dockerfile.scopes import StageScopes
from imgopt.dockerfile.shellmodel import Script
from imgopt.dockerfile.stages import Stage, Stages
from imgopt.dockerfile.syntax import Blank, Comment, Node, read
from imgopt.errors import InputError

_NO_STAGES = "dockerfile contains no stages to build"
_NO_COMMANDS_BEFORE_FROM = "no build stage in current context"


@lru_cache(maxsize=4)
def parse(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Reads a Dockerfile as BuildKit does. Never raises: what BuildKit refuses is in `errors`.

    >>> file = parse("FROM alpine AS build\\nRUN true\\n")
    >>> [item.keyword for item in file.instructions], file.stages[0].name
    (['FROM', 'RUN'], 'build')

    `name` is the file name in error locations. Takes time linear in `text`; the same file is read
    once where several ask for it in turn.
    """
    syntax = read(text, name)
    return Dockerfile(text, name, syntax.nodes, syntax.escape, syntax.problems)


@dataclass(frozen=True, eq=False)
class Dockerfile:
    """`str()` gives the text back, unchanged. `escape` is the escape character in force."""

    text: str = field(repr=False)
    name: str
    nodes: tuple[Node, ...] = field(repr=False)
    escape: str
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return self.text

    @cached_property
    def eol(self) -> str:
        """The line end that most lines have: CRLF or LF."""
        windows = self.text.count("\r\n")
        return "\r\n" if windows * 2 > self.text.count("\n") else "\n"

    @cached_property
    def directives(self) -> tuple[Directive, ...]:
        return tuple(node for node in self.nodes if isinstance(node, Directive))

    @cached_property
    def comments(self) -> tuple[Comment, ...]:
        """The comment lines between instructions (those inside one belong to it)."""
        return tuple(node for node in self.nodes if isinstance(node, Comment))

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        return tuple(node for node in self.nodes if isinstance(node, Instruction))

    @cached_property
    def stages(self) -> Stages:
        """With the defaults of the global ARGs; see `bind` for others."""
        return graph.build_stages(self.instructions, self._default_scope)

    def bind(self, build_args: Mapping[str, str]) -> Stages:
        """The stages as a build with these `--build-arg` values sees them."""
        if not build_args:
            return self.stages
        return graph.build_stages(self.instructions, self._global_scope(build_args))

    @cached_property
    def errors(self) -> tuple[Problem, ...]:
        """Everything that BuildKit would refuse when it builds the last stage, in the order in
        which it finds it."""
        return self.errors_of(None, {})

    def errors_of(self, target: str | None, build_args: Mapping[str, str]) -> tuple[Problem, ...]:
        """The same for `--target` and `--build-arg`. BuildKit reads every instruction, but carries
        out only those of the stages that the target needs. A target that the file does not have
        counts as none."""
        found = [*self.problems, *self._misread()]
        stages = self.bind(build_args)
        if not found and not stages:
            found.append(self.instructions[-1].locate_problem(Refused(_NO_STAGES, "add FROM")))
        if not found:
            last = (graph.find_stage(stages, target) if target else None) or stages[-1]
            scope = self.global_scope(build_args)
            found.extend(check_stages(stages, scope, self._before_stages))
            found = found or list(check_dispatch(stages, last, scope, build_args))
        return tuple(
            sorted(
                found,
                key=lambda item: (item.phase, item.location.line or 0, item.location.column or 0),
            )
        )

    def _misread(self) -> Iterator[Problem]:
        for instruction in self.instructions:
            if instruction.problem and instruction.problem.phase <= MEANING:
                yield instruction.problem
            elif instruction.stage < 0 and instruction.keyword != "ARG":
                yield _early(instruction)

    @property
    def _before_stages(self) -> Iterator[Instruction]:
        return takewhile(lambda item: item.stage < 0, self.instructions)

    def check(
        self, target: str | None = None, build_args: Mapping[str, str] | None = None
    ) -> Dockerfile:
        """Returns itself; raises InputError for the first thing that BuildKit would refuse."""
        found = self.errors_of(target, build_args or {}) if target or build_args else self.errors
        if found:
            raise found[0].error()
        return self

    def stage(self, which: str | int) -> Stage:
        """The stage of that name or number, as `--from` finds it. Raises InputError when there is
        none."""
        found = graph.find_stage(self.stages, str(which))
        if found is None:
            known = ", ".join(str(stage) for stage in self.stages) or "none"
            raise InputError(
                f"{self.name} has no stage {str(which)!r}", hint=f"its stages: {known}"
            )
        return found

    def target(self, name: str | None = None) -> Stage:
        """The stage that `--target name` builds; the last one without a name. Raises InputError."""
        if name:
            return self.stage(name)
        if not self.stages:
            raise InputError(f"{self.name} has no stage", hint="start with FROM")
        return self.stages[-1]

    def needs(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages that `stage` uses directly."""
        return graph.needs(self.stages, stage)

    def reachable(self, target: Stage | str | None = None) -> tuple[Stage, ...]:
        """The stages that building `target` builds, itself included, in file order."""
        stage = target if isinstance(target, Stage) else self.target(target)
        return graph.reachable(self.stages, stage)

    def source_stage(self, word: str) -> Stage | None:
        """The stage that `--from=word` means, None for an image or a named context."""
        return graph.find_stage(self.stages, word)

    def global_scope(self, build_args: Mapping[str, str] | None = None) -> Scope:
        """What FROM sees."""
        return self._global_scope(build_args) if build_args else self._default_scope

    @cached_property
    def _default_scope(self) -> Scope:
        return self._global_scope({})

    def _global_scope(self, build_args: Mapping[str, str]) -> Scope:
        return global_scope(self._before_stages, build_args)

    def scope_at(
        self,
        instruction: Instruction,
        build_args: Mapping[str, str] | None = None,
        base_env: Mapping[str, str] | None = None,
    ) -> Scope:
        """What `instruction` sees: everything that the instructions before it set, `FROM stage`
        chains included.

        `base_env` is the environment of the image at the bottom of the chain.
        """
        if build_args or instruction.stage < 0 or instruction.keyword == "FROM":
            return self.scope_into(instruction, build_args, base_env).scope()
        key = (instruction.stage, frozenset((base_env or {}).items()))
        known = self._stage_scopes.get(key)
        if known is None:
            stage = self.stages[instruction.stage]
            known = self._stage_scopes[key] = StageScopes(
                stage, self._start_of(stage, {}, base_env or {})
            )
        return known.at(instruction)

    @cached_property
    def _stage_scopes(self) -> dict[tuple[int, frozenset[tuple[str, str]]], StageScopes]:
        return {}

    def scope_into(
        self,
        instruction: Instruction,
        build_args: Mapping[str, str] | None = None,
        base_env: Mapping[str, str] | None = None,
    ) -> ScopeBuilder:
        """`scope_at`, to be walked on from: add the instruction to see what the next one sees."""
        at = instruction.span.start
        if instruction.stage < 0 or instruction.keyword == "FROM":
            return global_builder(
                [item for item in self._before_stages if item.span.start < at], build_args or {}
            )
        stage = self.bind(build_args or {})[instruction.stage]
        builder = self._start_of(stage, build_args or {}, base_env or {})
        return builder.add([item for item in stage.instructions if item.span.start < at])

    def _start_of(
        self, stage: Stage, build_args: Mapping[str, str], base_env: Mapping[str, str]
    ) -> ScopeBuilder:
        """What the stage's own FROM hands on."""
        builder = ScopeBuilder(self.global_scope(build_args).values, build_args, base_env)
        for part in stage.chain[:-1]:
            builder.add(part.instructions)
        return builder

    def shell_at(self, instruction: Instruction) -> tuple[str, ...]:
        """The shell that the shell form of `instruction` runs in: `scope_at(...).shell`, without
        the rest."""
        return self.scope_at(instruction).shell if self._names_shell else DEFAULT_SHELL

    def script_at(self, instruction: Instruction) -> Script:
        """The shell text of a command instruction with the SHELL in force, read once."""
        known = self._scripts.get(instruction.span.start)
        if known is None:
            from imgopt.dockerfile.shell import read_shell

            known = self._scripts[instruction.span.start] = read_shell(
                instruction, self.shell_at(instruction)
            )
        return known

    @cached_property
    def _scripts(self) -> dict[int, Script]:
        return {}

    @cached_property
    def _names_shell(self) -> bool:
        return any(item.keyword == "SHELL" for item in self.instructions)

    def at_line(self, line: int) -> Instruction | None:
        """The instruction that covers a line (counted from 1)."""
        return next(
            (item for item in self.instructions if item.line <= line <= item.end_line), None
        )


def _early(instruction: Instruction) -> Problem:
    hint = "only ARG may stand before the first FROM"
    return instruction.locate_problem(Refused(_NO_COMMANDS_BEFORE_FROM, hint))


__all__ = ["Blank", "Comment", "Directive", "Dockerfile", "parse"]
