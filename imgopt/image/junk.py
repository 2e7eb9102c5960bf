"""Live bytes that a running service rarely needs, measured where they lie; never guessed from what
a command says."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from imgopt.image.packages import Package, Packages
from imgopt.image.tree import Inode, Node, Tree

JunkKind = Literal[
    "package-lists",
    "installer-caches",
    "vcs",
    "build-tools",
    "headers",
    "static-libraries",
    "tests",
    "docs",
    "locales",
    "bytecode",
    "logs",
]
KINDS: tuple[JunkKind, ...] = get_args(JunkKind)

_PATTERNS: tuple[tuple[JunkKind, tuple[str, ...]], ...] = (
    (
        "package-lists",
        (
            r"^/var/lib/apt/lists/|^/var/lib/apt/.*\.bin$|^/var/lib/dpkg/[^/]+-old$",
            r"^/var/cache/(?:apt|apk|dnf|yum|libdnf5|pacman|debconf)/|^/etc/apk/cache/",
        ),
    ),
    (
        "installer-caches",
        (
            r"/\.cache/(?:pip|uv|yarn|pypoetry|pipenv|go-build|node-gyp|typescript|composer|pnpm|Cypress)/",
            r"/\.npm/_|/\.yarn/cache/|/share/\.cache/yarn/|/pnpm/store/|/conda[0-9]?/pkgs/|/\.composer/cache/",
            r"/\.m2/repository/|/\.gradle/(?:caches|wrapper)/|/\.ivy2/cache/|/\.sbt/boot/|/\.nuget/packages/",
            r"/go/pkg/mod/|/\.?cargo/(?:registry|git)/|/\.bundle/cache/|/(?:gems|ruby)/[\d.]+/cache/[^/]+\.gem$",
            r"^/tmp/(?:npm-|pip-|v8-compile-cache|phantomjs)",
        ),
    ),
    ("vcs", (r"/\.(?:git|hg|svn|bzr)/",)),
    (
        "tests",
        (
            r"/(?:site|dist)-packages/(?:.*/)?tests?/|/lib/python3\.\d+/(?:test|idlelib/idle_test)/",
            r"/node_modules/(?:.*/)?(?:test|tests|__tests__)/",
        ),
    ),
    (
        "docs",
        (
            r"^/usr/(?:local/)?(?:share/)?(?:doc|man|info|gtk-doc)/|^/opt/[^/]+/(?:share/)?(?:man|doc)/",
            r"/node_modules/.*/(?:README|CHANGELOG|HISTORY)[^/]*$",
        ),
    ),
    ("locales", (r"^/usr/share/(?:locale|i18n)/|^/usr/lib/locale/(?!C\.)",)),
    ("headers", (r"^/usr/(?:local/)?include/|/(?:site|dist)-packages/.*\.(?:h|hpp|hxx|cuh|pxd)$",)),
    ("static-libraries", (r"\.(?:a|la)$|/jmods/[^/]+\.jmod$",)),
    ("bytecode", (r"\.py[co]$",)),
    (
        "logs",
        (
            r"^/var/log/(?:apt/|dpkg\.log|alternatives\.log|yum\.log|dnf|bootstrap\.log)|^/root/\.npm/_logs/",
        ),
    ),
)
_CACHES = 3
"""So many rules come before the question whose file it is."""
_RULES = tuple((kind, re.compile("|".join(patterns))) for kind, patterns in _PATTERNS)
_NUMBERS = {kind: number for number, (kind, _) in enumerate(_RULES)}
_BY_ENDING = {
    **dict.fromkeys((".bin",), _NUMBERS["package-lists"]),
    **dict.fromkeys((".gem",), _NUMBERS["installer-caches"]),
    **dict.fromkeys((".h", ".hpp", ".hxx", ".cuh", ".pxd"), _NUMBERS["headers"]),
    **dict.fromkeys((".a", ".la", ".jmod"), _NUMBERS["static-libraries"]),
    **dict.fromkeys((".pyc", ".pyo"), _NUMBERS["bytecode"]),
    **dict.fromkeys((".log",), _NUMBERS["logs"]),
}
"""What a file may be by its name's ending, whatever its directory says."""
_BY_ENDING_ALONE = frozenset((".a", ".la", ".pyc", ".pyo"))
_BY_START = (
    "README",
    "CHANGELOG",
    "HISTORY",
    "npm-",
    "pip-",
    "v8-",
    "phantomjs",
    "dpkg.",
    "alternatives.",
    "yum.",
)
_TOOLCHAINS = re.compile(
    r"^/usr/local/rustup/|/\.rustup/|^/usr/local/cargo/bin/|^/(?:usr/share|opt)/(?:apache-)?(?:maven|gradle)[^/]*/"
)


