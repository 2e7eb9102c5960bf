"""Language packages: the same set and versions, whole; and where the candidate has the files of a
package."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from imgopt.image.packages import Package
from imgopt.image.packages.names import plain_name
from imgopt.inspect.failures import Item
from imgopt.inspect.files.contents import compare_contents
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import NOT_LANGUAGES, language_packages, package_place
from imgopt.inspect.start.spare_scripts import REASON as SPARE
from imgopt.inspect.start.spare_scripts import spare_scripts
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, counted, judged
from imgopt.proof.example import SITE, Mutation
from imgopt.proof.installers_notes import notes

NAME = "language packages"
_BYTECODE = re.compile(r"\.pyc$|/__pycache__/")


def check_language_packages(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    *,
    opened: frozenset[str] | None = None,
) -> Outcome:
    """Every language package of the original: present, of the same version, with all files but its
    bytecode."""
    items: list[Item] = []
    allowed: Counter[str] = Counter()
    versions = _versions(language_packages(candidate) or candidate.packages)
    used = frozenset(path for path in opened or () if not allowances.drop_reason(path, opened=True))
    wanted = language_packages(original)
    spare = spare_scripts(original, opened) if opened is not None else frozenset()
    files = 0
    for package in wanted:
        reason = None if used & set(package.files) else _reason(original, package, allowances)
        if reason and not candidate.is_file(package.metadata):
            allowed[reason] += 1
            continue
        others = versions.get((package.ecosystem, plain_name(package.name)), set())
        if package.version in others:
            files += len(package.files)
            found = list(_incomplete(original, package, candidate, allowances, used))
            missed = [item for item in found if not _is_spare(item, spare)]
            items.extend(missed)
            allowed[SPARE] += len(missed) < len(found)
        elif reason:
            allowed[reason] += 1
        else:
            items.append(_lost(package, others))
    items.extend(_twice(original, candidate))
    by_kind = Counter(package.ecosystem for package in wanted)
    counts = (
        ", ".join(f"{count} {ecosystem}" for ecosystem, count in sorted(by_kind.items()))
        or "none there"
    )
    detail = (
        f"packages by name and version ({counts}), {counted(files, 'file')} of them by contents"
    )
    return judged(
        NAME,
        detail,
        items,
        [
            f"{counted(count, 'package')}: {text}"
            for text, count in sorted(allowed.items())
            if count
        ],
    )


def _is_spare(item: Item, spare: frozenset[str]) -> bool:
    return item.kind == "missing-file" and item.path in spare


def _twice(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    """Packages of which one folder has two versions, as where a folder of packages is copied over
    that of a base: what asks for the version gets either, and files of both are mixed."""
    before = _versions_by_folder(original)
    for key, versions in sorted(_versions_by_folder(candidate).items()):
        if len(versions) > 1 and versions - before.get(key, set()):
            ecosystem, name, folder = key
            message = (
                f"{ecosystem} package {name} is in {folder} twice: {' and '.join(sorted(versions))}"
            )
            yield Item("package", name, folder, "", message)


def _versions_by_folder(view: ImageView) -> dict[tuple[str, str, str], set[str]]:
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for package in view.packages:
        if package.ecosystem not in NOT_LANGUAGES and package.inside is None:
            folder = posixpath.dirname(posixpath.dirname(package.metadata))
            found[package.ecosystem, plain_name(package.name), folder].add(package.version)
    return found


def _versions(packages: Iterable[Package]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for package in packages:
        found[package.ecosystem, plain_name(package.name)].add(package.version)
    return found


def _reason(original: ImageView, package: Package, allowances: Allowances) -> str | None:
    """Of the package itself, or of the one that brought the program that it is a part of (crates of
    a wheel's tool)."""
    named = allowances.package_reason(package.ecosystem, package.name)
    owner = original.owner(package.metadata)
    if named is None and owner is not None and owner is not package:
        named = allowances.package_reason(owner.ecosystem, owner.name)
    return named or allowances.drop_reason(package.metadata)


def _lost(package: Package, others: set[str]) -> Item:
    what = f"{package.ecosystem} package {package.name} {package.version}"
    message = f"{what} is {', '.join(sorted(others))}" if others else f"{what} is missing"
    return Item("package", package.name, posixpath.dirname(package.metadata), "", message)


def _incomplete(
    original: ImageView,
    package: Package,
    candidate: ImageView,
    allowances: Allowances,
    used: frozenset[str],
) -> Iterator[Item]:
    """Files of the package that are not at their place, or are others."""
    for path in package.files:
        if _BYTECODE.search(path) or notes().search(path):
            continue
        place = package_place(original, path, candidate) or path
        before, after = original.tree.get(path), candidate.file(place)
        if before is None or before.inode is None:
            continue
        if after is None:
            moved = next((p for p, _ in allowances.places(path) if candidate.is_file(p)), None)
            if moved is None and not allowances.drop_reason(path, opened=path in used):
                yield Item("missing-file", path, path, package.name)
        elif (
            not original.shebang(before)
            and compare_contents(original, before, candidate, after) == "different"
        ):
            yield Item(
                "changed-file",
                path,
                path,
                package.name,
                f"{path} of {package.name} has other contents",
            )


CHECK = Check(
    NAME,
    "packages of languages by name and version, and their files",
    lambda given: check_language_packages(
        given.original, given.candidate, given.allowances, opened=given.files
    ),
    (
        Mutation(
            "another version of a package",
            "Flask 3.0 is 3.1",
            files={f"{SITE}/flask-3.0.dist-info/METADATA": "Name: Flask\nVersion: 3.1\n"},
        ),
        Mutation(
            "a file of a package is lost", "flask/views.py", without=(f"{SITE}/flask/views.py",)
        ),
        Mutation(
            "a file of a package is another one",
            "flask/views.py",
            files={f"{SITE}/flask/views.py": "import os"},
        ),
    ),
)
