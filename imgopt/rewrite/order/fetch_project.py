"""What a project depends on, installed before its source is there from the metadata that it
declares (`pip install .`).

Source: "pyproject.toml specification", `dependencies`, `optional-dependencies` and `dynamic`
(packaging.python.org).
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Sequence

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.image.packages.names import plain_name
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import recognise
from imgopt.rewrite.order.manifests_read import named_manifests
from imgopt.rewrite.strategy import ContextFiles, Situation

METADATA = "pyproject.toml"
_ITSELF = re.compile(r"\./?(?:\[(?P<extras>[\w.,-]+)\])?\Z")
_HARMLESS = re.compile(
    r"-[qvU]+\Z|--(?:quiet|verbose|upgrade|user|no-cache-dir|no-compile|no-input|prefer-binary|use-pep517"
    r"|disable-pip-version-check|break-system-packages|no-warn-script-location)\Z"
    r"|--(?:root-user-action|default-timeout|timeout|retries|progress-bar|index-url|extra-index-url|trusted-host)=\S+\Z"
)
_EDITABLE = ("-e", "--editable")
_LOCAL = re.compile(r"@\s*(?:file:|[./])|\{root")


def itself(situation: Situation, command: Command) -> Manager | None:
    """The manager whose command installs the project of its working directory, and could do so by
    its metadata."""
    words = [value or "" for value in command.values]
    install = recognise(words, situation.project.ecosystems)
    if install is None or not install.manager.fetch_project or None in command.values:
        return None
    return install.manager if any(_ITSELF.match(word) for word in install.arguments) else None


def project_command(
    situation: Situation,
    run: Instruction,
    command: Command,
    manager: Manager,
    context: ContextFiles,
    folder: str,
) -> tuple[str, str]:
    """The shell command that installs the dependencies of the project in `folder` of the context,
    and why there is none; both empty where there is nothing to do ahead."""
    if not _can_read_it(situation, run, manager) or _has_requirements(situation, run):
        return "", ""
    extras, strange = _arguments(situation, command)
    if strange:
        return "", f"`{strange}` changes what {manager.name} installs"
    lists, refused = _declared(context, folder, extras)
    if not lists or refused:
        return "", refused
    python, install = _programs(command)
    expression = ", ".join(f"*p{name}" for name in lists)
    shell = manager.fetch_project.replace("{python}", python).replace("{lists}", expression)
    return shell.replace("{install}", install), ""


def _can_read_it(situation: Situation, run: Instruction, manager: Manager) -> bool:
    base = situation.dockerfile.stages[run.stage].root.base
    return bool(re.search(manager.fetch_project_base, str(base)))


def _has_requirements(situation: Situation, run: Instruction) -> bool:
    """An earlier step installs a list of requirements: the author has a way of his own."""
    for item in situation.dockerfile.stages[run.stage].instructions:
        if item is run:
            break
        for command in (
            script_of(situation.dockerfile, item).commands if item.keyword == "RUN" else ()
        ):
            install = recognise(
                [value or "" for value in command.values], situation.project.ecosystems
            )
            if install is not None and install.manager.fetch_project and named_manifests(install):
                return True
    return False


def _arguments(situation: Situation, command: Command) -> tuple[list[str], str]:
    """The extras that the command asks for, and an argument that a step ahead could not follow."""
    install = recognise([value or "" for value in command.values], situation.project.ecosystems)
    assert install is not None
    extras: list[str] = []
    for word in install.arguments:
        match = _ITSELF.match(word)
        if match:
            extras += (match["extras"] or "").split(",") if match["extras"] else []
        elif word not in _EDITABLE and not _HARMLESS.match(word):
            return [], word
    return extras, ""


def _declared(context: ContextFiles, folder: str, extras: Sequence[str]) -> tuple[list[str], str]:
    """Keys, below `project`, of the lists to install; and why they do not say all."""
    path = posixpath.normpath(posixpath.join(folder, METADATA))
    if path not in context.sizes:
        return [], ""
    try:
        project = tomllib.loads(context.text(path)).get("project", {})
    except tomllib.TOMLDecodeError:
        return [], f"{METADATA} cannot be read"
    if "name" not in project or (
        "dependencies" not in project and "dependencies" not in project.get("dynamic", [])
    ):
        return [], ""
    if {"dependencies", "optional-dependencies"} & set(project.get("dynamic", [])):
        return [], f"{METADATA} leaves its dependencies to another file"
    optional = project.get("optional-dependencies", {})
    missing = next((name for name in extras if name not in optional), None)
    if missing is not None:
        return [], f"{METADATA} spells the extra `{missing}` otherwise"
    wanted = [*project["dependencies"], *(item for name in extras for item in optional[name])]
    near = next(
        (item for item in wanted if _LOCAL.search(item) or _plain(item) == _plain(project["name"])),
        None,
    )
    if near is not None:
        return [], f"{METADATA} refers to the source tree (`{near}`)"
    lists = ["['dependencies']", *(f"['optional-dependencies']['{name}']" for name in extras)]
    return (lists if wanted else []), ""


def _plain(requirement: str) -> str:
    """The normalised name at the begin of a requirement."""
    name = re.match(r"[\w.-]+", requirement)
    return plain_name(name[0]) if name else ""


def _programs(command: Command) -> tuple[str, str]:
    """The interpreter beside the installer, and the words of the command without the project
    itself."""
    kept = [
        w.text
        for w in command.words
        if not _ITSELF.match(w.value or "") and w.value not in _EDITABLE
    ]
    first = command.words[0].text
    name = posixpath.basename(first)
    python = (
        first
        if not name.startswith("pip")
        else posixpath.join(posixpath.dirname(first), "python" + name[3:])
    )
    return python, " ".join(kept)
