"""What a command of a package manager reads: its manifests, and what they name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.facts.managers import Manager
from imgopt.rewrite.lines.paths import (
    between_folders,
    fits_any,
    join,
    names_file,
    parts_of,
    present,
)
from imgopt.rewrite.order.install_commands import Install, after
from imgopt.rewrite.order.named_by_manifests import (
    named_by_settings,
    named_in_folder,
    said_by_manifest,
)
from imgopt.rewrite.order.workspaces import More, json_object, members
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True, slots=True)
class Reads:
    """What an install reads of the context, or the reason why this is not known."""

    files: tuple[str, ...] = ()
    """Paths in the context; a folder that is read as a whole ends with a slash."""
    refused: str = ""
    changes: bool = False
    """It writes into the manifest."""
    missing: bool = False
    """It is refused for a manifest that the context has not where it is looked for."""
    lays: tuple[str, ...] = ()
    """What it makes beside the manifests: the same out of the context, copied later, would lie over
    it."""


def reads(install: Install, context: ContextFiles, folder: str) -> Reads:
    """What an install reads, when its working directory is `folder` of the context ("" is the
    root)."""
    manager = install.manager
    named = named_manifests(install)
    foreign = _elsewhere(install, named, context, folder)
    if foreign:
        return Reads(
            refused=f"`{foreign}` makes {manager.name} read another place of the source tree"
        )
    decided = decided_by_words(install, named)
    if decided is not None:
        return decided
    if is_for_the_machine(install):
        return Reads(tuple(parts_of(context, folder, manager.everywhere_reads)))
    if manager.manifest_options:
        return _closure(install, context, [join(folder, name) for name in named], folder)
    return _manifests(install, named, context, folder) if manager.manifests else Reads()


def decided_by_words(install: Install, named: Sequence[str]) -> Reads | None:
    """What the command's own words decide: it reads the source tree, or changes what is locked."""
    manager = install.manager
    packages = packages_of(install, named)
    command = " ".join(install.words[:3])
    if manager.local and any(
        re.match(manager.local, word) for word in install.arguments if word not in named
    ):
        return Reads(refused=f"`{command}` reads the source tree")
    itself = Reads(refused=f"`{command}` installs the project itself")
    if is_for_the_machine(install):
        return None if packages else itself
    if any(option in install.words for option in manager.changes_with):
        return Reads(refused=f"`{command}` changes what the project has locked", changes=True)
    if packages and _adds(install):
        return Reads(refused=f"`{command}` changes {manager.manifests[0]}", changes=True)
    if manager.fetch.startswith("--") and manager.fetch not in install.words:
        return itself
    return None


def _manifests(install: Install, named: Sequence[str], context: ContextFiles, folder: str) -> Reads:
    """The manifests that it names or looks for, with what they name in turn."""
    manager = install.manager
    rather = [name for name in manager.rather if present(context, join(folder, name))]
    wanted = [join(folder, name) for name in (named or rather or manager.manifests)]
    unlocked = _unlocked(manager, context, folder)
    if unlocked:
        command = " ".join(install.words[:3])
        return Reads(
            refused=f"`{command}` locks {unlocked}, which the project has not locked", changes=True
        )
    missing = [name for name in wanted if not present(context, name)]
    if missing:
        return Reads(
            refused=f"{context.said(missing[0])} is not in the build context", missing=True
        )
    member = member_of(
        manager, context, folder, [path for name in wanted for path in present(context, name)]
    )
    if member:
        return Reads(refused=member)
    extra = [*parts_of(context, folder, manager.optional), *folders_read(manager, context, folder)]
    return _closure(
        install,
        context,
        [path for name in wanted for path in present(context, name)] + extra,
        folder,
    )


def _unlocked(manager: Manager, context: ContextFiles, folder: str) -> str:
    """A dependency that the lock file does not have, where the manager compares the two later on;
    "" for none."""
    locks = manager.locks
    text = context.text(join(folder, locks.file)) if locks is not None else ""
    if locks is None or not re.search(locks.when, text, re.MULTILINE):
        return ""
    manifest = json_object(context.text(join(folder, manager.manifests[0])))
    for kind in locks.kinds:
        listed = manifest.get(kind)
        for name, value in listed.items() if isinstance(listed, dict) else ():
            if isinstance(value, str) and re.search(locks.plain, value):
                entry = locks.entry.replace("{name}", re.escape(name)).replace(
                    "{range}", re.escape(value)
                )
                if not re.search(entry, text, re.MULTILINE):
                    return f"{name} {value}"
    return ""


def folders_read(manager: Manager, context: ContextFiles, folder: str) -> list[str]:
    """Folders that are read as a whole where they hold a file that says so (`.mvn` with its
    `maven.config`)."""
    found = []
    for name, telling in manager.folders.items():
        path = join(folder, name) + "/"
        if any(present(context, path + one) for one in telling):
            found.append(path)
    return found


def member_of(manager: Manager, context: ContextFiles, folder: str, own: Sequence[str]) -> str:
    """Why the manifests in a folder do not stand alone: what is above it makes them a part of
    something larger."""
    for entry in manager.above:
        name, _, text = entry.partition(": ")
        known = bool({name, name.split("/")[0]} & {*manager.manifests, *manager.optional})
        for above in between_folders(folder, ""):
            path = join(above, name)
            beside = above == folder and known
            if path not in context.sizes or path in own or beside:
                continue
            if re.search(text, context.text(path), re.MULTILINE):
                return f"{context.said(path)} makes it a part of something larger"
    return ""


