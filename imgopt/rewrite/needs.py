"""What each command of a RUN reads of the context: its manifests, or what nobody can tell."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.installs import NEUTRAL, begins_with, reads, recognise
from imgopt.rewrite.laid import LaidFiles
from imgopt.rewrite.steps import SourceCopy
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True, slots=True)
class Need:
    """What one command reads of what the copies bring, or why it cannot come before them."""

    files: tuple[str, ...] = ()
    """In the context."""
    laid: tuple[str, ...] = ()
    """The same, as paths of the image, where that was looked at."""
    refused: str = ""
    installs: bool = False
    """It is a package manager's installation, which is worth not to be run again."""


def need_of(
    command: Command,
    workdir: str,
    copies: Sequence[SourceCopy],
    context: ContextFiles,
    laid: Callable[[], LaidFiles],
    ecosystems: Iterable[Ecosystem],
) -> Need:
    """What a command of a RUN reads of what the copies bring. `laid`: all that COPY lines above it brought."""
    if command.background or command.cwd is None or any(value is None for value in command.values) or _reads(command):
        return Need(refused=f"`{_short(command)}` cannot be read with certainty")
    words = [value for value in command.values if value is not None]
    cwd = posixpath.normpath(posixpath.join(workdir, command.cwd))
    if _writes(command, cwd, copies):
        return Need(refused=f"`{_short(command)}` writes into what is copied")
    if not words:
        return Need()
    install = recognise([_relative(word, cwd) for word in words], ecosystems)
    if install is None:
        return Need() if _is_neutral(words, copies) else Need(refused=f"`{_short(command)}` may read the source")
    copy = next((item for item in copies if item.in_context(cwd) is not None), None)
    if copy is None or any(item.files for item in copies):
        found = reads(install, laid(), cwd)
        outside = f"`{_short(command)}` runs outside what is copied" if copy is None else ""
        return Need(refused=outside or found.refused) if found.refused else Need(laid=found.files, installs=True)
    folder = copy.in_context(cwd) or ""
    found = reads(install, context, "" if folder == "." else folder)
    if found.refused:
        return Need(refused=found.refused)
    foreign = next((path for path in found.files if not copy.brings(path)), None)
    return Need(refused=f"{foreign} is not copied by this COPY") if foreign else Need(found.files, installs=True)


def _reads(command: Command) -> bool:
    return any("<" in redirection.operator for redirection in command.redirections)


def _writes(command: Command, cwd: str, copies: Sequence[SourceCopy]) -> bool:
    """Whether its output goes to where the source goes, or to where nobody can tell."""
    for redirection in command.redirections:
        target = redirection.target.value if redirection.target is not None else None
        if ">" not in redirection.operator or (redirection.operator == ">&" and (target or "").isdigit()):
            continue
        if target is None or _is_copied(posixpath.join(cwd, target), copies):
            return True
    return False


def _is_copied(path: str, copies: Sequence[SourceCopy]) -> bool:
    return any(copy.in_context(posixpath.normpath(path)) is not None for copy in copies)


def _names_elsewhere(words: Sequence[str], copies: Sequence[SourceCopy]) -> bool:
    """Whether all its arguments are whole paths that the source does not go to."""
    paths = [word for word in words[1:] if not word.startswith("-")]
    return all(path.startswith("/") and not _is_copied(path, copies) for path in paths)


def _relative(word: str, cwd: str) -> str:
    """A word that names a path below the working directory, as a relative one that cannot be taken for a package."""
    inside = word.startswith(cwd.rstrip("/") + "/") and cwd != "/"
    return "./" + posixpath.relpath(word, cwd) if inside else word


_SETTINGS = frozenset(["npm config", "yarn config", "pnpm config", "poetry config", "pip config", "corepack enable"])


_CLEANING = (
    "apt-get clean", "apt-get autoclean", "apt-get autoremove", "apt-get remove", "apt-get purge", "apt clean",
    "apt autoremove", "yum clean", "dnf clean", "microdnf clean", "apk del", "conda clean", "mamba clean",
    "micromamba clean", "pip cache", "ldconfig",
)  # fmt: skip
"""Commands that tidy up behind installations."""


def is_setting(words: Sequence[str]) -> bool:
    """Whether the command sets up a package manager for the user that runs it, not for the project."""
    return " ".join(words[:2]) in _SETTINGS and not any(part in word for word in words for part in ("local", "project"))


def _is_neutral(words: Sequence[str], copies: Sequence[SourceCopy]) -> bool:
    if words[0] == "cd":
        return True
    if words[0] == "rm":
        return _names_elsewhere(words, copies)
    if words[0] in ("npm", "yarn") and "cache" in words[1:3]:
        return True
    if is_setting(words) or words[0] in ("echo", "printf") or words[0].startswith("docker-php-ext-"):
        return True
    if words[1:3] == ["-m", "venv"] or any(begins_with(words, command) for command in _CLEANING):
        return True
    if words[0] == "tee" or (words[0] == "gpg" and "--dearmor" in words):
        return _names_elsewhere(words, copies)
    if words[0] in ("curl", "wget"):
        return not any(word.startswith("@") or word in ("-T", "--upload-file", "--config", "-K") for word in words)
    if words[0] not in NEUTRAL:
        return False
    return all(not word.startswith("/") or not any(copy.in_context(word) for copy in copies) for word in words[1:]) or (
        words[0] in ("set", "mkdir", "true", ":")
    )


def _short(command: Command) -> str:
    return " ".join(word.text for word in command.words)[:60]
