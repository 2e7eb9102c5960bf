"""What the user named, as parts that are judged by themselves: the objects of a folder, a
Kustomization, a Compose project."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from imgopt.deploy.check.given import STDIN, Inputs, Part
from imgopt.deploy.check.kustomize import KUSTOMIZATIONS, built, taken_by
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.objects import is_object, read_objects
from imgopt.deploy.check.yaml_nodes import documents
from imgopt.errors import InputError, Location

CHART = "Chart.yaml"
_ENDINGS = (".yaml", ".yml", ".json")
_COMPOSE = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
_OURS = re.compile(r"^(?:apiVersion|kind|services)\s*:|\"(?:apiVersion|kind)\"\s*:", re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{")
_BUILDS = "skaffold/"
_MOST_FILES = 5_000
_SKIPPED = ("node_modules", "vendor", "__pycache__")


def read_inputs(paths: Sequence[Path]) -> Inputs:
    """Everything that can be read; what cannot is in `not_checked`, `bad` where the user named
    it."""
    inputs = Inputs()
    loose: list[Path] = []
    for path in paths:
        if path.is_dir() and str(path) != STDIN:
            _folder(inputs, path)
        else:
            loose.append(path)
    _together(inputs, loose, bad=True)
    return inputs


def _folder(inputs: Inputs, top: Path) -> None:
    count = 0
    for folder, found in _walked(inputs, top):
        count += len(found)
        if count > _MOST_FILES:
            inputs.tell(str(folder), f"more than {_MOST_FILES} files", Location(str(folder)))
            break
        _together(inputs, found, bad=False)
    if not inputs.parts and not any(one.bad for one in inputs.not_checked):
        reason = "no Kubernetes object, Kustomization or Compose file here could be read"
        inputs.tell(str(top), reason, Location(str(top)), "name the files", bad=True)


def _walked(inputs: Inputs, top: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Folders with their files; Kustomizations that another one takes come with that one."""
    folders: list[tuple[Path, list[Path]]] = []
    for name, inner, names in os.walk(top):
        folder = Path(name)
        inner[:] = sorted(n for n in inner if n not in _SKIPPED and not n.startswith("."))
        if CHART in names:
            _chart(inputs, folder, bad=folder == top)
            inner[:] = [n for n in inner if n not in ("templates", "charts", "crds")]
            continue
        folders.append((folder, [folder / n for n in sorted(names)]))
    taken = {
        path.resolve()
        for folder, files in folders
        for path in files
        if path.name in KUSTOMIZATIONS
        for path in taken_by(path)
    }
    for folder, files in folders:
        if folder.resolve() in taken:
            continue
        kept = [p for p in files if p.resolve() not in taken and _maybe(p)]
        own = [p for p in kept if p.name in KUSTOMIZATIONS]
        yield folder, own or kept


def _maybe(path: Path) -> bool:
    return path.name in KUSTOMIZATIONS or path.suffix in _ENDINGS


def _chart(inputs: Inputs, folder: Path, *, bad: bool) -> None:
    inputs.tell(
        str(folder),
        "a Helm chart: its templates are not rendered here",
        Location(str(folder / CHART)),
        f"helm template {folder} | imgopt deploy check -",
        bad,
    )


def _together(inputs: Inputs, paths: Sequence[Path], *, bad: bool) -> None:
    """Files of one folder, or those that the user named."""
    compose: dict[Path, list[Path]] = {}
    nodes: list[Node] = []
    files: list[str] = []
    for path in paths:
        try:
            found = _nodes(inputs, path, bad=bad)
        except InputError as error:
            if bad or _ours(inputs, path):
                inputs.refused(error, path, bad=bad)
            continue
        if path.name in KUSTOMIZATIONS or (found and found[0]["kind"].text == "Kustomization"):
            _kustomization(inputs, path, bad)
        elif _is_compose(path, found):
            compose.setdefault(path.parent, []).append(path)
        elif found and found[0]["apiVersion"].text.startswith(_BUILDS):
            artifacts = [item for node in found for item in node.find("build", "artifacts").items]
            inputs.built |= {item["image"].text for item in artifacts}
        elif any(is_object(node) for node in found):
            files.append(str(path))
            nodes += found
        elif bad and found is not None:
            reason = "neither a Kubernetes object (apiVersion, kind) nor a Compose file (services)"
            inputs.tell(str(path), reason, Location(str(path)), bad=True)
    if nodes:
        inputs.parts.append(Part(files, read_objects([n for n in nodes if is_object(n)])))
        _strangers(inputs, nodes)
    for of in compose.values():
        _project(inputs, of if bad else _chosen(of), bad)


def _strangers(inputs: Inputs, nodes: Sequence[Node]) -> None:
    for node in nodes:
        if not is_object(node):
            reason = "a document without apiVersion and kind"
            inputs.tell(node.file, reason, Location(node.file, node.line))


def _nodes(inputs: Inputs, path: Path, *, bad: bool) -> list[Node]:
    """Raises InputError."""
    text = inputs.text(path)
    if not bad and path.name not in KUSTOMIZATIONS and not _OURS.search(text):
        return []
    try:
        return documents(text, str(path))
    except InputError as error:
        found = _TEMPLATE.search(text)
        if found is None:
            raise
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(
            "a template ({{ }}), which is not rendered here",
            location=Location(str(path), line),
            hint=f"helm template {_chart_of(path)} | imgopt deploy check -",
        ) from error


def _chart_of(path: Path) -> str:
    folders = list(path.parents)[:4]
    return str(next((folder for folder in folders if (folder / CHART).is_file()), "CHART"))


def _ours(inputs: Inputs, path: Path) -> bool:
    return _OURS.search(inputs.texts.get(str(path), "")) is not None


def _is_compose(path: Path, found: Sequence[Node]) -> bool:
    if not found or is_object(found[0]):
        return False
    first = found[0]
    named = _COMPOSE.fullmatch(path.name) is not None
    return bool(first["services"].table) or (named and first["include"].there)


def _kustomization(inputs: Inputs, path: Path, bad: bool) -> None:
    try:
        part = Part([str(path)], built(inputs, path))
    except InputError as error:
        inputs.refused(error, path, bad=bad)
        return
    inputs.parts.append(part)


def _chosen(files: Sequence[Path]) -> list[Path]:
    """Of a folder's Compose files: the first with what is for production; else with what Compose
    takes by itself."""
    from imgopt.compose.files import compose_files

    usual = [path for path in compose_files(files[0].parent, {}) if path in files]
    if not usual:
        return [files[0]]
    prod = [path for path in files if re.search(r"[.-]prod", path.name)]
    return [usual[0], prod[0]] if prod else usual


def _project(inputs: Inputs, files: Sequence[Path], bad: bool) -> None:
    from imgopt.deploy.check.services import services

    if str(files[0]) == STDIN:
        reason = "a Compose file is read with what lies beside it, which standard input has not"
        inputs.tell(STDIN, reason, Location(STDIN), "name the file", bad=True)
        return
    try:
        found, absent = services(files)
    except InputError as error:
        inputs.refused(error, files[-1], bad=bad)
        return
    for one in absent:
        place = one.location or Location(str(files[0]))
        inputs.tell("variables of a service", one.message, place, one.hint or "")
    part = Part([str(path) for path in files])
    part.objects.workloads += found
    inputs.parts.append(part)
