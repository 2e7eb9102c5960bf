"""The allowances for a Dockerfile that is not ours: from rules alone, never from what its author
says."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import partial

from imgopt.image.packages import Package
from imgopt.image.packages.names import plain_name
from imgopt.inspect.files.tool_state import is_state
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.development_packages import marked_for_development
from imgopt.inspect.packages.installed import language_packages
from imgopt.inspect.sources.python_imports import imported_modules, modules_of, named_modules
from imgopt.proof.absent_packages import language_tools
from imgopt.proof.allowances import Allowances, Drop, DroppedPackage
from imgopt.proof.build_files import build_files
from imgopt.proof.excused_files import derived_drops
from imgopt.proof.replacements import replaced
from imgopt.proof.same_start import same_start
from imgopt.proof.spare_packages import spare_packages

_SETUPTOOLS_HOOK = re.compile(r"/(?:distutils-precedence\.pth|_distutils_hack/.*)$")
_SETUPTOOLS = re.compile(r"/(?:site|dist)-packages/(?:setuptools|pkg_resources)/")


def derive(
    original: ImageView,
    candidate: ImageView,
    opened: frozenset[str] | None,
    keys: Iterable[str] = (),
) -> Allowances:
    """`keys` are what the user said is intended (`--allow user`, `env:NAME`, `package:NAME`,
    `file:PATH`, ...)."""
    said = dict.fromkeys(keys, "intended (--allow)")
    same = same_start(original, candidate)
    other = replaced(original, candidate, opened)
    drops = [Drop("state of a tool", matches=partial(is_state, original), even_if_opened=True)]
    drops += [*derived_drops(original, opened), *build_files(original, opened)]
    drops += [*same.drops, *other.drops]
    drops += [
        Drop(said[key], frozenset({key[5:]}), even_if_opened=True)
        for key in said
        if key.startswith("file:")
    ]
    drops += list(_opened_at_every_start(opened))
    dropped = tuple(_dropped_packages(original, opened))
    drops += list(
        _looked_through(
            original, opened, {"pip", "setuptools", "wheel", *(each.name for each in dropped)}
        )
    )
    if opened is not None:
        development = _development(original)
        drops += [spare_packages(original, development.paths), development]
    packages = [DroppedPackage(key[8:], said[key]) for key in said if key.startswith("package:")]
    user, reason = _user(original, candidate)
    return Allowances(
        user=user,
        user_reason=reason,
        start=same.start,
        drops=tuple(drops),
        moves=(*same.moves, *other.moves),
        packages=(*packages, *other.packages, *_dropped_packages(original, opened)),
        environment={
            **same.environment,
            **{key[4:]: said[key] for key in said if key.startswith("env:")},
        },
        configuration={**other.configuration, **said},
    )


def _user(original: ImageView, candidate: ImageView) -> tuple[str | None, str]:
    """Root may become another user: less is allowed then, and what is needed was observed."""
    before, after = original.identity, candidate.identity
    if before is not None and after is not None and before.is_root and not after.is_root:
        return candidate.config.user, "not root any more"
    return None, ""


def _dropped_packages(
    original: ImageView, opened: frozenset[str] | None
) -> Iterator[DroppedPackage]:
    """Tools, and what is there only for them; not what the application's own sources import."""
    packages = language_packages(original)
    imported = imported_modules(original) | named_modules(original, surely=True)
    mine = {
        plain_name(p.name) for p in packages if p.ecosystem == "python" and imported & modules_of(p)
    }
    known = language_tools(seen=opened is not None)
    tools = {key for p in packages if (key := _key(p)) in known and key[1] not in mine}
    roots = [
        p
        for p in packages
        if plain_name(p.name) in mine or (_key(p) not in tools and not _wanted_by(p, packages))
    ]
    kept = _reached(packages, roots)
    for package in packages:
        if _key(package) in tools:
            yield DroppedPackage(
                package.name, "a tool of the build or of its tests", package.ecosystem
            )
        elif package.ecosystem == "python" and plain_name(package.name) not in kept:
            yield DroppedPackage(
                package.name, "needed by tools of the build only", package.ecosystem
            )


def _key(package: Package) -> tuple[str, str]:
    return package.ecosystem, plain_name(package.name)


def _wanted_by(package: Package, packages: list[Package]) -> bool:
    name = plain_name(package.name)
    others = (choices for other in packages if other is not package for choices in other.depends)
    return any(name in map(plain_name, choices) for choices in others)


def _reached(packages: list[Package], roots: list[Package]) -> set[str]:
    by_name = {plain_name(package.name): package for package in packages}
    found: set[str] = set()
    queue = [plain_name(package.name) for package in roots]
    while queue:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        package = by_name.get(name)
        queue += [
            plain_name(choice)
            for choices in (package.depends if package else ())
            for choice in choices
        ]
    return found


def _opened_at_every_start(opened: frozenset[str] | None) -> Iterator[Drop]:
    """setuptools has a .pth file, which Python's start runs: that alone is no use of setuptools."""
    hooks = {path for path in opened or () if _SETUPTOOLS_HOOK.search(path)}
    if hooks and not any(_SETUPTOOLS.search(path) for path in opened or ()):
        yield Drop(
            "run at every start only because setuptools is installed",
            frozenset(hooks),
            even_if_opened=True,
        )


def _looked_through(
    original: ImageView, opened: frozenset[str] | None, tools: set[str]
) -> Iterator[Drop]:
    """importlib.metadata.distributions() reads what every package says of itself: that alone is no
    use of pip."""
    for package in original.packages if opened is not None else ():
        if package.ecosystem != "python" or package.name not in tools:
            continue
        used = {path for path in package.files if opened is not None and path in opened}
        about = {path for path in used if ".dist-info/" in path}
        if about and all(path in about or _SETUPTOOLS_HOOK.search(path) for path in used):
            yield Drop(
                "read only because all packages are looked through",
                frozenset(about),
                even_if_opened=True,
            )


def _development(original: ImageView) -> Drop:
    """The folders of packages that only development dependencies want."""
    projects = dict.fromkeys((original.workdir, posixpath.dirname(original.workdir)))
    folders = [
        folder for project in projects for folder in marked_for_development(original, project) or ()
    ]
    return Drop("a development dependency, not opened", frozenset(folders))
