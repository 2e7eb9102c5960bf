"""How a project's CI builds its image, as a hint: what it gives to the build beside the context."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgopt.compose.yaml_text import Document, read_yaml
from imgopt.errors import InputError

_FOLDER = ".github/workflows"
_BUILD = re.compile(r"^\s*docker (?:buildx |image )?build (?P<rest>.*)$", re.MULTILINE)
_SIGNS = ("docker/build-push-action", "docker build", "docker buildx build", "docker image build")
_TAKEN = {"-f": "-f", "--file": "-f", "--target": "--target", "--build-arg": "--build-arg"}
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """One step that builds an image: where it stands, the context, and the words of the build that
    hold without the run of the workflow."""

    place: str
    context: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join([self.context, *self.words])


def build_steps(folder: Path) -> list[Step]:
    """Of the workflows of this folder; a file that cannot be read says nothing."""
    found = []
    for path in sorted((folder / _FOLDER).glob("*.y*ml")):
        if path.stat().st_size < _MOST_BYTES and any(sign in _text(path) for sign in _SIGNS):
            try:
                found += list(_steps(read_yaml(path), folder))
            except InputError:
                continue
    return found


def hint(folder: Path) -> str:
    """What the first step that says more than a context gives to the build; "" for none."""
    for step in build_steps(folder):
        if step.words:
            return f"{step.place} builds with: {step}"
    return ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _steps(document: Document, folder: Path) -> Iterator[Step]:
    jobs = document.value.get("jobs") if isinstance(document.value, dict) else None
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        for number, step in enumerate(steps if isinstance(steps, list) else ()):
            if not isinstance(step, dict):
                continue
            place = document.place("jobs", name, "steps", number)
            file = Path(place.file).relative_to(folder)
            yield from _step(step, f"{file}:{place.line}")


def _step(step: Mapping[str, Any], place: str) -> Iterator[Step]:
    if str(step.get("uses", "")).startswith("docker/build-push-action"):
        given = step.get("with")
        yield _action(given if isinstance(given, dict) else {}, place)
    for match in _BUILD.finditer(str(step.get("run", "")).replace("\\\n", " ")):
        if (made := _command(match["rest"], place)) is not None:
            yield made


def _action(given: Mapping[str, Any], place: str) -> Step:
    words: list[str] = []
    for key, option in (("file", "-f"), ("target", "--target")):
        if given.get(key):
            words += [option, str(given[key])]
    for line in str(given.get("build-args") or "").splitlines():
        words += ["--build-arg", line.strip()] if line.strip() else []
    return Step(place, str(given.get("context") or "."), tuple(_known(words)))


def _command(rest: str, place: str) -> Step | None:
    try:
        words = shlex.split(rest, comments=True)
    except ValueError:
        return None
    found, context = [], "."
    at = iter(words)
    for word in at:
        name, sign, value = word.partition("=")
        if name in _TAKEN:
            found += [_TAKEN[name], value if sign else next(at, "")]
        elif name in ("-t", "--tag", "--platform", "--label", "--cache-from", "--cache-to"):
            value = value if sign else next(at, "")
        elif not word.startswith("-"):
            context = word
    return Step(place, context, tuple(_known(found)))


def _known(words: list[str]) -> Iterator[str]:
    """Without what only the run of the workflow or of a shell knows."""
    for option, value in zip(words[::2], words[1::2], strict=True):
        if value and "${{" not in value and "$" not in value:
            yield from (option, value)
