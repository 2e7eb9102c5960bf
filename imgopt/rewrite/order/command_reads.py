"""What each command of a RUN reads of the context: its manifests, or what nobody can tell."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.lines.paths import names_file
from imgopt.rewrite.order.copied_files import LaidFiles
from imgopt.rewrite.order.install_commands import Install, recognise
from imgopt.rewrite.order.manifests_read import reads
from imgopt.rewrite.order.passing import Answer, Copied, Does, may_pass
from imgopt.rewrite.order.program_effects import UNKNOWN, Effect, effect_of, program_of
from imgopt.rewrite.order.target_paths import Ground
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True, slots=True)
class Need:
    """What one command reads of what the copies bring, or why it cannot come before them."""

    does: Does = Does.NOTHING
    files: tuple[str, ...] = ()
    """Paths of the image; a folder that is read as a whole ends with a slash."""
    refused: str = ""
    lays: tuple[str, ...] = ()
    """Paths of the image where it installs to: the same, copied later, would lie over it."""

    @property
    def installs(self) -> bool:
        """It is a package manager's installation, which is worth not to be run again."""
        return self.does in (Does.INSTALLS, Does.INSTALLS_LISTED)


def need_of(
    command: Command, workdir: str, ground: Ground, ecosystems: Iterable[Ecosystem]
) -> Need:
    """What a command of a RUN reads of what the copies bring, by the table of `passing`."""
    if (
        command.background
        or command.cwd is None
        or any(value is None for value in command.values)
        or _reads(command)
    ):
        return Need(refused=f"`{_short(command)}` cannot be read with certainty")
    words = [value for value in command.values if value is not None]
    cwd = posixpath.normpath(posixpath.join(workdir, command.cwd))
    if _redirects_into(command, cwd, ground):
        return Need(refused=f"`{_short(command)}` writes into what is copied")
    said = [
        word.partition("=")[::2] for word in words if re.match(r"[A-Za-z_]\w*=", word)
    ]  # env A=b, export A=b
    led = led_by(
        [*((item.name, item.value) for item in command.assignments), *said], cwd, ground, ecosystems
    )
    if led:
        return Need(refused=f"${led} leads into the source")
    if not words:
        return Need()
    install = recognise(words, ecosystems)
    return (
        _installed(install, command, cwd, ground)
        if install
        else _other(command, words, cwd, ground, ecosystems)
    )


def _installed(install: Install, command: Command, cwd: str, ground: Ground) -> Need:
    found = reads(install, ground.laid(), cwd)
    outside = bool(found.refused) and not found.changes and not ground.is_below(cwd)
    if outside:
        return Need(refused=f"`{_short(command)}` runs outside what is copied")
    if found.refused:
        return Need(Does.CHANGES_MANIFEST if found.changes else Does.UNKNOWN, refused=found.refused)
    target = next((one for one in _targets(install, cwd) if ground.touches(one)), None)
    if target is not None:
        return Need(refused=f"`{_short(command)}` installs into what is copied ({target})")
    does = Does.INSTALLS_LISTED if found.files else Does.INSTALLS
    return Need(does, found.files, lays=found.lays)


def _targets(install: Install, cwd: str) -> Iterable[str]:
    """Folders that options name to install into."""
    words = install.arguments
    for word, following in zip(words, [*words[1:], ""], strict=False):
        option, equals, value = word.partition("=")
        if option in install.manager.target_options:
            yield posixpath.normpath(posixpath.join(cwd, value if equals else following))


def _other(
    command: Command,
    words: Sequence[str],
    cwd: str,
    ground: Ground,
    ecosystems: Iterable[Ecosystem],
) -> Need:
    """A command that installs nothing."""
    found = program_of(words, ecosystems)
    effect = effect_of(*found, cwd, ground) if found is not None else UNKNOWN
    if may_pass(effect.does, Copied.SOURCE) is Answer.STAYS:
        return Need(effect.does, refused=f"`{_short(command)}` may read the source")
    written = any(_is_touched(effect, path, ground) for path in effect.writes)
    if written and may_pass(effect.does, Copied.WRITTEN) is Answer.STAYS:
        return Need(effect.does, refused=f"`{_short(command)}` writes into what is copied")
    if may_pass(effect.does, Copied.READ) is Answer.STAYS and effect.does is not Does.NOTHING:
        named = next((word for word in words[1:] if _is_brought(word, cwd, ground)), None)
        if named is not None:
            return Need(effect.does, refused=f"`{_short(command)}` may read the source")
    return Need(effect.does, lays=(effect.fills,) if effect.fills else ())


