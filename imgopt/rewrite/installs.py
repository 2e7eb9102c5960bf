"""Recognises the commands of package managers in a RUN, and says what each of them reads."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem, Manager
from imgopt.rewrite.strategy import ContextFiles
from imgopt.rewrite.workspaces import More, hooks, members

NEUTRAL = frozenset(
    ["mkdir", "useradd", "groupadd", "adduser", "addgroup", "true", "set", ":", "usermod", "groupmod", "locale-gen"]
)
"""Programs that read nothing of the build context."""


@dataclass(frozen=True, slots=True)
class Install:
    """A command of a package manager."""

    ecosystem: Ecosystem
    manager: Manager
    words: tuple[str, ...]
    arguments: tuple[str, ...]
    """What follows the words that name the command."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What an install reads of the context: `files` (paths in the context) or the reason why this is not known."""

    files: tuple[str, ...] = ()
    refused: str = ""


def recognise(words: Sequence[str], ecosystems: Iterable[Ecosystem]) -> Install | None:
    """The package manager's command that these words call; None for any other command."""
    plain = tuple(_without_prefix(words))
    if not plain:
        return None
    for ecosystem in ecosystems:
        for manager in ecosystem.manager:
            for command in manager.commands:
                rest = _after(plain, command.split())
                if rest is not None:
                    return Install(ecosystem, manager, plain, rest)
    return None


def begins_with(words: Sequence[str], command: str) -> bool:
    """Whether the words call `command` ("go build"), options between its words aside."""
    return _after(tuple(_without_prefix(words)), command.split()) is not None


def _without_prefix(words: Sequence[str]) -> Sequence[str]:
    index = 0
    while index < len(words) and (words[index] in ("sudo", "exec", "env", "command") or _is_assignment(words[index])):
        index += 1
    return words[index:]


def _is_assignment(word: str) -> bool:
    return re.match(r"[A-Za-z_]\w*=", word) is not None


def _after(words: tuple[str, ...], command: list[str]) -> tuple[str, ...] | None:
    """What is left of `words` after the words of `command`, which may have options between them."""
    if not words or not fnmatchcase(posixpath.basename(words[0]) if "/" not in command[0] else words[0], command[0]):
        return None
    rest, options = list(words[1:]), []
    for wanted in command[1:]:
        while rest and rest[0] != wanted and rest[0].startswith("-"):
            options.append(rest.pop(0))
        if not rest or rest[0] != wanted:
            return None
        rest.pop(0)
    if len(command) == 1 and any(not word.startswith("-") for word in rest):
        return None
    return (*options, *rest)


def reads(install: Install, context: ContextFiles, folder: str) -> Reads:
    """What an install reads, when its working directory is `folder` of the context ("" is the root)."""
    manager = install.manager
    named = named_manifests(install)
    foreign = _elsewhere(install, named, context, folder)
    if foreign:
        return Reads(refused=f"`{foreign}` makes {manager.name} read another place of the source tree")
    own_words = [word for word in install.arguments if not word.startswith("-") and word not in named]
    if manager.local and any(re.match(manager.local, word) for word in install.arguments if word not in named):
        return Reads(refused=f"`{' '.join(install.words[:3])}` reads the source tree")
    if manager.fetch.startswith("--") and manager.fetch not in install.words:
        return Reads(refused=f"`{' '.join(install.words[:3])}` installs the project itself")
    if manager.manifest_options:
        return _closure(install, context, [_join(folder, name) for name in named])
    if not manager.manifests:
        return Reads()
    if own_words and manager.name in ("npm", "yarn", "pnpm") and _is_global(install):
        return Reads(tuple(present(context, _join(folder, ".npmrc"))))
    wanted = [_join(folder, name) for name in manager.manifests]
    missing = [name for name in wanted if not present(context, name)]
    if missing:
        return Reads(refused=f"{missing[0]} is not in the build context")
    extra = [path for name in manager.optional for path in present(context, _join(folder, name))]
    return _closure(install, context, [path for name in wanted for path in present(context, name)] + extra)


