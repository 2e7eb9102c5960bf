"""Programs that are started: entrypoint, command and health check, shebangs, what kept scripts and
sources call."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.tree import Node
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.optional_parts import optional_part
from imgopt.inspect.sources.program_calls import (
    called_by_packages,
    called_by_settings,
    called_by_sources,
)
from imgopt.inspect.sources.run_time_needs import compilers
from imgopt.inspect.sources.texts import is_compiled
from imgopt.inspect.start.programs import Use, running_scripts, script_text, started
from imgopt.inspect.start.shell_programs import called_programs
from imgopt.inspect.start.spare_scripts import REASON as SPARE
from imgopt.inspect.start.spare_scripts import spare_scripts
from imgopt.inspect.system.users import EXECUTE, READ
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, judged
from imgopt.proof.example import File, Mutation
from imgopt.run.opened import Opened

NAME = "programs"
_PACKAGES = re.compile(r"/(?:site-packages|dist-packages|node_modules|gems|vendor)/")


def check_programs(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    *,
    opened: Opened | None = None,
    named: Sequence[str] = (),
) -> Outcome:
    """Every program that the candidate's configuration, scripts and shebangs name exists and may be
    executed.

    What the original could not start either is no difference. Scripts of the original's base and
    scripts inside of packages count when they were executed: a module that is imported may have a
    first line, too. `named`: packages that the author installs by name.
    """
    items: list[Item] = list(_compilers(original, candidate, allowances))
    allowed: list[str] = []
    spare = spare_scripts(original, opened.files) if opened else frozenset()
    uses = [
        *started(candidate),
        *_interpreters(original, candidate, opened.executed if opened else None),
        *_calls(original, candidate, opened.files if opened else None),
        *_by_sources(original, candidate, allowances),
    ]
    for use in uses:
        problem = _problem(candidate, use)
        if problem is None or _failed_before(original, use):
            continue
        reason = allowances.configuration.get(f"program:{problem.subject}")
        if not reason and problem.kind == "missing-command":
            reason = (
                SPARE
                if _is_like(use.by, spare)
                else optional_part(candidate, use.by, named, opened.files if opened else None)
            )
        if reason:
            allowed.append(f"{problem}: {reason}")
        else:
            items.append(problem)
    detail = (
        f"{len(uses)} uses of programs by the start, the health check, shebangs, scripts and"
        " sources"
    )
    return judged(NAME, detail, items, allowed)


def _is_like(path: str, scripts: frozenset[str]) -> bool:
    """A script of a package by its name: where packages lie elsewhere, it does too."""
    return posixpath.basename(path) in map(posixpath.basename, scripts)


def _interpreters(
    original: ImageView, candidate: ImageView, executed: frozenset[str] | None
) -> Iterator[Use]:
    for node in candidate.tree.files():
        if not node.mode & 0o111 or not node.size:
            continue
        words = candidate.shebang(node)
        if not words or not _counts(original, candidate, node, executed):
            continue
        yield Use(words[0], node.path)
        if posixpath.basename(words[0]) == "env" and len(words) > 1:
            target = next(
                (w for w in words[1].split() if not w.startswith("-") and "=" not in w), None
            )
            if target:
                yield Use(target, node.path)


def _counts(
    original: ImageView, candidate: ImageView, node: Node, executed: frozenset[str] | None
) -> bool:
    """A script of either base, or one inside of a package, calls for nothing unless it was
    executed."""
    if executed is not None and node.path in executed:
        return True
    before = original.file(node.path)
    of_a_base = candidate.in_base(node) or (
        executed is not None and before is not None and original.in_base(before)
    )
    return not of_a_base and not _PACKAGES.search(node.path)


def _problem(view: ImageView, use: Use) -> Item | None:
    node = view.command(use.word)
    path = use.word if use.word.startswith("/") else ""
    if node is None:
        return Item("missing-command", use.word, path, use.by)
    if not view.may(EXECUTE, node.path):
        who = view.config.user or "root"
        message = (
            f"{node.path} may not be executed by user {who} (mode {node.mode:o}), needed by"
            f" {use.by}"
        )
        return Item("permission", node.path, node.path, use.by, message)
    if view.shebang(node) and not view.may(READ, node.path):
        message = (
            f"{node.path} may not be read by user {view.config.user or 'root'}, and a script"
            " must be"
        )
        return Item("permission", node.path, node.path, use.by, message)
    return None


def _compilers(original: ImageView, candidate: ImageView, allowances: Allowances) -> Iterator[Item]:
    """Compilers of what is compiled while the service runs, with the headers that they need."""
    facts = [fact for ecosystem in builtin_ecosystems() for fact in ecosystem.must_compile]
    for needed in compilers(original, facts):
        name = posixpath.basename(needed.path)
        if not candidate.exists(needed.path) and f"program:{name}" not in allowances.configuration:
            message = f"{needed.path} is left out: {needed.by}"
            yield Item("missing-file", needed.path, needed.path, needed.by, message)


def _failed_before(original: ImageView, use: Use) -> bool:
    """An interpreter that the same script did not find in the original, or a word that did not lead
    to a program."""
    return _problem(original, use) is not None


def _calls(
    original: ImageView, candidate: ImageView, opened: frozenset[str] | None
) -> Iterator[Use]:
    """Programs that running scripts name, as far as the original has them: rare paths too, that no
    probe takes."""
    for script in running_scripts(candidate, opened):
        for word in called_programs(script_text(script)):
            if original.command(word) is not None:
                yield Use(word, script.path)


def _by_sources(original: ImageView, candidate: ImageView, allowances: Allowances) -> Iterator[Use]:
    """Literal calls in sources that the candidate still has, and packages that drive a program."""
    for word, path in called_by_sources(original):
        kept = is_compiled(path) or any(
            candidate.is_file(place) for place, _ in allowances.places(path)
        )
        if kept and original.command(word) is not None:
            yield Use(word, path)
    for word, path in called_by_settings(original):
        kept = not path.startswith("/") or any(
            candidate.is_file(place) for place, _ in allowances.places(path)
        )
        if kept:
            yield Use(word, path)
    for word, package in called_by_packages(candidate):
        if original.command(word) is not None:
            yield Use(word, package)


CHECK = Check(
    NAME,
    "programs that the start, the health check, scripts and sources call: there, and the user may"
    " execute them",
    lambda given: check_programs(
        given.original, given.candidate, given.allowances, opened=given.opened, named=given.named
    ),
    (
        Mutation(
            "a program that a source calls is lost",
            "convert, needed by",
            without=("usr/bin/convert",),
        ),
        Mutation(
            "a program of the entry script is lost",
            "python3, needed by",
            without=("usr/bin/python3",),
        ),
        Mutation(
            "the user may not execute a program",
            "/usr/bin/convert may not be executed",
            base={"usr/bin/convert": File("elf", 0o700)},
        ),
    ),
)
