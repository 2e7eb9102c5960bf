"""What the kept sources name and the candidate lacks: files, modules and libraries that no probe
made them use.

A rewrite leaves out what nothing opened. A file that is read on a rare path, a package that is
imported inside of a function and a library that is loaded by name leave a trace in the text: their
name. What is missing is looked up there.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.failures import Item
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import NOT_LANGUAGES
from imgopt.inspect.packages.named_packages import listed_packages, named_in, named_in_settings
from imgopt.inspect.sites.built_site import serves_built_site
from imgopt.inspect.sources.modules import SCRIPTS, imported, lost_modules, reached
from imgopt.inspect.sources.run_time_needs import extension_libraries, script_modules
from imgopt.inspect.sources.texts import is_compiled, is_foreign, loading_texts, source_texts
from imgopt.proof.absent_packages import language_tools
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, counted, judged
from imgopt.proof.example import Mutation

NAME = "named by sources"
_LITERAL = re.compile(r"""(?P<quote>["'`])(?P<text>[^"'`\n]{1,200})(?P=quote)""")
_OF_THE_BUILD = re.compile(
    r"\.(?:go|rs|java|kts?|scala|groovy|c|cc|cpp|cxx|h|hh|hpp|tsx?|mts|cts|o|a|d|class|py[co]|map|mk|cmake|proto)$"
    r"|/(?:go\.(?:mod|sum|work)|Cargo\.\w+|pom\.xml|(?:build|settings)\.gradle\S*|package-lock\.json|yarn\.lock|"
    r"pnpm-\S+\.yaml|tsconfig\S*\.json|\.dockerignore|[^/]*Dockerfile[^/]*|docker-compose\S*|compose\.ya?ml|Makefile|"
    r"\.gitignore|\.gitkeep|\.keep)$|/src/(?:main|test)/|/build/(?:resources|classes|generated|tmp)/|/(?:\.git|__pycache__|target|\.mvn|\.gradle|\.cache)(?:/|$)"
)
"""Read by compilers and their like: a mention of one is none of a file that a run reads."""
_LOADS = re.compile(
    r"""\b(?:CDLL|cdll\.LoadLibrary|PyDLL|dlopen|Native\.load|loadLibrary|ffi\.Library)\(\s*["'](?P<name>[\w.+-]{2,80})["']"""
    r"""|\bfind_library\(\s*["'](?P<short>[\w.+-]{1,60})["']"""
)


def check_named(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    *,
    opened: frozenset[str] | None = None,
) -> Outcome:
    """Files, modules and libraries of the original that the candidate has not, as far as a kept
    source names them."""
    texts = [
        (path, text) for path, text in source_texts(original) if _runs(path, candidate, allowances)
    ]
    built = serves_built_site(original, opened)  # its bundles name what they were made of
    lost = _lost_files(original, candidate, allowances) if not built else frozenset()
    modules = lost_modules(original, candidate, opened)
    items = [
        *_files(original, texts, lost),
        *(
            item
            for item in (
                *imported(original, texts, modules, opened),
                *(_by_name(original, texts, modules[SCRIPTS], opened) if not built else ()),
            )
            if not _judged_as_package(original, item.path, allowances)
        ),
        *_behind(original, candidate, allowances),
        *_libraries(original, candidate, [*texts, *_of_packages(original, candidate, allowances)]),
    ]
    items = [item for item in items if not _was_opened(item.path, opened or ())]
    said = [item for item in items if not _intended(item, allowances)]
    allowed = [f"{item}: intended" for item in items if item not in said]
    return judged(
        NAME,
        f"{counted(len(lost), 'file')} left out, looked up in {counted(len(texts), 'source')}",
        said,
        allowed,
    )


def _behind(original: ImageView, candidate: ImageView, allowances: Allowances) -> Iterator[Item]:
    """Libraries of extensions, and modules of scripts, that the sources ask for by another name."""
    facts = [fact for ecosystem in builtin_ecosystems() for fact in ecosystem.modules]
    for needed in extension_libraries(original):
        name = posixpath.basename(needed.path)
        if not candidate.exists(needed.path) and not _found(candidate, name):
            yield Item("missing-library", name, needed.path, needed.by)
    for needed in script_modules(original, facts):
        if not candidate.exists(needed.path) and _runs(needed.by, candidate, allowances):
            yield Item("missing-module", needed.path, needed.path, needed.by)


def _by_name(
    original: ImageView,
    texts: Iterable[tuple[str, str]],
    lost: Mapping[str, str],
    opened: frozenset[str] | None,
) -> Iterator[Item]:
    """Packages that are loaded by a name in settings or in a string (`app.set("view engine",
    "pug")`), of those that the project lists itself; what only serves builds is none."""
    known = {name for _, name in language_tools(seen=opened is not None)}
    names = frozenset(lost.keys() & listed_packages(original) - known)
    if not names:
        return
    for name, path in (
        *named_in(reached(original, texts, opened), names),
        *named_in_settings(original, names),
    ):
        message = f"package {name} ({lost[name]}) is left out, and {path} names it"
        yield Item("missing-module", name, lost[name], path, message)


def _judged_as_package(original: ImageView, path: str, allowances: Allowances) -> bool:
    """Of a package that may not be left out: the check of language packages says so."""
    package = (
        original.owner(path)
        or original.owner(f"{path}/__init__.py")
        or original.owner(f"{path}/package.json")
    )
    if (
        package is None
        or package.ecosystem in NOT_LANGUAGES
        or package.layer < original.base_layers
    ):
        return False
    named = allowances.package_reason(package.ecosystem, package.name)
    return named is None and allowances.drop_reason(package.metadata) is None


def _was_opened(path: str, opened: Iterable[str]) -> bool:
    """The check of opened files looks at it."""
    return any(each == path or each.startswith(path + "/") for each in opened)


def _intended(item: Item, allowances: Allowances) -> bool:
    keys = (
        f"file:{item.path}",
        f"module:{item.subject}",
        f"library:{item.subject}",
        f"package:{item.subject}",
    )
    return any(key in allowances.configuration for key in keys)


def _runs(path: str, candidate: ImageView, allowances: Allowances) -> bool:
    """Whether this source, or what is compiled from it, is in the candidate."""
    return is_compiled(path) or any(
        candidate.is_file(place) for place, _ in allowances.places(path)
    )


def _of_packages(
    original: ImageView, candidate: ImageView, allowances: Allowances
) -> Iterator[tuple[str, str]]:
    return (
        (path, text) for path, text in loading_texts(original) if _runs(path, candidate, allowances)
    )


def _lost_files(
    original: ImageView, candidate: ImageView, allowances: Allowances
) -> frozenset[str]:
    paths = (node.path for node in application_files(original) if node.kind != "dir")
    return frozenset(
        path
        for path in paths
        if not _OF_THE_BUILD.search(path)
        and not is_foreign(path)
        and not any(candidate.tree.get(place) for place, _ in allowances.places(path))
    )


def _files(
    original: ImageView, texts: Iterable[tuple[str, str]], lost: frozenset[str]
) -> Iterator[Item]:
    if not lost:
        return
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in lost:
        by_name[posixpath.basename(path)].append(path)
    for source, text in texts:
        for match in _LITERAL.finditer(text):
            yield from _named(original, source, match["text"], by_name)


def _named(
    original: ImageView, source: str, literal: str, by_name: Mapping[str, list[str]]
) -> Iterator[Item]:
    word = literal.removeprefix("./").rstrip("/")
    paths = by_name.get(posixpath.basename(word), ())
    for path in paths:
        beside = posixpath.dirname(path) in (original.workdir, posixpath.dirname(source))
        if path.endswith("/" + word.lstrip("/")) and ("/" in word or beside):
            yield Item(
                "missing-file", path, path, source, f"{path} is left out, and {source} names it"
            )


def _libraries(
    original: ImageView, candidate: ImageView, texts: Iterable[tuple[str, str]]
) -> Iterator[Item]:
    """Libraries that sources load by name, as far as the original's loader finds them."""
    for source, text in texts:
        for match in _LOADS.finditer(text):
            yield from _library(original, candidate, source, match["name"], match["short"])


def _library(
    original: ImageView, candidate: ImageView, source: str, name: str | None, short: str | None
) -> Iterator[Item]:
    if short:
        before = {key for key in original.loader.cache if key.startswith(f"lib{short}.so")}
        if before and not any(key.startswith(f"lib{short}.so") for key in candidate.loader.cache):
            found = original.loader.cache[min(before)][0]
            yield Item(
                "missing-library",
                min(before),
                found,
                source,
                f"{source} looks for the library {short}",
            )
        return
    wanted = name if name and ".so" in name else f"lib{name}.so"
    found_path = _found(original, wanted)
    if found_path and not _found(candidate, wanted):
        yield Item(
            "missing-library",
            wanted,
            found_path,
            source,
            f"{source} loads {wanted}, which is not there",
        )


def _found(view: ImageView, library: str) -> str | None:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        view.config.platform.split("/")[1:2][0], "x86_64"
    )
    return view.loader.find(library, machine, "/", [])


CHECK = Check(
    NAME,
    "files, modules and libraries that the sources name on paths that no probe takes",
    lambda given: check_named(
        given.original, given.candidate, given.allowances, opened=given.files
    ),
    (
        Mutation(
            "a module that a function imports is lost",
            "module wave",
            without=("usr/lib/python3.11/wave.py",),
        ),
    ),
)
