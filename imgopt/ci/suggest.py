"""Asks the rewriter for the offending lines, and offers what it would write there.

Only strategies that are right by the text alone are asked, one at a time, so that an offer stands
on its own.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from imgopt.ci.measured import Measured
from imgopt.context.ecosystems import Ecosystem, builtin_ecosystems
from imgopt.errors import ImgoptError
from imgopt.results.ci import Finding, Fix, Place

if TYPE_CHECKING:
    from imgopt.rewrite.strategy import Project

_LEVELS = ("error", "warn", "info")
_ASKED = 5
"""Instructions that the rewriter is asked for, in one check."""


def with_fixes(findings: Sequence[Finding], measured: Measured) -> list[Finding]:
    """The findings, with a fix where the rewriter changes their lines and a fix was not offered
    before."""
    if measured.dockerfile is None or not measured.origins.lines or measured.dockerfile.errors:
        return list(findings)
    rewriter = _Rewriter(measured)
    offered: set[tuple[int | None, str]] = set()
    result = []
    asked = 0
    for finding in sorted(findings, key=lambda each: _LEVELS.index(each.level)):
        fix = None
        if _is_asked(finding, rewriter.file) and asked < _ASKED:
            asked += 1
            wanted = [
                each
                for each in rewriter.fixes(finding.place)
                if _helps(each, finding) and _key(each) not in offered
            ]
            fix = max(wanted, key=lambda each: each.saves or 0, default=None)
        if fix is not None:
            offered.add(_key(fix))
        result.append(msgspec.structs.replace(finding, fix=fix) if fix is not None else finding)
    return result


def _key(fix: Fix) -> tuple[int | None, str]:
    return fix.place.line, fix.strategy


def _helps(fix: Fix, finding: Finding) -> bool:
    """Against size: what saves bytes; against the cost of a rebuild: a better order."""
    return fix.saves is None if finding.rule == "rebuild" else bool(fix.saves)


def _is_asked(finding: Finding, file: str) -> bool:
    """Notes are not worth the time that a plan takes."""
    at_home = finding.place is not None and finding.place.file == file
    return finding.unit == "bytes" and finding.level != "info" and at_home


@dataclass(frozen=True)
class _Rewriter:
    measured: Measured

    @cached_property
    def file(self) -> str:
        path = self.measured.subject.dockerfile
        return self.measured.shown(path) if path is not None else ""

    def fixes(self, place: Place | None) -> Iterator[Fix]:
        """What each strategy would write at the lines of a place."""
        if place is None or place.line is None or self.measured.dockerfile is None:
            return
        item = self.measured.dockerfile.at_line(place.line)
        if item is None:
            return
        for fix in self._all:
            line, end = fix.place.line or 0, fix.place.end_line or 0
            if line <= item.end_line and end >= item.line:
                yield fix

    @cached_property
    def _all(self) -> list[Fix]:
        """Every fix for the whole file; nothing where the rewriter cannot read the project."""
        try:
            return list(self._planned())
        except (ImgoptError, ValueError, OSError):
            return []

    def _planned(self) -> Iterator[Fix]:
        from imgopt.rewrite.plan import make_plan
        from imgopt.strategies.variants import choose_variants, strategies_of

        assert self.measured.dockerfile is not None
        text = self.measured.dockerfile.text
        safe = choose_variants(["safe"])[0]
        for strategy in strategies_of(safe, (), ()):
            if strategy.safety != "text":
                continue
            plan = make_plan(text, self._project, [strategy])
            for line, end, new in hunks(text, plan.dockerfile):
                because = [
                    change.because
                    for change in plan.changes
                    if change.line and line <= change.line <= end
                ]
                if because and _is_text(new):
                    place = Place(file=self.file, line=line, end_line=end)
                    yield Fix(
                        strategy=strategy.name,
                        because=because[0],
                        place=place,
                        replacement=new,
                        saves=self._saves(strategy.name, line),
                    )

    @cached_property
    def _project(self) -> Project:
        from imgopt.rewrite.strategy import ContextFiles, Project

        subject = self.measured.subject
        assert subject.context is not None and subject.dockerfile is not None
        files = ContextFiles.read(subject.context, subject.dockerfile)
        return Project(files, builtin_ecosystems(), subject.target)

    def _saves(self, strategy: str, line: int) -> int | None:
        """Bytes of installer caches in the layer of that line; None where only a build can tell."""
        from imgopt.strategies.registry import find_strategy

        if not find_strategy(strategy).keeps_caches_out:
            return None
        folders = tuple(_cache_folders(builtin_ecosystems()))
        layers = {
            number
            for number, origin in enumerate(self.measured.origins.layers)
            if origin.instruction is not None
            and origin.instruction.line <= line <= origin.instruction.end_line
        }
        facts = self.measured.facts
        return sum(
            size
            for path, size in facts.paths.items()
            if facts.path_layers.get(path) in layers and path.startswith(folders)
        )


def _cache_folders(ecosystems: tuple[Ecosystem, ...]) -> Iterator[str]:
    for ecosystem in ecosystems:
        for manager in ecosystem.manager:
            for cache in (*manager.caches, *_LISTS.get(manager.name, ())):
                yield posixpath.join(cache.replace("~", "/root").rstrip("/*"), "")


_LISTS = {
    "apt": ("/var/lib/apt/lists", "/var/cache/apt"),
    "apt-get": ("/var/lib/apt/lists", "/var/cache/apt"),
}


def hunks(before: str, after: str) -> Iterator[tuple[int, int, str]]:
    """First and last line of `before` (counted from 1) that differ, and the lines that stand there
    in `after`.

    A pure insertion is given with the line above it, since a suggestion must replace something.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for kind, first, last, start, end in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            continue
        if first == last:
            if first == 0:
                continue
            first, start = first - 1, start - 1
        yield first + 1, last, "".join(new[start:end])


def _is_text(text: str) -> bool:
    """A suggestion goes into JSON: bytes that are not UTF-8 cannot."""
    return text.isascii() or not any(0xD800 <= ord(char) <= 0xDFFF for char in text)
