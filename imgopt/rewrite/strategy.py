"""What a strategy is: it looks at a situation and proposes changes or refuses; it never edits.

A strategy is a frozen value. Its `rewrite` yields `Change` (edits of the text, a new ignore file,
or a new final stage) and `Skip` (what it would have done and the reason it did not). One engine
(`imgopt.rewrite.plan`) applies them.
"""

from __future__ import annotations

import fnmatch
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.history import tracked
from imgopt.context.listing import list_sizes, names_in
from imgopt.dockerfile import Dockerfile, Edit, IgnoreFile, Stage, find_ignore_file

if TYPE_CHECKING:
    from imgopt.image.recipe import Files, Layers
    from imgopt.rewrite.effects import Effect, Effects
    from imgopt.rewrite.evidence import Evidence
    from imgopt.rewrite.final.final_stage import FinalStage

T = TypeVar("T")
_NEAR = 2
"""How many folders deep files are looked for that an ignore file keeps out."""
AUTHORS_STEP = "authors-step"
"""A step failed that the author wrote, though nothing is missing: what happens in front of it is
another thing now."""
USER_SHOWS = "user-shows"
"""An answer differs only by the user who runs the service: his name, his number, his home."""
OWN_STAGE = "own-stage"
"""Promise: a final stage is written on another base, even where the original's is good enough."""
CARVED_STAGE = "carved-stage"
"""Promise: what ships is carved out of the original, whose own steps become a builder."""
SERVER = "server"
"""Promise: the program that hands out a site is replaced, where one does nothing else."""
CARVED = ("slim", "distroless")
"""Variants whose final stage is carved out of what the original shows when it runs."""
Safety = Literal["text", "evidence", "suggestion"]
"""text: right by the rules of BuildKit and the installer; evidence: needs measured facts and the
proof; suggestion: changes what the image holds or promises, made only with `--allow NAME`."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit for one reason. `line` counts in the file that the strategy saw."""

    because: str
    line: int | None = None
    edits: tuple[Edit, ...] = ()
    ignore: str | None = None
    final: FinalStage | None = None
    effects: tuple[Effect, ...] = ()
    """What it does to the image beyond its lines."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A refusal: what it would have done, and the fact that decided."""

    reason: str
    line: int | None = None