@dataclass(frozen=True, slots=True)
class Junk:
    """One kind: bytes by layer index, and the directories with most of them."""

    kind: JunkKind
    bytes: int
    files: int
    layers: dict[int, int]
    places: tuple[tuple[str, int], ...]
    shared: dict[int, int] = field(default_factory=dict)
    """Of `layers`: files that have a name among another kind too, and go only with both."""


def find_junk(
    tree: Tree, packages: Packages, is_build_tool: Callable[[Package], bool]
) -> tuple[Junk, ...]:
    """Every live file in at most one kind, largest kind first. A file with several names is junk
    where all of them are: as long as one stays, nothing is saved."""
    sums: dict[JunkKind, _Sum] = defaultdict(_Sum)
    linked: dict[int, list[tuple[JunkKind, str]]] = defaultdict(list)
    files: dict[int, Inode] = {}
    judge = _Judge(packages, is_build_tool)
    for folder in tree.root.nodes():
        if not folder.children:
            continue
        place = _place(folder.path)
        for kind, node, inode in judge.junk(folder):
            if inode.links > 1:
                files[id(inode)] = inode
                linked[id(inode)].append((kind, node.path))
            else:
                sums[kind].add(inode, place)
    for key, named in linked.items():
        if files[key].links == len(named):
            kind, path = min(named, key=lambda each: (KINDS.index(each[0]), each[1]))
            shared = any(other != kind for other, _ in named)
            sums[kind].add(files[key], _place(path.rpartition("/")[0]), shared=shared)
    found = [each.junk(kind) for kind, each in sums.items()]
    return tuple(sorted(found, key=lambda junk: (-junk.bytes, junk.kind)))


@dataclass(slots=True)
class _Sum:
    """What one kind weighs."""

    layers: Counter[int] = field(default_factory=Counter)
    shared: Counter[int] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    files: int = 0

    def add(self, inode: Inode, place: str, *, shared: bool = False) -> None:
        size, layer = inode.entry.size, inode.layer.index
        self.layers[layer] += size
        self.places[place] += size
        self.files += 1
        if shared:
            self.shared[layer] += size

    def junk(self, kind: JunkKind) -> Junk:
        layers, shared = dict(sorted(self.layers.items())), dict(sorted(self.shared.items()))
        places = tuple(self.places.most_common(5))
        return Junk(kind, self.layers.total(), self.files, layers, places, shared)


class _Judge:
    """Rules are tried once per directory, and per file only where a name may change the answer."""

    def __init__(self, packages: Packages, is_build_tool: Callable[[Package], bool]) -> None:
        self._packages = packages
        self._tools = {
            id(each)
            for each in packages
            if each.ecosystem in ("deb", "apk", "rpm", "runtime") and is_build_tool(each)
        }

    def junk(self, folder: Node) -> Iterator[tuple[JunkKind, Node, Inode]]:
        """The names in one directory that have a kind."""
        known, toolchain = (
            _first_rule(f"{folder.path}/"),
            bool(_TOOLCHAINS.search(f"{folder.path}/")),
        )
        owner, tools = self._packages.owner, self._tools
        for name, node in (folder.children or {}).items():
            inode = node.inode
            if inode is None or not inode.entry.size:
                continue
            rule = _rule(name, node.path, known)
            if rule < _CACHES:
                kind: JunkKind | None = _RULES[rule][0]
            elif toolchain or id(owner(node.path)) in tools:
                kind = "build-tools"
            else:
                kind = _RULES[rule][0] if rule < len(_RULES) else None
            if kind is None or (kind == "bytecode" and not _has_source(name, folder)):
                continue
            yield kind, node, inode


def _rule(name: str, path: str, known: int) -> int:
    """Index of the first rule for a file, from that of its directory: few names need the rules
    tried on all of it."""
    if name.startswith(_BY_START) or name.endswith("-old"):
        return _first_rule(path)
    ending = name[name.rfind(".") :]
    best = _BY_ENDING.get(ending)
    if best is None or best >= known:
        return known
    return best if ending in _BY_ENDING_ALONE else _first_rule(path)


def _first_rule(path: str) -> int:
    """Index of the first rule that matches, or the number of rules."""
    return next(
        (number for number, (_, rule) in enumerate(_RULES) if rule.search(path)), len(_RULES)
    )


def _has_source(name: str, folder: Node) -> bool:
    home = folder.parent if folder.name == "__pycache__" else folder
    return home is not None and f"{name.partition('.')[0]}.py" in (home.children or {})


def _place(directory: str) -> str:
    """The directory to show: at most four levels deep."""
    return "/".join(directory.split("/")[:5]) or "/"


def path_kind(path: str) -> JunkKind | None:
    """The kind that the path alone tells, for files that are not in the final tree any more."""
    return next((kind for kind, rule in _RULES if rule.search(path)), None)
