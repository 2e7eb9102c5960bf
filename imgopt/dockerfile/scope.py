"""The variables in force at a line: ARG and ENV, global and per stage, and the stage's directory,
user and shell.

Rules: moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go (dispatchEnv, dispatchArg, the
global arguments). All words of one instruction are expanded with the values from before it; a later
ARG hides an earlier ENV and the other way round; a stage built on another stage keeps that stage's
ENV and ARG.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from imgopt.dockerfile.expand import ExpansionError, Lexer, expand
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.typed import Arg, Env, KeyValue, Shell, User, Workdir

DEFAULT_SHELL = ("/bin/sh", "-c")


def platform_arguments(platform: str = "linux/amd64") -> dict[str, str]:
    """The arguments that BuildKit predefines in the global scope, for a build on and for
    `platform`."""
    system, _, rest = platform.partition("/")
    machine, _, variant = rest.partition("/")
    values = {"PLATFORM": platform, "OS": system, "ARCH": machine, "VARIANT": variant}
    return {side + key: value for side in ("BUILD", "TARGET") for key, value in values.items()}


SETTING = frozenset(["ENV", "ARG", "WORKDIR", "USER", "SHELL"])
"""Instructions that change what those after them see."""
_PLATFORM = platform_arguments()


@dataclass(frozen=True, eq=False)
class Scope:
    """What an instruction sees: `env` (ENV and the base image's), `args` (ARG that have a value)
    and `values`, both together with the later one winning. `unset` names ARGs declared without a
    value. `workdir` is None while only the base image says it.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    args: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    unset: frozenset[str] = frozenset()
    workdir: str | None = None
    user: str | None = None
    shell: tuple[str, ...] = DEFAULT_SHELL
    escape: str = "\\"

    def expand(self, word: str) -> str:
        """Raises ExpansionError for what BuildKit refuses."""
        return expand(word, self.values, self.escape)

    def expand_known(self, word: str) -> str | None:
        """The expanded word, or None when it uses a variable that nothing here sets (a base image
        might)."""
        try:
            result = Lexer(word, self.values, self.escape).run()
        except ExpansionError:
            return None
        return None if result.unmatched else result.text


class ScopeBuilder:
    """Walks instructions in order and keeps what they set."""

    def __init__(
        self,
        globals_: Mapping[str, str],
        build_args: Mapping[str, str],
        base_env: Mapping[str, str],
    ) -> None:
        self._globals = globals_
        self._build_args = build_args
        self._env = dict(base_env)
        self._args: dict[str, str] = {}
        self._values = dict(base_env)
        self._unset: set[str] = set()
        self._workdir: str | None = None
        self._user: str | None = None
        self._shell: tuple[str, ...] = DEFAULT_SHELL
        self._escape = "\\"

    def add(self, instructions: Iterable[Instruction]) -> ScopeBuilder:
        for instruction in instructions:
            self._escape = instruction.escape
            if instruction.keyword in SETTING:
                self._one(instruction)
        return self

    def child(self) -> ScopeBuilder:
        """A builder for a stage that starts from what this one has."""
        made = ScopeBuilder(self._globals, self._build_args, {})
        made._env, made._args, made._values = dict(self._env), dict(self._args), dict(self._values)
        made._unset, made._escape = set(self._unset), self._escape
        made._workdir, made._user, made._shell = self._workdir, self._user, self._shell
        return made

    @property
    def values(self) -> Mapping[str, str]:
        """As in `Scope`, but what it is now."""
        return self._values

    @property
    def unset(self) -> set[str]:
        """As in `Scope`, but what it is now."""
        return self._unset

    @property
    def workdir(self) -> str | None:
        return self._workdir

    @property
    def escape(self) -> str:
        return self._escape

    def scope(self) -> Scope:
        return Scope(
            dict(self._env),
            dict(self._args),
            dict(self._values),
            frozenset(self._unset),
            self._workdir,
            self._user,
            self._shell,
            self._escape,
        )

    def _one(self, instruction: Instruction) -> None:
        typed = instruction.typed
        if isinstance(typed, Env):
            self._set(self._env, typed.pairs)
        elif isinstance(typed, Arg):
            self._declare(typed.pairs)
        elif isinstance(typed, Workdir):
            self._workdir = posixpath.normpath(
                posixpath.join(self._workdir or "/", self._expand(typed.path))
            )
        elif isinstance(typed, User):
            self._user = self._expand(typed.user)
        elif isinstance(typed, Shell):
            self._shell = typed.argv

    def _expand(self, word: str) -> str:
        try:
            return expand(word, self._values, self._escape)
        except ExpansionError:
            return word

    def _set(self, target: dict[str, str], pairs: Iterable[KeyValue]) -> None:
        found = {self._expand(pair.key): self._expand(pair.value or "") for pair in pairs}
        target.update(found)
        for key, value in found.items():
            self._values.pop(key, None)
            self._values[key] = value

    def _declare(self, pairs: tuple[KeyValue, ...]) -> None:
        found = {}
        for pair in pairs:
            key = self._expand(pair.key)
            value = self._given(key, pair.value)
            if value is None:
                self._unset.add(key)
            else:
                found[key] = value
        self._args.update(found)
        self._values.update(found)

    def _given(self, key: str, default: str | None) -> str | None:
        if key in self._build_args:
            return self._build_args[key]
        if default is not None:
            return self._expand(default)
        return self._globals.get(key)


def global_scope(instructions: Iterable[Instruction], build_args: Mapping[str, str]) -> Scope:
    """The scope of FROM: the ARGs before the first one, and what BuildKit predefines.

    `build_args` may also name predefined arguments (TARGETARCH, …).
    """
    return global_builder(instructions, build_args).scope()


def global_builder(
    instructions: Iterable[Instruction], build_args: Mapping[str, str]
) -> ScopeBuilder:
    """`global_scope`, to be walked on from."""
    predefined = {key: build_args.get(key, value) for key, value in _PLATFORM.items()}
    builder = ScopeBuilder({}, build_args, predefined)
    return builder.add(item for item in instructions if item.keyword == "ARG")