@dataclass(frozen=True)
class ContextFiles:
    """The build context: what BuildKit would be sent. Paths are relative, with `/`; sizes in
    bytes."""

    root: Path
    sizes: Mapping[str, int]
    ignore: str | None = None
    """Text of the ignore file in force."""
    dockerfile: str = ""
    """Path of the Dockerfile in the context; "" where it lies elsewhere."""
    shares_ignore: bool = True
    """Whether the ignore file in force, or a new one, is that of the context: other Dockerfiles use
    it, too."""

    @classmethod
    def read(cls, root: Path, dockerfile: Path) -> ContextFiles:
        """Lists a context on disk, without what the ignore file of that Dockerfile keeps out.

        Raises InputError for a folder that cannot be listed and for a pattern that BuildKit
        refuses.
        """
        found = find_ignore_file(root, dockerfile)
        ignore = found.read_text(encoding="utf-8", errors="surrogateescape") if found else None
        sizes = list_sizes(root, IgnoreFile.parse(ignore) if ignore is not None else None)
        inside = dockerfile.resolve().is_relative_to(root.resolve())
        own = dockerfile.resolve().relative_to(root.resolve()).as_posix() if inside else ""
        return cls(root, sizes, ignore, own, found is None or found == root / ".dockerignore")

    @property
    def ignore_path(self) -> str:
        """Where the ignore file in force lies, or a new one would."""
        return ".dockerignore" if self.shares_ignore else f"{self.dockerfile}.dockerignore"

    @cached_property
    def beside(self) -> frozenset[str]:
        """What lies in the context and in its folders near the root, files that the ignore file
        keeps out included."""
        near = {folder for folder in self.folders if folder.count("/") < _NEAR} | {""}
        return frozenset([*self.sizes, *names_in(self.root, near)])

    @cached_property
    def beside_by_name(self) -> Mapping[str, list[str]]:
        """The same by the last part of their paths, which a large context repeats."""
        found: dict[str, list[str]] = {}
        for path in self.beside:
            found.setdefault(path[path.rfind("/") + 1 :], []).append(path)
        return found

    @cached_property
    def tracked(self) -> frozenset[str] | None:
        """The files that git has committed or staged; None where that cannot be asked."""
        return tracked(self.root)

    @cached_property
    def ordered(self) -> list[str]:
        """All paths, sorted."""
        return sorted(self.sizes)

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, at any depth."""
        found: set[str] = set()
        for path in self.sizes:
            at = path.rfind("/")
            while at > 0 and path[:at] not in found:
                found.add(path[:at])
                at = path.rfind("/", 0, at)
        return frozenset(found)

    @cached_property
    def children(self) -> Mapping[str, list[str]]:
        """Folder -> the files that lie in it, not deeper; "" is the root."""
        found: dict[str, list[str]] = {}
        for path in self.sizes:
            found.setdefault(path[: max(path.rfind("/"), 0)], []).append(path)
        return found

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.ordered:
            found.setdefault(path[path.rfind("/") + 1 :], []).append(path)
        return found

    @property
    def names(self) -> Iterable[str]:
        """The last parts of all paths, each once."""
        return self._by_name.keys()

    def named(self, name: str) -> Sequence[str]:
        """The files of that name, in any folder, sorted."""
        return self._by_name.get(name, ())

    @cached_property
    def _folders_by_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.folders):
            found.setdefault(path[path.rfind("/") + 1 :], []).append(path)
        return found

    def named_like(self, glob: str) -> tuple[list[str], list[str]]:
        """Files and folders, at any depth, whose name fits a glob pattern."""
        both: list[list[str]] = []
        for known in (self._by_name, self._folders_by_name):
            names = fnmatch.filter(known, glob) if set(glob) & set("*?[") else [glob]
            both.append([path for name in names for path in known.get(name, ())])
        return both[0], both[1]

    def below(self, folder: str) -> list[str]:
        """The files in a folder and in those below it, sorted; "" is the root."""
        folder = folder.rstrip("/")
        if not folder:
            return self.ordered
        first = bisect_left(self.ordered, folder + "/")
        return self.ordered[
            first : bisect_left(self.ordered, folder + "0", first)
        ]  # "0" comes after "/"

    def said(self, path: str) -> str:
        """How a path is called in a message."""
        return path

    def text(self, path: str, limit: int = 1 << 20) -> str:
        """The text of a small file of the context; empty where it cannot be read."""
        try:
            with (self.root / path).open("rb") as file:
                return file.read(limit).decode("utf-8", "replace")
        except OSError:
            return ""


@dataclass(frozen=True)
class Project:
    """The facts that do not change while a plan is made."""

    context: ContextFiles
    ecosystems: tuple[Ecosystem, ...]
    target: str | None = None
    evidence: Evidence | None = None
    churn: Mapping[str, int] | None = None
    """Commits that touched each file of the context, where there is git history."""
    resolves: Callable[[str], bool] | None = None
    """Whether a base image of that name can be had; None where no engine can say."""
    digest: Callable[[str], str | None] | None = None
    """The digest under which a registry has a base image; None where no engine can say."""
    allow: frozenset[str] = frozenset()
    repairs: Repairs = field(default_factory=lambda: Repairs())
    unresolved: str = ""
    """Why a start command that builds first could not be replaced, where that was tried."""
    promises: frozenset[str] = frozenset()
    """What the strategies of this plan promise: one may count on what another will do."""
    args: Mapping[str, str] = field(default_factory=dict)
    """What --build-arg and the configuration give."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """What failures of earlier builds taught: things to add to the final stage."""

    packages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    init: bool = False
    """The service as the first process does not end when it is told to: one in front of it does."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Package or path -> who asks for it, where that is known."""
    only_here: Mapping[str, str] = field(default_factory=dict)
    """Paths that another build of the original has under other names -> the reason for leaving them
    out."""

    def why(self, name: str) -> str:
        return self.reasons.get(name, "an earlier build failed without it")


@dataclass(frozen=True)
class Situation:
    """What a strategy sees: the facts, and the draft as the strategies before it left it."""

    project: Project
    dockerfile: Dockerfile
    final: FinalStage | None = None
    ignore: str | None = None
    effects: Effects = field(default_factory=dict)
    """What the strategies before it do to the image beyond their lines."""

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What is asked of the whole Dockerfile for each of its steps, found out once: `key` names
        the question and all that it depends on."""
        if key not in self._answers:
            self._answers[key] = find()
        answer: T = self._answers[key]
        return answer

    @cached_property
    def _answers(self) -> dict[Hashable, Any]:
        return {}

    @property
    def evidence(self) -> Evidence | None:
        return self.project.evidence

    @property
    def stage(self) -> Stage:
        """The stage that ships, as a build with the project's arguments sees it."""
        stage = self.dockerfile.target(self.project.target)
        return self.dockerfile.bind(self.project.args)[stage.index]


