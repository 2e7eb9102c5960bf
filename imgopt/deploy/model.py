"""What is to be run, before any format: each value with the sentence that says where it is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from imgopt.deploy.yaml_tree import Noted
from imgopt.results.deploy import Remark
from imgopt.results.run_facts import ImageFacts

T = TypeVar("T")
MIB = 2**20
HEAD = "figures from a run of"


@dataclass(frozen=True, slots=True)
class Said(Generic[T]):
    """A value and its origin."""

    value: T
    origin: str
    measured: bool = True

    @property
    def note(self) -> str:
        return f"{'measured' if self.measured else 'rule'}: {self.origin}"

    def noted(self, shown: Any = None, holds: Callable[[Any], bool] | None = None) -> Noted:
        """As a file says it."""
        return Noted(self.value if shown is None else shown, self.note, holds)


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may say. `name` and `image` are "" where the facts say it; `environment` are
    values that the run was given, `secret_files` names that the program takes as NAME_FILE."""

    name: str = ""
    image: str = ""
    namespace: str = ""
    host: str = ""
    built: bool = False
    """It was built to be measured: its name is one of this machine alone."""
    agent: bool = False
    scale: str = "cpu"
    """none, cpu, requests, queue or prometheus."""
    query: str = ""
    """Of Prometheus, for `scale` prometheus."""
    ingress: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A check of the running container. `how` is http, grpc, tcp or exec."""

    how: str
    origin: str
    port: int = 0
    path: str = ""
    words: tuple[str, ...] = ()
    period: int = 10
    failures: int = 3
    timeout: int = 1
    measured: bool = True

    @property
    def note(self) -> str:
        return f"{'measured' if self.measured else 'rule'}: {self.origin}"


@dataclass(frozen=True, slots=True)
class Writable:
    """A folder that has to be writable. `kept`: the image declares it as a volume, so what lies in
    it outlives the container."""

    path: str
    size: Said[int]
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. `kind` is setting (proposed from the run), plain, secret, or
    unknown (the run was given it, its value is not known)."""

    name: str
    kind: str
    value: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a writer needs; `probes` are startup, readiness, liveness."""

    name: str
    image: str
    facts: ImageFacts
    options: Options
    ends: bool
    port: int | None
    speaks: str
    memory_limit: Said[int]
    memory_request: Said[int]
    cpu_request: Said[float]
    cpu_limit: Said[float] | None
    storage: Said[int]
    drain: Said[int]
    grace: Said[int]
    request_timeout: Said[int]
    longest_run: Said[int] | None
    user: Said[tuple[int, int]] | None
    read_only: Said[bool]
    writable: tuple[Writable, ...]
    capabilities: Said[tuple[str, ...]]
    probes: Mapping[str, Asked]
    health: Asked | None
    variables: tuple[Variable, ...]
    gpu: Said[int] | None
    remarks: tuple[Remark, ...]
    selector: Mapping[str, str] = field(default_factory=dict)
    """Labels of the pods, where an existing Deployment says them."""
    container: str = ""
    """As an existing Deployment calls it."""

    @property
    def secrets(self) -> tuple[Variable, ...]:
        return tuple(one for one in self.variables if one.kind == "secret")

    @property
    def head(self) -> str:
        """The first line of a file: it says that the file is ours."""
        return f"{self.name}: {HEAD} {self.source}"

    @property
    def source(self) -> str:
        """What was measured, for the head of each file."""
        said = f"{self.facts.reference}, {self.facts.watched_seconds:.0f} s in {self.facts.runs}"
        return f"{said} run{'' if self.facts.runs == 1 else 's'}"
