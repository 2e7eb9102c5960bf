"""Which objects the given files and folders mean: plain ones as they are; of Kustomize's folders
what `kubectl kustomize` makes of each that no other is made of."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgopt.deploy.prove.objects import (
    CUSTOMIZED,
    Object,
    files_of,
    objects_in,
    read_objects,
)
from imgopt.errors import EnvironmentFailure, InputError, Location

Render = Callable[[Path], str]
_PREFERRED = ("production", "prod")


@dataclass(frozen=True)
class Sources:
    written: tuple[Object, ...]
    """As files say them, with lines."""
    folders: tuple[Path, ...] = ()
    """Of Kustomize, to be rendered."""


def find_sources(given: Sequence[Path]) -> Sources:
    """Raises InputError for what is not there, or is none."""
    plain: list[Path] = []
    folders: list[Path] = []
    for path in given:
        inside = _customized(path) if path.is_dir() else []
        if path.name in CUSTOMIZED:
            inside = [path.parent]
        if inside:
            folders += [one for one in inside if one not in folders]
        else:
            plain += files_of([path])
    used = {each for folder in folders for each in _uses(folder)}
    tops = [one for one in folders if one.resolve() not in used]
    listed = [file for folder in folders for file in _resources(folder)]
    written = read_objects(list(dict.fromkeys([*plain, *listed])))
    if not written and not tops:
        raise InputError("no object of Kubernetes", location=Location(str(given[0])))
    return Sources(tuple(written), tuple(tops))


def _customized(folder: Path) -> list[Path]:
    return sorted({one.parent for name in CUSTOMIZED for one in folder.rglob(name)})


def _settings(folder: Path) -> dict[str, list[str]]:
    """Lists of names of a kustomization file."""
    import yaml

    for name in CUSTOMIZED:
        if (folder / name).is_file():
            try:
                found = yaml.safe_load((folder / name).read_text(encoding="utf-8-sig"))
            except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
                line = getattr(getattr(error, "problem_mark", None), "line", None)
                place = Location(str(folder / name), None if line is None else line + 1)
                raise InputError("not valid YAML", location=place) from None
            wanted = ("resources", "bases", "components")
            lists = found if isinstance(found, dict) else {}
            return {key: [str(one) for one in lists.get(key) or ()] for key in wanted}
    return {}


def _uses(folder: Path) -> set[Path]:
    """Resolved folders that this one is made of."""
    names = [name for each in _settings(folder).values() for name in each]
    return {(folder / name).resolve() for name in names if (folder / name).is_dir()}


def _resources(folder: Path) -> Iterator[Path]:
    for names in _settings(folder).values():
        yield from (folder / name for name in names if (folder / name).is_file())


def preferred(folders: Sequence[Path], wanted: str | None) -> Path | None:
    """The one that is tried on nodes. Raises InputError where `wanted` is none of them."""
    if wanted is not None:
        for one in folders:
            if wanted in (one.name, str(one)):
                return one
        there = ", ".join(one.name for one in folders) or "none"
        raise InputError(f"no overlay {wanted!r}", hint=f"there are: {there}")
    for name in _PREFERRED:
        for one in folders:
            if one.name == name:
                return one
    return folders[-1] if folders else None


def renderer(command: Sequence[str] | None) -> Render | None:
    """kubectl's own Kustomize: of the cluster, else of the PATH; None where there is none."""
    program = list(command) if command else None
    if program is None and (found := shutil.which("kubectl")):
        program = [found]
    if program is None:
        return None
    words = program

    def render(folder: Path) -> str:
        done = subprocess.run(
            [*words, "kustomize", str(folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no words"])[-1]
            raise InputError(f"kubectl kustomize: {said}", location=Location(str(folder)))
        return done.stdout

    return render


def rendered(folder: Path, render: Render | None) -> list[Object]:
    if render is None:
        raise EnvironmentFailure("Kustomize's folders need kubectl", hint="install kubectl")
    return [Object(one.value, str(folder)) for one in objects_in(render(folder), str(folder))]
