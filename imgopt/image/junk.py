"""Live bytes that a running service rarely needs, measured where they lie; never guessed from what a command says."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Literal, get_args

from imgopt.image.packages import Package, Packages
from imgopt.image.tree import Node, Tree

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
    ("logs", (r"^/var/log/(?:apt/|dpkg\.log|alternatives\.log|yum\.log|dnf|bootstrap\.log)|^/root/\.npm/_logs/",)),
)
_NAME_MATTERS = re.compile(
    r"\.(?:bin|gem|h|hpp|hxx|cuh|pxd|a|la|jmod|py[co]|log)$|-old$|^(?:README|CHANGELOG|HISTORY|npm-|pip-|v8-|phantomjs)"
)
"""Only with such a name can a file be another kind than its directory tells."""
_CACHES = 3
"""So many rules come before the question whose file it is."""
_RULES = tuple((kind, re.compile("|".join(patterns))) for kind, patterns in _PATTERNS)
_BUILD_TOOLS = re.compile(
    r"^(?:gcc|g\+\+|cpp|clang|llvm|gfortran|binutils|make|cmake|ninja-build|autoconf|automake|autotools-dev|libtool|m4|bison|flex"
    r"|pkg-config|pkgconf|build-essential|build-base|dpkg-dev|patch|git|git-man|mercurial(?:-common)?|subversion|bzr"
    r"|rustc|cargo|golang|nasm|yasm|swig|gdb|strace|libgcc-\d+-dev|linux-headers|linux-libc-dev|musl-dev|kernel-headers"
    r"|devscripts|debhelper|fakeroot|imake|rpm-build|rpcsvc-proto|cpp-\d+|setuptools-rust|cython|meson)"
    r"(?:-\d.*|-bin|-[a-z0-9]+-linux-gnu.*|-common|-x86.*|-data|-pkg.*|)$"
    r"|-(?:dev|devel|headers)$|^lib[a-z+]+-?\d*-dev$"
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


def find_junk(tree: Tree, packages: Packages) -> tuple[Junk, ...]:
    """Every live file in at most one kind, largest kind first."""
    sizes: dict[JunkKind, Counter[int]] = defaultdict(Counter)
    places: dict[JunkKind, Counter[str]] = defaultdict(Counter)
    files: Counter[JunkKind] = Counter()
    seen: set[int] = set()
    judge = _Judge(tree, packages)
    for node in tree.files():
        if node.size == 0 or id(node.inode) in seen:
            continue
        kind = judge.kind(node)
        if kind is not None:
            seen.add(id(node.inode))
            sizes[kind][node.content_layer] += node.size
            places[kind][_place(node.path)] += node.size
            files[kind] += 1
    found = [
        Junk(kind, by_layer.total(), files[kind], dict(sorted(by_layer.items())), tuple(places[kind].most_common(5)))
        for kind, by_layer in sizes.items()
    ]
    return tuple(sorted(found, key=lambda junk: (-junk.bytes, junk.kind)))


class _Judge:
    """Rules are tried once per directory, and per file only where a name may change the answer."""

    def __init__(self, tree: Tree, packages: Packages) -> None:
        self._tree, self._packages = tree, packages
        self._directories: dict[str, tuple[int, bool]] = {}
        self._tools: dict[int, bool] = {}

    def kind(self, node: Node) -> JunkKind | None:
        path = node.path
        directory, _, name = path.rpartition("/")
        known = self._directories.get(directory)
        if known is None:
            known = self._directories[directory] = (
                _first_rule(f"{directory}/"),
                bool(_TOOLCHAINS.search(f"{directory}/")),
            )
        rule, toolchain = known
        if _NAME_MATTERS.search(name):
            rule = _first_rule(path)
        if rule < _CACHES:
            return _RULES[rule][0]
        if toolchain or self._is_tool(path):
            return "build-tools"
        kind = _RULES[rule][0] if rule < len(_RULES) else None
        return kind if kind != "bytecode" or _has_source(path, self._tree) else None

    def _is_tool(self, path: str) -> bool:
        owner = self._packages.owner(path)
        if owner is None or owner.ecosystem not in ("deb", "apk", "rpm", "runtime"):
            return False
        known = self._tools.get(id(owner))
        if known is None:
            known = self._tools[id(owner)] = is_build_tool(owner)
        return known


def _first_rule(path: str) -> int:
    """Index of the first rule that matches, or the number of rules."""
    return next((number for number, (_, rule) in enumerate(_RULES) if rule.search(path)), len(_RULES))


def is_build_tool(package: Package) -> bool:
    """Compilers, development files and version control: needed to build, not to run."""
    if package.ecosystem == "runtime":
        return package.name == "go"
    return bool(_BUILD_TOOLS.search(package.name))


def _has_source(path: str, tree: Tree) -> bool:
    directory, _, name = path.rpartition("/")
    return tree.get(f"{directory.removesuffix('/__pycache__')}/{name.partition('.')[0]}.py") is not None


def _place(path: str) -> str:
    """The directory to show: at most four levels deep."""
    return "/".join(path.split("/")[:-1][:5]) or "/"


def path_kind(path: str) -> JunkKind | None:
    """The kind that the path alone tells, for files that are not in the final tree any more."""
    return next((kind for kind, rule in _RULES if rule.search(path)), None)
