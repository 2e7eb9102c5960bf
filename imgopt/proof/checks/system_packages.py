"""System packages that the author installed by name: still installed, of the same version, or
present file by file.

What apt brought along for them is judged by the library closure and by the opened files; the names
that stand in the Dockerfile are a wish of the author, and such a program may be called only on a
rare path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from imgopt.image.packages import Package
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import SYSTEM
from imgopt.inspect.packages.package_files import files_lacking
from imgopt.inspect.sources.hand_tools import unused_tools
from imgopt.inspect.system.certificates import BUNDLED
from imgopt.proof.absent_packages import is_system_build_tool
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, counted, judged, not_measured
from imgopt.proof.example import BASE_STATUS, HELLO_2, STATUS, Mutation

NAME = "system packages"
_DEVELOPMENT = re.compile(r"^(?:lib.+|.+)-(?:dev|devel|headers|static|doc|dbg|dbgsym)$")


def check_system_packages(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    names: Sequence[str],
    *,
    opened: frozenset[str] | None = None,
) -> Outcome:
    """`names` as they stand in the Dockerfile's install commands (`libpq5`, `curl=7.88*`,
    `git:amd64`)."""
    items: list[Item] = []
    allowed: list[str] = []
    wanted = [
        package for name in dict.fromkeys(names) if (package := _named(original, name)) is not None
    ]
    unread = [database.text for database in original.packages.unread]
    if names and unread and not wanted:
        return not_measured(NAME, unread[0])
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


def _named(view: ImageView, name: str) -> Package | None:
    plain = re.split(r"[=:/<>~]", name, maxsplit=1)[0]
    system = [package for package in view.packages if package.ecosystem in SYSTEM]
    by_name = next((package for package in system if package.name == plain), None)
    return by_name or next((package for package in system if plain in package.provides), None)


def _judge(
    original: ImageView,
    candidate: ImageView,
    package: Package,
    allowances: Allowances,
    opened: frozenset[str],
) -> tuple[Item | None, str | None]:
    found = _named(candidate, package.name)
    if found is not None and found.version == package.version:
        return None, None
    reason = allowances.package_reason(package.ecosystem, package.name) or _build_tool(
        package, opened
    )
    if reason:
        return None, reason
    if found is not None:
        message = f"{package.name} is {found.version} instead of {package.version}"
        return Item("package", package.name, "", "", message), None
    missing = list(
        files_lacking(original, package, lambda path: _is_there(original, candidate, path))
    )
    if not missing:
        return None, "all of its files are there"
    if (
        package.name in BUNDLED
        and candidate.is_file(BUNDLED[package.name])
        and not opened & set(package.files)
    ):
        return None, f"all that a run reads of it is {BUNDLED[package.name]}, which is there"
    message = (
        f"{package.name} {package.version} is missing ({len(missing)} of its files, such as"
        f" {missing[0]})"
    )
    return Item("package", package.name, missing[0], "", message), None


def _build_tool(package: Package, opened: frozenset[str]) -> str | None:
    if opened & set(package.files):
        return None
    if is_development(package.name):
        return "development files"
    return "a build tool" if is_system_build_tool(package.name) else None


def is_development(name: str) -> bool:
    """Headers, static libraries, documents, symbols for debuggers."""
    return _DEVELOPMENT.match(name) is not None


def _is_there(original: ImageView, candidate: ImageView, path: str) -> bool:
    """A library may be there under the name that programs ask for alone."""
    if candidate.is_file(path):
        return True
    node = original.file(path)
    elf = original.elf(node) if node is not None else None
    return bool(
        elf
        and elf.soname
        and candidate.loader.find(elf.soname, elf.machine, "/", elf.runpath, elf.rpath)
    )


_OF_HELLO = (STATUS, "usr/bin/hello", "var/lib/dpkg/info/hello.list")
CHECK = Check(
    NAME,
    "system packages that the author installs by name",
    lambda given: check_system_packages(
        given.original, given.candidate, given.allowances, given.named, opened=given.files
    ),
    (
        Mutation(
            "a package is lost",
            "hello 1.0 is missing",
            base={STATUS: BASE_STATUS},
            without=_OF_HELLO,
        ),
        Mutation(
            "another version of a package", "hello is 2.0 instead of 1.0", files={STATUS: HELLO_2}
        ),
    ),
)