@dataclass(frozen=True, slots=True)
class Example:
    """A Dockerfile before and after; `after` None: must not change, and `refused` is a part of the
    skip's reason."""

    name: str
    before: str
    after: str | None = None
    refused: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files of the context, path to text."""
    ignore: str | None = None
    ignore_after: str | None = None


@dataclass(frozen=True)
class EvidenceExample:
    """A Dockerfile with the image that it makes and what a run of it showed. `after` is the whole
    new Dockerfile, as this strategy leaves it behind those of the variant that run before it; None:
    this one must not change anything, and `refused` is a part of its skip's reason."""

    name: str
    before: str
    base: tuple[str, Files]
    """The image of its FROM, as one layer: an instruction, and files."""
    layers: Layers
    """What the Dockerfile adds, bottom up."""
    after: str | None = None
    refused: str = ""
    variant: str = "slim"
    config: Mapping[str, Any] = field(default_factory=dict)
    """What the image starts with (Cmd, WorkingDir, User, …), over `base_config`."""
    base_config: Mapping[str, Any] = field(default_factory=dict)
    bases: Mapping[str, Files] = field(default_factory=dict)
    """Other base images that can be had, by name."""
    opened: frozenset[str] = frozenset()
    executed: frozenset[str] = frozenset()
    written: tuple[str, ...] = ()
    seen: Mapping[str, Any] = field(default_factory=dict)
    """More of what the run showed, by the names in `imgopt.rewrite.evidence.Seen`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files of the context, path to text."""
    repairs: Repairs = field(default_factory=Repairs)
    """What failures of earlier builds taught."""
    alone: bool = False
    """It runs by itself, and not behind the others."""


@dataclass(frozen=True)
class Strategy:
    """One kind of rewrite. `why` is the first paragraph of its page, `references` are sources of
    the rule."""

    name: str
    does: str
    """One short sentence for the list: what it does, at most 56 characters."""
    why: str
    safety: Safety
    references: tuple[str, ...]
    rewrite: Callable[[Situation], Iterable[Change | Skip]]
    examples: tuple[Example, ...] = ()
    evidence_examples: tuple[EvidenceExample, ...] = ()
    """Those that need an image; the must-not-change ones first."""
    promises: frozenset[str] = frozenset()
    """What those before it may count on, OWN_STAGE and SERVER among it."""
    refuses: str = ""
    """When it does not act, in words."""
    variants: tuple[str, ...] = ()
    """Variants that it is part of. None said: every variant where it is right by text alone or made
    only when allowed by name, else the variants that carve a final stage."""
    tidies_layers: bool = False
    """It tidies the layers of the stage that ships: of no use where that becomes a builder, whose
    lines then keep their cache."""
    makes: tuple[str, ...] = ()
    """Variants that are what their name says only if this strategy, or another that says so,
    changed something."""
    doubt: int = 100
    """When a failure names nothing that could be added, the strategies of a plan are left out one
    by one, that with the highest doubt first. One that says nothing of itself goes before all of
    ours."""
    failures: frozenset[str] = frozenset()
    """Kinds of failed items that point at this strategy before all others, AUTHORS_STEP
    and USER_SHOWS among them."""
    keeps_caches_out: bool = False
    """What installers keep is in no layer any more: its measured bytes are what it saves."""
    changes_user: bool = False
    """The service runs as another user: worth telling also where it saves nothing."""
    wrong: str = ""
    """What is wrong with a line that it would change, for `imgopt ci lint`; where empty, the
    change's own reason."""
    table: tuple[tuple[str, str], ...] = ()
    """What it may do and may not, shown on its page: (what, "may" or "may not", and why)."""

    @property
    def all_examples(self) -> tuple[Example | EvidenceExample, ...]:
        return (*self.examples, *self.evidence_examples)

    def is_part_of(self, variant: str, *, carves: bool) -> bool:
        """`carves`: whether a final stage of its own can be made, as it can with the evidence of a
        run."""
        if self.tidies_layers and carves and variant in CARVED:
            return False
        if self.variants:
            return variant in self.variants
        return self.safety != "evidence" or variant in CARVED
