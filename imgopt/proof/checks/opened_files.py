"""Opened files: what the original opened and executed while it was asked is there, and may be
opened, in the candidate.

The strongest evidence that nothing needed is lost: it needs no knowledge of a language. Files made
at run time are not in the original's image and are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from imgopt.image.tree import Node
from imgopt.inspect.failures import Item
from imgopt.inspect.files.contents import compare_contents
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import package_place
from imgopt.inspect.system.media_types import MEDIA_TYPES, unknown_media_types
from imgopt.inspect.system.users import EXECUTE, READ
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, counted, judged, not_measured
from imgopt.proof.example import File, Mutation
from imgopt.run.opened import Opened, source_of

NAME = "opened files"
_KERNEL = ("/proc/", "/sys/", "/dev/", "/.dockerenv")
_WRITTEN_BY_TOOLS = re.compile(
    r"^/etc/(?:passwd|group|shadow|gshadow|ld\.so\.cache|nsswitch\.conf|hosts|hostname|resolv\.conf|mtab|machine-id|"
    r"os-release|debian_version|localtime|ssl/.*|ca-certificates.*)$|^/usr/lib/os-release$|/(?:gconv-modules\.cache|"
    r"locale\.alias|locale-archive)$"
)
"""Data of the base that names itself, or lists what is installed: the candidate has its own.
Locales, time zones and certificates have checks of their own."""


_GLIBC_WITH_C_UTF8 = 35  # its NEWS for version 2.35


def check_opened_files(
    original: ImageView,
    candidate: ImageView,
    opened: Opened | None,
    allowances: Allowances,
    *,
    reason: str = "",
) -> Outcome:
    """`reason` says why nothing was recorded, when `opened` is None."""
    if opened is None:
        return not_measured(NAME, reason or "the files that the original opens were not recorded")
    items: list[Item] = []
    allowed: Counter[str] = Counter()
    files = size = 0
    unneeded = _unneeded_libraries(original, candidate, opened, allowances)
    for path, node in _files_of_the_image(original, opened):
        files += 1
        size += node.size
        problem, note = _judge(original, path, node, candidate, allowances, path in opened.executed)
        owner = original.owner(node.path) if problem is not None else None
        other = allowances.other_build(owner.ecosystem, owner.name) if owner is not None else None
        if other:
            problem, note = None, other
        if problem and problem.kind == "missing-library" and path in unneeded:
            problem, note = None, "libraries that the candidate's programs are linked without"
        if problem:
            items.append(problem)
        elif note:
            allowed[note] += 1
    detail = (
        f"{counted(files, 'file')} that the original opened ({len(opened.executed)} executed),"
        f" {size} bytes"
    )
    return judged(
        NAME,
        detail,
        items,
        [f"{counted(count, 'file')}: {text}" for text, count in sorted(allowed.items())],
    )


def _files_of_the_image(original: ImageView, opened: Opened) -> Iterator[tuple[str, Node]]:
    for path in sorted(opened.files):
        node = None if path.startswith(_KERNEL) else original.file(path)
        if node is not None:
            yield path, node


def _unneeded_libraries(
    original: ImageView, candidate: ImageView, opened: Opened, allowances: Allowances
) -> frozenset[str]:
    """Libraries (and the loader) that were opened because an opened file needs them, where what
    stands in its place in the candidate needs them no more: a program that is linked statically
    now."""
    needed: set[str] = set()
    still: set[str] = set()
    for path, node in _files_of_the_image(original, opened):
        elf = original.elf(node)
        if elf is None:
            continue
        needed |= {*elf.needed, *([elf.interpreter] if elf.interpreter else [])}
        found, _ = _place(original, path, node, candidate, allowances)
        other = candidate.elf(found) if found is not None else None
        if other is not None:
            still |= {*other.needed, *([other.interpreter] if other.interpreter else [])}
    return frozenset(_opened_as(original, opened, needed - still))


def _opened_as(original: ImageView, opened: Opened, names: set[str]) -> Iterator[str]:
    loaders = {
        node.path
        for name in names
        if name.startswith("/") and (node := original.file(name)) is not None
    }
    for path, node in _files_of_the_image(original, opened):
        elf = original.elf(node)
        if node.path in loaders or (
            elf is not None and elf.soname in names and node.path not in names
        ):
            yield path


def _judge(
    original: ImageView,
    path: str,
    node: Node,
    candidate: ImageView,
    allowances: Allowances,
    executed: bool,
) -> tuple[Item | None, str | None]:
    found, note = _place(original, path, node, candidate, allowances)
    if found is None:
        excuse = allowances.drop_reason(path, opened=True) or _not_needed(
            path, candidate, allowances
        )
        if not excuse and path == MEDIA_TYPES and not unknown_media_types(original):
            excuse = (
                "a longer list of media types; those of this image's files are known without it"
            )
        return (None, excuse) if excuse else (_missing(original, path, node), None)
    denied = _denied(original, node, candidate, found, executed)
    if denied:
        return denied, None
    if compare_contents(original, node, candidate, found) == "same":
        return None, note
    # what may be missing though the original opened it may be another one, too
    accepted = (
        note
        or _accepted(original, node, candidate, found)
        or allowances.drop_reason(path, opened=True)
        or allowances.rewritten_reason(found.path, found.read())
    )
    if accepted:
        return None, accepted
    owner = original.owner(node.path)
    message = f"{path} has other contents" + (
        f" (package {owner.name} {owner.version})" if owner else ""
    )
    return Item("changed-file", path, path, owner.name if owner else "", message), None


def _place(
    original: ImageView, path: str, node: Node, candidate: ImageView, allowances: Allowances
) -> tuple[Node | None, str | None]:
    """Where the candidate has it: the same path, a named move, its package's place, or where the
    loader finds it."""
    for place, reason in allowances.places(path):
        found = candidate.file(place)
        if found is not None:
            return found, reason or None
    beside = package_place(original, node.path, candidate)
    found = candidate.file(beside) if beside else None
    if found is not None:
        return found, None
    elf = original.elf(node)
    if elf is not None and ".so" in node.name:
        library = candidate.loader.find(
            elf.soname or node.name, elf.machine, "/", elf.runpath, elf.rpath
        )
        return (candidate.file(library), None) if library else (None, None)
    return None, None


def _not_needed(path: str, candidate: ImageView, allowances: Allowances) -> str | None:
    """Bytecode is made from its source; caches of the loader and of fonts are made by tools."""
    source = source_of(path)
    if source:
        there = any(candidate.is_file(place) for place, _ in allowances.places(source))
        return "bytecode that Python makes from the source that is there" if there else None
    if path.startswith("/usr/lib/locale/C.utf8/") and _glibc(candidate) >= _GLIBC_WITH_C_UTF8:
        return "glibc has the locale C.UTF-8 built in"
    if _WRITTEN_BY_TOOLS.search(path):
        return "a list or a name of the base image itself"
    return None


def _glibc(view: ImageView) -> int:
    """The minor number of glibc 2.x; 0 for another C library."""
    path = view.loader.find("libc.so.6", "x86_64", "/", []) or view.loader.find(
        "libc.so.6", "aarch64", "/", []
    )
    match = re.search(rb"stable release version 2\.(\d+)", view.read(path) or b"") if path else None
    return int(match[1]) if match else 0


def _accepted(original: ImageView, node: Node, candidate: ImageView, found: Node) -> str | None:
    if compare_contents(original, node, candidate, found) == "rebuilt":
        return "built anew with the same contents"
    if _WRITTEN_BY_TOOLS.search(node.path):
        return "a list or a name of the base image itself"
    if node.name.endswith(".pyc"):
        return "bytecode that Python makes from the source that is there"
    if original.in_base(node) and (candidate.in_base(found) or original.base_layers == 0):
        ours, theirs = original.elf(node), candidate.elf(found)
        if ours is not None and theirs is not None:
            return (
                "the same library or program of another base"
                if ours.soname == theirs.soname
                else None
            )
        return "a file of the base, in the other base's version"
    before, after = original.owner(node.path), candidate.owner(found.path)
    if before is not None and after is not None and before.version == after.version:
        if before.name == after.name:
            return "of the same version of the same package"
        if before.ecosystem == after.ecosystem == "runtime":
            return "of the same version of the run time"
    return None


def _denied(
    original: ImageView, node: Node, candidate: ImageView, found: Node, executed: bool
) -> Item | None:
    wanted = READ | (EXECUTE if executed else 0)
    user = candidate.config.user or "root"
    for right, word in ((READ, "read"), (EXECUTE, "execute")):
        if (
            right & wanted
            and original.may(right, node.path)
            and not candidate.may(right, found.path)
        ):
            message = (
                f"user {user} may not {word} {found.path} (mode {found.mode:o}, owner"
                f" {found.uid}:{found.gid})"
            )
            return Item("permission", found.path, found.path, "", message)
    return None


def _missing(original: ImageView, path: str, node: Node) -> Item:
    owner = original.owner(node.path)
    by = f"{owner.name} {owner.version}" if owner else ""
    if ".so" in node.name and original.elf(node) is not None:
        return Item("missing-library", node.name, path, by)
    return Item("missing-file", path, path, by)


CHECK = Check(
    NAME,
    "files that the original opened or executed: there, readable, and the same",
    lambda given: check_opened_files(
        given.original,
        given.candidate,
        given.opened,
        given.allowances,
        reason=given.runs.why_not_opened,
    ),
    (
        Mutation(
            "an opened file is lost", "colorsys.py", without=("usr/lib/python3.11/colorsys.py",)
        ),
        Mutation(
            "an opened file is another one",
            "colorsys.py",
            files={"usr/lib/python3.11/colorsys.py": "def hsv(): ..."},
        ),
        Mutation(
            "an opened file may not be read by the user",
            "user 1000 may not read /usr/share/words",
            base={"usr/share/words": File("a\nb\n", 0o600)},
        ),
    ),
)
