"""System packages that the author installed by name: still installed, of the same version, or present file by file.

What apt brought along for them is judged by the library closure and by the opened files; the names that stand in the
Dockerfile are a wish of the author, and such a program may be called only on a rare path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

from imgopt.image.packages import Package
from imgopt.proof.data import BUNDLED
from imgopt.proof.model import Allowances, Check, Item, counted, judged, words
from imgopt.proof.packages import SYSTEM
from imgopt.proof.side import Side
from imgopt.proof.tools import unused_tools

NAME = "system packages"
BUILD_TOOLS = words(
    "build-essential gcc gcc-[0-9]* g++ g++-[0-9]* cpp cpp-[0-9]* clang clang-[0-9]* llvm llvm-[0-9]* make cmake "
    "ninja-build meson autoconf automake libtool m4 bison flex patch pkg-config pkgconf dpkg-dev debhelper "
    "devscripts fakeroot nasm yasm swig cython3 gfortran gfortran-[0-9]* rustc cargo golang golang-go "
    "golang-[0-9]* default-jdk default-jdk-headless openjdk-*-jdk openjdk-*-jdk-headless maven gradle ant build- "
    "base linux-headers musl-dev python3-pip python3-setuptools python3-wheel python3-venv python3-virtualenv "
    "apt-utils apt-transport-https software-properties-common lsb-release debian-archive-keyring gnupg gnupg2 "
    "dirmngr node-gyp "
)
"""Compilers, build systems, and what only package managers use."""
_DEVELOPMENT = re.compile(r"^(?:lib.+|.+)-(?:dev|devel|headers|static|doc|dbg|dbgsym)$")
_NOT_RUN = re.compile(
    r"^/usr/share/(?:doc|man|info|locale|lintian|bug|doc-base|menu)/|^/var/lib/dpkg/|\.(?:gz|a|la|pc|h)$"
)


def check_system_packages(
    original: Side,
    candidate: Side,
    allowances: Allowances,
    names: Sequence[str],
    *,
    opened: frozenset[str] | None = None,
) -> Check:
    """`names` as they stand in the Dockerfile's install commands (`libpq5`, `curl=7.88*`, `git:amd64`)."""
    items: list[Item] = []
    allowed: list[str] = []
    wanted = [package for name in dict.fromkeys(names) if (package := _named(original, name)) is not None]
    unused = unused_tools(original, wanted, opened) if opened is not None else {}
    for package in dict.fromkeys(wanted):
        problem, reason = _judge(original, candidate, package, allowances, opened or frozenset())
        if problem and package.name in unused:
            problem, reason = None, unused[package.name]
        if problem:
            items.append(problem)
        elif reason:
            allowed.append(f"{package.name}: {reason}")
    detail = f"{counted(len(wanted), 'package')} that the author installed by name"
    return judged(NAME, detail, items, allowed)


def _named(side: Side, name: str) -> Package | None:
    plain = re.split(r"[=:/<>~]", name, maxsplit=1)[0]
    system = [package for package in side.packages if package.ecosystem in SYSTEM]
    by_name = next((package for package in system if package.name == plain), None)
    return by_name or next((package for package in system if plain in package.provides), None)


def _judge(
    original: Side, candidate: Side, package: Package, allowances: Allowances, opened: frozenset[str]
) -> tuple[Item | None, str | None]:
    found = _named(candidate, package.name)
    if found is not None and found.version == package.version:
        return None, None
    reason = allowances.package_reason(package.ecosystem, package.name) or _build_tool(package, opened)
    if reason:
        return None, reason
    if found is not None:
        message = f"{package.name} is {found.version} instead of {package.version}"
        return Item("package", package.name, "", "", message), None
    missing = list(files_lacking(original, package, lambda path: _is_there(original, candidate, path)))
    if not missing:
        return None, "all of its files are there"
    if package.name in BUNDLED and candidate.is_file(BUNDLED[package.name]) and not opened & set(package.files):
        return None, f"all that a run reads of it is {BUNDLED[package.name]}, which is there"
    message = f"{package.name} {package.version} is missing ({len(missing)} of its files, such as {missing[0]})"
    return Item("package", package.name, missing[0], "", message), None


def _build_tool(package: Package, opened: frozenset[str]) -> str | None:
    if opened & set(package.files):
        return None
    if _DEVELOPMENT.match(package.name):
        return "development files"
    return "a build tool" if any(fnmatchcase(package.name, pattern) for pattern in BUILD_TOOLS) else None


def files_lacking(original: Side, package: Package, has: Callable[[str], bool]) -> Iterator[str]:
    """Files of the package, and of those that only it brought along, that a program could read and that are gone."""
    for each in (package, *_brought_along(original, package)):
        yield from (path for path in each.files if not _NOT_RUN.search(path) and not has(path))


def _is_there(original: Side, candidate: Side, path: str) -> bool:
    """A library may be there under the name that programs ask for alone."""
    if candidate.is_file(path):
        return True
    node = original.file(path)
    elf = original.elf(node) if node is not None else None
    return bool(elf and elf.soname and candidate.loader.find(elf.soname, elf.machine, "/", elf.runpath, elf.rpath))


def _brought_along(side: Side, package: Package) -> list[Package]:
    """Packages above the base that it depends on, directly or not."""
    by_name = {each.name: each for each in side.packages if each.ecosystem == package.ecosystem}
    for each in list(by_name.values()):
        for name in each.provides:
            by_name.setdefault(name, each)
    found: dict[str, Package] = {}
    queue = [package]
    while queue:
        for choices in queue.pop().depends:
            other = next((by_name[name] for name in choices if name in by_name), None)
            if other and other.name not in found and other is not package and other.layer >= side.base_layers:
                found[other.name] = other
                queue.append(other)
    return list(found.values())
