"""Files that a good final image leaves out: compile-only sources, intermediate output, caches,
repository data.

These rules judge a stranger's Dockerfile: they come from the ecosystems that are built in
(`[[may_be_absent]]`), never from what a project says of itself. A rule is by name, and holds for
its ecosystem only (a `.go` file is compile-only where the service is a compiled program). A file
that was opened is never excused by any rule.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.judged import MayBeAbsent
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sites.built_site import serves_built_site
from imgopt.inspect.start.started import started_folders, started_program
from imgopt.proof.allowances import Drop


@dataclass(frozen=True, slots=True)
class Rule:
    """What facts of one kind and with one reason cover, read as patterns."""

    reason: str
    names: re.Pattern[str] | None
    places: re.Pattern[str] | None
    """Whole folders of the file system, whatever lies in them."""


_HOME = "/(?:root|home/[^/]+)"


@cache
def _rules(started: str, *, unused: bool) -> tuple[Rule, ...]:
    """The facts for what is started, by their reason; "" for those that hold whatever is
    started."""
    by_reason: dict[str, list[MayBeAbsent]] = {}
    for ecosystem in builtin_ecosystems():
        for fact in ecosystem.may_be_absent:
            if fact.started == started and fact.unused == unused:
                by_reason.setdefault(fact.reason, []).append(fact)
    return tuple(_rule(reason, facts) for reason, facts in by_reason.items())


def _rule(reason: str, facts: Iterable[MayBeAbsent]) -> Rule:
    names: list[str] = []
    places: list[str] = []
    for fact in facts:
        names += (rf"/{re.escape(name)}(?:/|$)" for name in fact.folders)
        names += (rf"/{_glob(name)}$" for name in fact.files)
        names += fact.paths
        places += (rf"^{_glob(path)}(?:/|$)" for path in fact.below)
    return Rule(reason, _any(names), _any(places))


def _any(patterns: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


def _glob(text: str) -> str:
    """`*` does not cross `/`; `~` in front is a home folder."""
    plain = re.escape(text.removeprefix("~")).replace(r"\*", "[^/]*")
    return _HOME + plain if text.startswith("~") else plain


def derived_drops(original: ImageView, opened: frozenset[str] | None) -> tuple[Drop, ...]:
    """What any rewrite of this image may leave out, from the image's own start command and the
    files it opened."""
    kept = _class_folders(opened or frozenset())
    own = tuple(folder + "/" for folder in started_folders(original))
    return tuple(
        Drop(rule.reason, matches=_unless_opened(rule, opened, kept, own))
        for rule in _rules_for(original, opened)
    )


def _rules_for(original: ImageView, opened: frozenset[str] | None) -> Iterator[Rule]:
    """In the order of what is known: names alone, then the evidence that nothing opened them."""
    site = ("site",) if serves_built_site(original, opened) else ()
    for started in dict.fromkeys(("", started_program(original), *site)):
        yield from _rules(started, unused=False)
        yield from _rules(started, unused=True) if opened is not None else ()


_CLASS_FOLDER = re.compile(
    r"(.*/(?:target|build|out|bin)/(?:classes|production|main|resources)(?:/\w+/main)?)/"
)


def _class_folders(opened: frozenset[str]) -> tuple[str, ...]:
    """Folders that are on a class path, for a class or a resource in them was opened: what lies
    beside it may be asked for later."""
    found = {match[1] for path in opened if (match := _CLASS_FOLDER.match(path))}
    loose = {posixpath.dirname(path) for path in opened if path.endswith(".class")}
    return tuple(folder + "/" for folder in sorted(found | loose))


def _unless_opened(
    rule: Rule, opened: frozenset[str] | None, kept: tuple[str, ...], own: tuple[str, ...]
) -> Callable[[str], bool]:
    used = opened or frozenset()
    places = rule.places
    inside = tuple(folder for folder in own if places is not None and places.search(folder))

    def matches(path: str) -> bool:
        if path in used or path.startswith(kept):
            return False
        if rule.names is not None and rule.names.search(path):
            return True
        return (
            places is not None and places.search(path) is not None and not path.startswith(inside)
        )

    return matches