def _is_touched(effect: Effect, path: str, ground: Ground) -> bool:
    return ground.touches(path) if effect.surely else ground.brings(path)


def _is_brought(word: str, cwd: str, ground: Ground) -> bool:
    for path in [word.partition("=")[2], word] if "=" in word else [word]:
        place = posixpath.normpath(
            posixpath.join(cwd, path.removeprefix("@").removeprefix("file://"))
        )
        if names_file(path, ground.laid(), cwd, after_option=True) and ground.brings(place):
            return True
    return False


def _reads(command: Command) -> bool:
    return any("<" in redirection.operator for redirection in command.redirections)


def _redirects_into(command: Command, cwd: str, ground: Ground) -> bool:
    """Whether its output goes to where the source goes, or to where nobody can tell."""
    for redirection in command.redirections:
        target = redirection.target.value if redirection.target is not None else None
        if ">" not in redirection.operator or (
            redirection.operator == ">&" and (target or "").isdigit()
        ):
            continue
        if target is None or ground.touches(posixpath.normpath(posixpath.join(cwd, target))):
            return True
    return False


def led_by(
    variables: Iterable[tuple[str, str | None]],
    cwd: str,
    ground: Ground,
    ecosystems: Iterable[Ecosystem],
) -> str:
    """The name of a variable that leads a program to what the copies bring (`PIP_CONSTRAINT`); ""
    for none."""
    variables = list(variables)
    if not variables:
        return ""
    patterns = [pattern.upper() for ecosystem in ecosystems for pattern in ecosystem.variables]
    for name, value in variables:
        if not any(fnmatchcase(name.upper(), pattern) for pattern in patterns):
            continue
        if value is None or any(_names_something(word, cwd, ground) for word in _path_words(value)):
            return name
    return ""


_EVERYWHERE = ("PATH", "HOME", "*_PROXY")


def steers_fetch(name: str, ecosystems: Iterable[Ecosystem]) -> bool:
    """Whether a variable says where a fetch finds its tool, its packages or its settings, or where
    it puts them."""
    upper = name.upper()
    if any(fnmatchcase(upper, pattern) for pattern in _EVERYWHERE):
        return True
    found = [
        one
        for one in ecosystems
        if any(fnmatchcase(upper, pattern.upper()) for pattern in one.variables)
    ]
    return any(
        not any(fnmatchcase(upper, pattern.upper()) for pattern in one.compiles_with)
        for one in found
    )


def writes_file(command: Command) -> bool:
    """Whether the shell writes its output to a file."""
    for redirection in command.redirections:
        target = redirection.target.value if redirection.target is not None else None
        if ">" not in redirection.operator or (target or "").startswith("/dev/"):
            continue
        if not (redirection.operator == ">&" and ((target or "").isdigit() or target == "-")):
            return True
    return False


def _path_words(value: str) -> list[str]:
    return [
        word.removeprefix("//") for word in re.split(r"[\s=:,;\"']+", value) if word.strip("./")
    ]


def _names_something(word: str, cwd: str, ground: Ground) -> bool:
    if set(word) & set("*?[$") or (word.startswith("-") and "/" not in word):
        return False
    place = posixpath.normpath(posixpath.join(cwd, word))
    return ground.brings(place) and ("/" in word or place in ground.laid().sizes)


def prepares_nothing(words: Sequence[str], ecosystems: Iterable[Ecosystem]) -> bool:
    """Whether a later command of the same step can do without it (`mkdir`, `echo`, `export`)."""
    found = program_of(words, ecosystems)
    return (
        found is not None and found[0].does in (Does.NOTHING, Does.FOLDERS) and not found[0].makes
    )


def is_setting(words: Sequence[str], ecosystems: Iterable[Ecosystem]) -> bool:
    """Whether the command sets up a package manager for the user that runs it, not for the
    project."""
    found = program_of(words, ecosystems)
    if found is None or found[0].does != Does.SETTINGS:
        return False
    program, rest = found
    nowhere = Ground((), ContextFiles(Path(), {}), lambda: LaidFiles(Path(), {}), "/")
    effect = effect_of(program, rest, "/", nowhere)
    return effect.does is Does.SETTINGS and not effect.writes


def _short(command: Command) -> str:
    return " ".join(word.text for word in command.words)[:60]
