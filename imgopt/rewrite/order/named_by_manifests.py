"""Files that a manifest, or a file of settings beside it, names: an installation reads them too."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from imgopt.context.facts.managers import Manager
from imgopt.rewrite.lines.paths import (
    between_folders,
    fits_any,
    join,
    parts_of,
    present,
    whole,
)
from imgopt.rewrite.order.install_commands import Install
from imgopt.rewrite.order.workspaces import More, hooks, json_object
from imgopt.rewrite.strategy import ContextFiles


def said_by_manifest(
    install: Install, context: ContextFiles, path: str, text: str, folder: str
) -> More:
    manager, known = install.manager, install.ecosystem.hook
    local = local_line(manager, text)
    if local:
        return More(refused=f"{context.said(path)} refers to the source tree (`{local}`)")
    hook = (
        re.search(manager.hooks, text, re.MULTILINE)
        if manager.hooks and not _leaves_out_hooks(install)
        else None
    )
    if hook and not (known and path.endswith(".json")):
        return More(
            refused=f"{context.said(path)} runs the project's own code (`{hook[0].strip()[:60]}`)"
        )
    more = hooks(manager, known, context.said(path), text) if hook else More()
    beside = posixpath.dirname(path)
    files = [one for name in more.files for one in whole(context, join(beside, name))]
    if manager.named:
        around = between_folders(beside, folder)
        files += [one for above in around for one in parts_of(context, above, manager.optional)]
    return More((*files, *included(manager, text, beside)), more.refused)


def _leaves_out_hooks(install: Install) -> bool:
    options = install.manager.no_hooks
    return bool(options) and all(option in install.words for option in options)


def local_line(manager: Manager, text: str) -> str:
    """The part of a manifest that makes the manager read the source tree; "" for none."""
    said = json_object(text) if manager.dependencies else {}
    if said:
        values = [value for table in manager.dependencies for value in _strings(said.get(table))]
        return next((value[:60] for value in values if re.match(manager.local_values, value)), "")
    found = re.search(manager.local_lines, text, re.MULTILINE) if manager.local_lines else None
    return (found[0].strip()[:60] or found[0]) if found else ""


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, str):
        yield value


def included(manager: Manager, text: str, folder: str) -> list[str]:
    """The other files that a manifest names."""
    found = re.finditer(manager.include, text, re.MULTILINE) if manager.include else ()
    names = [next(group for group in match.groups() if group) for match in found]
    return [join(folder, name.replace("\\", "/")) for name in dict.fromkeys(names)]


def named_in_folder(manager: Manager, context: ContextFiles, path: str, folder: str) -> More:
    """What the settings in a folder name that is read as a whole."""
    files: list[str] = []
    for one in present(context, path):
        if fits_any(posixpath.basename(one), manager.settings):
            more = named_by_settings(context, one, context.text(one), folder)
            if more.refused:
                return more
            files += more.files
    return More(tuple(name for name in files if not name.startswith(path)))


def named_by_settings(context: ContextFiles, path: str, text: str, folder: str) -> More:
    """Files and folders of the context that settings name: mirrors, caches, certificates,
    plugins."""
    beside = posixpath.dirname(path)
    files: list[str] = []
    for line in text.splitlines():
        words = [
            word for word in re.split(r"""[\s"'=:,;<>()\[\]{}]+""", line.partition("#")[0]) if word
        ]
        for word in words[1:] or words:
            for start in dict.fromkeys([folder, beside, posixpath.dirname(beside)]):
                place = join(start, word.removeprefix("//"))
                if not word.strip("./") or set(word) & set("*?[$") or place == path:
                    continue
                if place in context.sizes:
                    files.append(place)
                elif present(context, place):
                    if f"{folder}/".startswith(place + "/"):
                        return More(
                            refused=f"{context.said(path)} names the whole source tree (`{word}`)"
                        )
                    files.append(place + "/")
    return More(tuple(dict.fromkeys(files)))
