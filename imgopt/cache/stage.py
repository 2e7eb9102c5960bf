"""The state that a stage carries from line to line: environment, working directory, user, shell,
triggers."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from imgopt.cache.bases import BaseConfig
from imgopt.cache.graph import Vertex
from imgopt.dockerfile import expand
from imgopt.dockerfile.expand import ExpansionError
from imgopt.dockerfile.scope import DEFAULT_SHELL
from imgopt.dockerfile.typed import Env
from imgopt.errors import InputError

BASE_ENV = "\0base"
"""Stands for the environment of a base image whose configuration is not known."""
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Environment:
    """Variables in the order in which BuildKit lists them in a RUN's key."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def set(self, name: str, value: str) -> None:
        """ENV and ARG alike: a variable that is set again goes to the end."""
        self._values.pop(name, None)
        self._values[name] = value

    def items(self) -> Iterator[tuple[str, str]]:
        return iter(self._values.items())

    def mapping(self) -> Mapping[str, str]:
        return self._values

    def copy(self) -> Environment:
        return Environment(self._values)

    def expand(self, word: str, escape: str) -> str:
        """Raises InputError for what BuildKit refuses to expand."""
        try:
            return expand(word, {"PATH": DEFAULT_PATH, **self._values}, escape)
        except ExpansionError as error:
            raise InputError(
                str(error), hint="correct the variable; BuildKit refuses it, too"
            ) from None


@dataclass
class StageState:
    """`workdir` None: relative to a base image's unknown working directory; then `relative` is what
    was added to it. `raw` is the last WORKDIR as written, if it was absolute."""

    name: str
    index: int
    output: Vertex
    environment: Environment
    escape: str
    workdir: str | None = None
    relative: str = ""
    raw: str | None = None
    user: str = ""
    shell: tuple[str, ...] = DEFAULT_SHELL
    triggers: list[str] = field(default_factory=list)
    arguments: set[str] = field(default_factory=set)
    count: int = 0

    def child(self, name: str, index: int) -> StageState:
        """`FROM this`: everything goes over, ARGs too."""
        made = StageState(name, index, self.output, self.environment.copy(), self.escape)
        made.workdir, made.relative, made.user, made.shell = (
            self.workdir,
            self.relative,
            self.user,
            self.shell,
        )
        made.raw = self.raw
        made.triggers = list(self.triggers)
        made.arguments = set(self.arguments)
        return made

    def take_config(self, config: BaseConfig) -> None:
        for name, value in config.env:
            self.environment.set(name, value)
        self.workdir = posixpath.join("/", config.workdir or "/")
        self.user = config.user
        self.shell = config.shell or DEFAULT_SHELL
        self.triggers = list(config.onbuild)

    def take_triggers(self) -> list[str]:
        """ONBUILD instructions of the base; they run once."""
        taken, self.triggers = self.triggers, []
        return taken

    def expand(self, word: str) -> str:
        return self.environment.expand(word, self.escape)

    def set_env(self, typed: Env) -> None:
        """All values of one ENV are expanded with the environment before it."""
        values = [(self.expand(pair.key), self.expand(pair.value or "")) for pair in typed.pairs]
        for name, value in values:
            self.environment.set(name, value)
            self.arguments.discard(name)

    def change_directory(self, path: str) -> None:
        self.raw = path if path.startswith("/") else None
        if path.startswith("/"):
            self.workdir, self.relative = _clean(path), ""
        elif self.workdir is not None:
            self.workdir = _clean(posixpath.join(self.workdir, path))
        else:
            self.relative = posixpath.normpath(posixpath.join(self.relative, path))

    @property
    def directory(self) -> str:
        """The working directory as it goes into keys; one that starts with `~` is relative to the
        base's own."""
        return self.workdir if self.workdir is not None else f"~/{self.relative}"

    @property
    def current(self) -> str:
        """The working directory as a RUN's key has it: an absolute WORKDIR is not cleaned there."""
        return self.raw or self.directory

    def absolute(self, path: str) -> str | None:
        """None where the base's own working directory decides."""
        if path.startswith("/"):
            return _clean(path)
        return None if self.workdir is None else _clean(posixpath.join(self.workdir, path))


def _clean(path: str) -> str:
    return "/" + posixpath.normpath(path).lstrip("/") if path.strip("/") else "/"