_FOLDER_OPTIONS = frozenset([
    "--prefix", "-C", "--cwd", "--dir", "--directory", "--project", "--working-dir", "--manifest-path",
    "--gemfile", "--find-links", "--file", "--settings", "-modfile", "--package", "--userconfig"
])  # fmt: skip
"""Options that name a folder or file to read, where it is no manifest."""


def _elsewhere(install: Install, named: Sequence[str], context: ContextFiles, folder: str) -> str:
    """An argument that names another folder or file of the context than the manager reads by itself."""
    arguments = install.arguments
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        option, _, value = word.partition("=")
        if option in install.manager.manifest_options:
            continue
        if option in _FOLDER_OPTIONS and "://" not in (value or following):
            return word
        if word == "-f" and "://" not in following and install.manager.manifest_options:
            return word
        path = _join(folder, word)
        is_path = "/" in word and (path in context.sizes or path in context.folders)
        if word not in named and (is_path or word.endswith((".deb", ".apk", ".rpm"))) and "://" not in word:
            return word
    return ""


def _is_global(install: Install) -> bool:
    return any(word in ("-g", "--global", "--location=global") for word in install.words)


def named_manifests(install: Install) -> list[str]:
    """The values of the options that name a manifest (`-r requirements.txt`)."""
    found, words = [], list(install.arguments)
    for index, word in enumerate(words):
        for option in install.manager.manifest_options:
            if word == option and index + 1 < len(words):
                found.append(words[index + 1])
            elif option.startswith("--") and word.startswith(option + "="):
                found.append(word.partition("=")[2])
            elif len(option) == 2 and word.startswith(option) and len(word) > 2 and not word.startswith("--"):
                found.append(word[2:])
    return found


def _closure(install: Install, context: ContextFiles, files: list[str]) -> Reads:
    """The files and what they include; refused where a line of one makes the command read the source."""
    manager = install.manager
    done: list[str] = []
    waiting = list(dict.fromkeys(files))
    while waiting:
        path = waiting.pop(0)
        if path in done:
            continue
        if path not in context.sizes:
            return Reads(refused=f"{path} is not in the build context")
        done.append(path)
        text = context.text(path)
        more = _more(install, context, path, text) if _is_manifest(path) else More()
        if more.refused:
            return Reads(refused=more.refused)
        waiting += [name for name in more.files if name not in done]
        if manager.include:
            waiting += [
                _join(posixpath.dirname(path), name) for name in re.findall(manager.include, text, re.MULTILINE)
            ]
    return Reads(tuple(done))


def _more(install: Install, context: ContextFiles, path: str, text: str) -> More:
    """What a manifest makes its manager read beside it."""
    manager, known = install.manager, install.ecosystem.hook
    local = re.search(manager.local_lines, text, re.MULTILINE) if manager.local_lines else None
    if local:
        return More(refused=f"{path} refers to the source tree (`{local[0].strip()[:60]}`)")
    hook = re.search(manager.hooks, text, re.MULTILINE) if manager.hooks else None
    if hook and not (known and path.endswith(".json")):
        return More(refused=f"{path} runs the project's own code (`{hook[0].strip()[:60]}`)")
    more = hooks(manager, known, path, text) if hook else More()
    folder = posixpath.dirname(path)
    files = [one for name in more.files for one in present(context, _join(folder, name))]
    if more.refused or not manager.workspaces or not re.search(manager.workspaces, text, re.MULTILINE):
        return More(tuple(files), more.refused)
    found = members(path, text, context)
    return More((*files, *found.files), found.refused)


def _is_manifest(path: str) -> bool:
    """Lock files repeat what the manifest says, in forms of their own: only manifests are searched."""
    name = posixpath.basename(path)
    return not (name.endswith((".lock", "lock.json", "lock.yaml")) or name in ("npm-shrinkwrap.json", "go.sum"))


def present(context: ContextFiles, pattern: str) -> list[str]:
    """Files of the context that match a glob, or that lie in the folder of that name."""
    if pattern in context.sizes:
        return [pattern]
    inside = context.below(pattern.rstrip("/"))
    if "*" not in pattern:
        return inside
    folder = posixpath.dirname(pattern[: pattern.index("*")] + "x")
    return sorted({*inside, *(path for path in context.below(folder) if _fits(path, pattern))})


def _fits(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def _join(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name)).removeprefix("./")
