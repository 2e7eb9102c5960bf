"""Variables whose value every build has anew (a commit, a date), and the steps that read one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.ignored.readers import Readers
from imgopt.rewrite.lines.paths import fits_any
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.command_reads import steers_fetch
from imgopt.rewrite.order.install_commands import Install, recognise, without_prefix
from imgopt.rewrite.order.manifests_read import decided_by_words, named_manifests, reads
from imgopt.rewrite.order.passing import Does
from imgopt.rewrite.order.program_effects import program_of
from imgopt.rewrite.strategy import ContextFiles, Situation

_LONGEST = 1 << 18
_SHOWS_ALL = ("set", "export", "env", "declare", "typeset", "readonly")
"""Commands that print every variable where no word but options follows."""
_INDIRECT = re.compile(r"\$\{!")


def stamped_by_ci(context: ContextFiles, ecosystems: Iterable[Ecosystem]) -> Mapping[str, str]:
    """Build arguments that a file of the project gives a value of its own in every build, each with
    that file."""
    found: dict[str, str] = {}
    for ecosystem in ecosystems:
        stamps = ecosystem.stamps
        if not stamps.values:
            continue
        given = re.compile(rf"(?<![\w$-])([A-Za-z_]\w*)[=:] *[\"']?(?:{'|'.join(stamps.values)})")
        for pattern in stamps.files:
            for path in sorted(context.root.glob(pattern)):
                name = path.relative_to(context.root).as_posix()
                for match in given.finditer(context.text(name, _LONGEST)):
                    found.setdefault(match[1], name)
    return found


def is_stamp(name: str, ecosystems: Iterable[Ecosystem]) -> bool:
    """Whether the name alone says that every build has another value."""
    return any(fits_any(name.upper(), one.stamps.names) for one in ecosystems)


def is_read_by_tools(name: str, ecosystems: Iterable[Ecosystem]) -> bool:
    """Whether compilers, packers or BuildKit look it up, though nothing names it."""
    return any(fits_any(name.upper(), one.stamps.read_by_tools) for one in ecosystems)


def reader_of(situation: Situation, item: Instruction, name: str) -> str:
    """Who in this instruction reads the variable, or may; "" where surely nobody does."""
    text = situation.dockerfile.text[item.extent.start : item.extent.end]
    if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
        return f"{item.keyword} in line {item.line}"
    if item.keyword != "RUN":
        return "ONBUILD" if item.keyword == "ONBUILD" else ""
    return _reader_in_run(situation, item, name)


def _reader_in_run(situation: Situation, run: Instruction, name: str) -> str:
    script = script_of(situation.dockerfile, run)
    if script.unknown or script.substituted or not script.commands:
        return f"`{_short(run.value)}`"
    ecosystems = situation.project.ecosystems
    if steers_fetch(name, ecosystems) and not is_stamp(name, ecosystems):
        return f"`{_short(run.value)}`"
    for command in script.commands:
        if _may_read(situation, command, name):
            return f"`{_short(' '.join(word.text for word in command.words))}`"
    return ""


def _may_read(situation: Situation, command: Command, name: str) -> bool:
    """Whether a command may look the variable up by itself: it is none that is known not to."""
    if not command.words:
        return False
    words = [value if value is not None else "$" for value in command.values]
    texts = [word.text for word in (*command.words, *(one.word for one in command.assignments))]
    if any(map(_INDIRECT.search, texts)):
        return True
    if words[0] in _SHOWS_ALL and all(word.startswith("-") for word in words[1:]):
        return len(words) == 1 or words[0] != "set"
    if not without_prefix(words):
        return False
    ecosystems = situation.project.ecosystems
    install = recognise(words, ecosystems)
    if install is not None:
        return _install_reads(situation, install, name)
    if any(words[0] in one.stamps.ignored_by for one in ecosystems):
        return False
    found = program_of(words, ecosystems)
    return found is None or Does(found[0].does) is Does.UNKNOWN


def _install_reads(situation: Situation, install: Install, name: str) -> bool:
    """Whether an installation runs code of the project, which may read any variable; where its
    manifest is not found, the project must not name this one."""
    decided = decided_by_words(install, named_manifests(install))
    if decided is not None:
        return not decided.changes
    found = reads(install, situation.project.context, "")
    if found.missing:
        return bool(_readers(situation).of_variable(name))
    return bool(found.refused) and not found.changes


def _readers(situation: Situation) -> Readers:
    project = situation.project
    return situation.once(
        ("readers of variables",), lambda: Readers(project.context, project.ecosystems)
    )


def _short(text: str) -> str:
    return " ".join(text.split())[:50]
