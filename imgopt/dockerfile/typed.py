"""What instructions mean: one small value per kind. Words keep their quotes and variables (see
`Scope.expand`)."""

from __future__ import annotations

from dataclasses import dataclass

from imgopt.dockerfile.heredoc import Heredoc
from imgopt.dockerfile.reference import ImageReference
from imgopt.dockerfile.spans import Span
from imgopt.errors import InputError


class Located(str):
    """A string that knows where it lies in the file."""

    __slots__ = ("span",)
    span: Span

    def __new__(cls, text: str, span: Span) -> Located:
        made = super().__new__(cls, text)
        made.span = span
        return made


@dataclass(frozen=True, slots=True)
class From:
    """`FROM [--platform=P] image [AS name]`. `name` is lower case, as BuildKit compares it."""

    image: Located
    name: Located | None = None
    platform: Located | None = None

    @property
    def reference(self) -> ImageReference | None:
        """None when the image has a variable or is not an image reference (it may still name a
        stage)."""
        try:
            return ImageReference.parse(self.image)
        except InputError:
            return None


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY and ADD. `sources` leaves out here-documents, which are in `heredocs`."""

    sources: tuple[Located, ...]
    destination: Located
    heredocs: tuple[Heredoc, ...] = ()
    from_: Located | None = None
    chown: Located | None = None
    chmod: Located | None = None
    link: bool = False
    parents: bool = False
    exclude: tuple[Located, ...] = ()
    json: bool = False


@dataclass(frozen=True, slots=True)
class Add(Copy):
    """ADD: as COPY, without `from_`, with remote sources and archives."""

    checksum: Located | None = None
    keep_git_dir: bool = False
    unpack: bool | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """`RUN --mount=…`. Values are as written (variables stay); `size` too, `None` is "not
    given"."""

    type: str
    span: Span
    target: str | None = None
    source: str | None = None
    from_: str | None = None
    id: str | None = None
    sharing: str | None = None
    readonly: bool | None = None
    required: bool | None = None
    mode: str | None = None
    uid: str | None = None
    gid: str | None = None
    size: str | None = None
    env: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command line in one of its two forms: `json` is the exec form, `shell` the shell form; the
    other is None."""

    json: tuple[str, ...] | None
    shell: Located | None


@dataclass(frozen=True, slots=True)
class Run(Command):
    mounts: tuple[Mount, ...] = ()
    network: str | None = None
    security: str | None = None
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, slots=True)
class Cmd(Command):
    pass


@dataclass(frozen=True, slots=True)
class Entrypoint(Command):
    pass


@dataclass(frozen=True, slots=True)
class Shell:
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Healthcheck(Command):
    """Durations are seconds. `none` is `HEALTHCHECK NONE`."""

    none: bool = False
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    start_interval: float | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class KeyValue:
    """`key=value` as written. `value` is None for an ARG without one; `span` covers both,
    `value_span` the value."""

    key: str
    value: str | None
    span: Span
    value_span: Span | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """`legacy` is the old form `ENV key value`, whose value is the rest of the line."""

    pairs: tuple[KeyValue, ...]
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class Env(Pairs):
    pass


@dataclass(frozen=True, slots=True)
class Label(Pairs):
    pass


@dataclass(frozen=True, slots=True)
class Arg(Pairs):
    pass


@dataclass(frozen=True, slots=True)
class Workdir:
    path: Located


@dataclass(frozen=True, slots=True)
class User:
    user: Located


@dataclass(frozen=True, slots=True)
class Expose:
    ports: tuple[Located, ...]


@dataclass(frozen=True, slots=True)
class Volume:
    paths: tuple[Located, ...]
    json: bool = False


@dataclass(frozen=True, slots=True)
class StopSignal:
    signal: Located


@dataclass(frozen=True, slots=True)
class Maintainer:
    name: Located


@dataclass(frozen=True, slots=True)
class Onbuild:
    """What runs in images built on this one is `Instruction.trigger`."""


Typed = (
    From
    | Copy
    | Run
    | Cmd
    | Entrypoint
    | Shell
    | Healthcheck
    | Env
    | Label
    | Arg
    | Workdir
    | User
    | Expose
    | Volume
    | StopSignal
    | Maintainer
    | Onbuild
)