def packages_of(install: Install, named: Sequence[str] = ()) -> list[str]:
    """The words that name packages: no options, nor their values."""
    manager = install.manager
    return [
        word
        for before, word in zip(("", *install.arguments), install.arguments, strict=False)
        if not word.startswith("-") and word not in named and before not in manager.value_options
    ]


def _adds(install: Install) -> bool:
    manager = install.manager
    called = any(after(install.words, command.split()) is not None for command in manager.adds)
    return called and not any(option in install.words for option in manager.adds_not_with)


def is_for_the_machine(install: Install) -> bool:
    """It installs a program for all, not a package for the project (`npm install -g`, `yarn global
    add`)."""
    for said in install.manager.everywhere:
        if said.startswith("-") and said in install.words:
            return True
        if " " in said and after(install.words, said.split()) is not None:
            return True
    return False


def _elsewhere(install: Install, named: Sequence[str], context: ContextFiles, folder: str) -> str:
    """An argument that names another folder or file of the context than the manager reads by
    itself."""
    manager, arguments = install.manager, install.arguments
    before = ""
    if not any(join(folder, name) in context.sizes for name in manager.workspace_files):
        for word in manager.everywhere_below:
            if word in install.words:
                return word
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        option, _, value = word.partition("=")
        last, before = before, word
        if option in manager.manifest_options or word in named:
            continue
        if option in manager.path_options and "://" not in (value or following):
            return word
        if word.endswith((".deb", ".apk", ".rpm")) and "://" not in word:
            return word
        after_option = last.startswith("-") or bool(value)
        if any(
            names_file(part, context, folder, after_option=after_option)
            for part in {value, word}
            if part
        ):
            return word
    return ""


def named_manifests(install: Install) -> list[str]:
    """The manifests that the command names: the values of options (`-r requirements.txt`), or words
    (`shop.sln`)."""
    manager = install.manager
    found, words = [], list(install.arguments)
    for index, word in enumerate(words):
        if manager.named and not word.startswith("-") and re.fullmatch(manager.named, word):
            found.append(word)
        for option in manager.manifest_options:
            if word == option and index + 1 < len(words):
                found.append(words[index + 1])
            elif option.startswith("--") and word.startswith(option + "="):
                found.append(word.partition("=")[2])
            elif (
                len(option) == 2
                and word.startswith(option)
                and len(word) > 2
                and not word.startswith("--")
            ):
                found.append(word[2:])
    return found


def _closure(install: Install, context: ContextFiles, files: list[str], folder: str) -> Reads:
    """The files and what they name; refused where a line of one makes the command read the
    source."""
    manager = install.manager
    done: list[str] = []
    waiting = list(dict.fromkeys(files))
    while waiting:
        path = waiting.pop(0)
        if path in done or any(part.endswith("/") and path.startswith(part) for part in done):
            continue
        if not path.endswith("/") and path not in context.sizes:
            return Reads(refused=f"{context.said(path)} is not in the build context")
        done.append(path)
        more = _more(install, context, path, folder)
        if more.refused:
            return Reads(refused=more.refused)
        waiting += more.files
    beside = [posixpath.dirname(path) for path in done if _is_manifest(manager, path)]
    lays = [join(one, name) for one in dict.fromkeys(beside) for name in manager.lays]
    lays += [place for path in done for place in _made_by(manager, context, path)]
    kept = any(option in install.words for option in manager.lays_not_with)
    return Reads(
        tuple(done), lays=tuple(lay for lay in lays if not (kept and lay in context.sizes))
    )


def _made_by(manager: Manager, context: ContextFiles, path: str) -> list[str]:
    """Folders that a file which is read has the installation fill."""
    if not manager.lays_named:
        return []
    files = present(context, path) if path.endswith("/") else [path]
    return [
        join(posixpath.dirname(one), name)
        for one in files
        for pattern, line in manager.lays_named.items()
        if fnmatchcase(posixpath.basename(one), pattern)
        for name in re.findall(line, context.text(one), re.MULTILINE)
    ]


def _more(install: Install, context: ContextFiles, path: str, folder: str) -> More:
    """What a file makes its manager read beside it."""
    manager = install.manager
    if path.endswith("/"):
        return named_in_folder(manager, context, path, folder)
    text = context.text(path)
    if fits_any(posixpath.basename(path), manager.settings):
        return named_by_settings(context, path, text, folder)
    more = (
        said_by_manifest(install, context, path, text, folder)
        if _is_manifest(manager, path)
        else More()
    )
    if (
        more.refused
        or not manager.workspaces
        or not re.search(manager.workspaces, text, re.MULTILINE)
    ):
        return more
    found = members(path, text, context)
    return More((*more.files, *found.files), found.refused)


def read_with(manager: Manager, context: ContextFiles, files: Iterable[str], folder: str) -> More:
    """Files that a command reads beside its manifest, with what the settings among them name."""
    done: list[str] = []
    for path in files:
        named = More()
        if path.endswith("/"):
            named = named_in_folder(manager, context, path, folder)
        elif fits_any(posixpath.basename(path), manager.settings):
            named = named_by_settings(context, path, context.text(path), folder)
        if named.refused:
            return named
        done += [path, *named.files]
    wholes = [path for path in done if path.endswith("/")]
    return More(
        tuple(
            p
            for p in dict.fromkeys(done)
            if not any(p != one and p.startswith(one) for one in wholes)
        )
    )


def _is_manifest(manager: Manager, path: str) -> bool:
    """Lock files repeat what the manifest says, in forms of their own, and other files that are
    read have forms that mean something else: only manifests are searched."""
    name = posixpath.basename(path)
    if manager.manifest_options or (manager.named and re.fullmatch(manager.named, name)):
        return True
    return fits_any(name, (*manager.manifests, *manager.rather, *manager.searched))
