"""Projects of a few files, and many of them built at once by the real engine (`docker buildx
bake`)."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgopt.cache.isolate import built_steps, isolated
from imgopt.cache.predict import Prediction, predict
from imgopt.cache.state import State, read_state
from imgopt.context.files import BytesContent
from imgopt.dockerfile import find_ignore_file
from imgopt.engine.rawjson import Progress

BASE = "imgopt.test/base"
"""The name in FROM; the kit puts an image of this machine in its place."""


@dataclass(frozen=True)
class Link:
    """A symbolic link in a project's files."""

    to: str


@dataclass(frozen=True)
class Mode:
    """A file with permission bits; `text` None is a directory."""

    text: str | None
    mode: int


File = str | Link | Mode | None


@dataclass(frozen=True)
class Project:
    """One state: the Dockerfile, files by path (None: an empty directory) and build arguments."""

    dockerfile: str
    files: Mapping[str, File] = field(default_factory=dict)
    args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None

    def but(
        self,
        files: Mapping[str, File] | None = None,
        without: Sequence[str] = (),
        **changes: object,
    ) -> Project:
        """This project with other files or fields."""
        kept = {path: file for path, file in self.files.items() if path not in without}
        return replace(self, files={**kept, **(files or {})}, **changes)  # type: ignore[arg-type]


def write(project: Project, folder: Path) -> None:
    """Makes a folder hold exactly this project; what does not change keeps its time."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted: dict[str, File] = {"Dockerfile": project.dockerfile, **project.files}
    _remove_others(folder, wanted)
    for path, file in wanted.items():
        _write_one(folder / path, file)


def _remove_others(folder: Path, wanted: Mapping[str, File]) -> None:
    keep = {Path(path) for path in wanted} | {
        parent for path in wanted for parent in Path(path).parents
    }
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.relative_to(folder) not in keep:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _write_one(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(file, Link):
        if not path.is_symlink() or str(path.readlink()) != file.to:
            path.unlink(missing_ok=True)
            path.symlink_to(file.to)
        return
    text, mode = (
        (file.text, file.mode)
        if isinstance(file, Mode)
        else (file, 0o755 if file is None else 0o644)
    )
    if path.is_symlink():
        path.unlink()
    if text is None:
        path.mkdir(exist_ok=True)
    elif not path.is_file() or path.read_bytes() != text.encode():
        path.write_bytes(text.encode())
        os.utime(path, ns=(time.time_ns(), time.time_ns()))
    path.chmod(mode)


@dataclass(frozen=True)
class Case:
    """Two states of a project, built one after the other."""

    name: str
    before: Project
    after: Project


@dataclass(frozen=True)
class Judged:
    """What was predicted for each step of the second build, and what the engine did ("hit" or
    "miss")."""

    case: Case
    prediction: Prediction
    measured: tuple[str | None, ...]

    @property
    def predicted(self) -> tuple[str, ...]:
        return tuple(step.verdict for step in self.prediction.steps)

    @property
    def wrong(self) -> tuple[str, ...]:
        """Lines that say which decided predictions the engine did not confirm."""
        return tuple(
            f"{self.case.name}: line {step.step.line} {step.step.instruction!r}: predicted {step.verdict} "
            f"({step.reason}), measured {real}"
            for step, real in zip(self.prediction.steps, self.measured, strict=True)
            if step.verdict != "unknown" and real is not None and step.verdict != real
        )


class Bench:
    """Builds cases in batches on the engine, each case with its own nonce."""

    def __init__(self, folder: Path, image: str) -> None:
        self.folder = folder
        self.image = image

    def judge(self, cases: Sequence[Case]) -> list[Judged]:
        """Builds every case's first state, then every second one; what was predicted and what
        happened."""
        nonces = {case.name: secrets.token_hex(6) for case in cases}
        before = {
            case.name: self.prepare(case.name, case.before, nonces[case.name]) for case in cases
        }
        self._bake({case.name: case.before for case in cases})
        after = {
            case.name: self.prepare(case.name, case.after, nonces[case.name]) for case in cases
        }
        built = self._bake({case.name: case.after for case in cases})
        return [
            self._judge(case, before[case.name], after[case.name], built[case.name])
            for case in cases
        ]

    def _judge(self, case: Case, before: State, after: State, progress: Progress) -> Judged:
        prediction = predict(before, after)
        steps = built_steps(after, progress.steps())
        measured = tuple(
            None if (one := steps.get(step.step)) is None else "hit" if one.cached else "miss"
            for step in prediction.steps
        )
        return Judged(case, prediction, measured)

    def prepare(self, name: str, project: Project, nonce: str) -> State:
        """Writes the project; its state, with the contents of links and files as they are now."""
        folder = self.folder / name
        write(project, folder)
        state = read_state(folder, target=project.target, build_args=project.args)
        for path, entry in state.tree.files():
            if entry.content is not None:
                entries = state.tree.entries
                assert isinstance(entries, dict)
                entries[path] = replace(entry, content=_frozen(folder / path))
        text = isolated(state.dockerfile, state.dockerfile.stages, lambda _: nonce)
        (self.folder / f"{name}.Dockerfile").write_bytes(text.replace(BASE, self.image).encode())
        ignore = find_ignore_file(folder, folder / "Dockerfile")
        text = ignore.read_text() if ignore else ""
        (self.folder / f"{name}.Dockerfile.dockerignore").write_text(text or "# nothing\n")
        return state

    def _bake(self, projects: Mapping[str, Project]) -> dict[str, Progress]:
        targets = {
            name: {
                "context": str(self.folder / name),
                "dockerfile": str(self.folder / f"{name}.Dockerfile"),
                "args": dict(project.args),
                "output": ["type=cacheonly"],
                # no step needs a network, and each would wait for one to be made
                **({} if name.startswith("network") else {"network": "none"}),
                **({"target": project.target} if project.target else {}),
            }
            for name, project in projects.items()
        }
        file = self.folder / "bake.json"
        file.write_text(
            json.dumps({"group": {"default": {"targets": list(targets)}}, "target": targets})
        )
        command = [
            "docker",
            "buildx",
            "bake",
            "--allow=fs=*",
            "--progress=rawjson",
            "-f",
            str(file),
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        found = {name: Progress() for name in projects}
        for line in done.stderr.splitlines():
            _feed(line, found)
        assert done.returncode == 0, "\n".join(
            x for x in done.stderr.splitlines() if not x.startswith("{")
        )
        return found


def _frozen(path: Path) -> BytesContent:
    return BytesContent(path.read_bytes())


def _feed(line: str, found: Mapping[str, Progress]) -> None:
    """Gives each target the vertices that carry its name, without it."""
    try:
        data = json.loads(line)
    except json.JSONDecodeError:
        return
    for vertex in data.get("vertexes") or ():
        target, _, rest = vertex["name"].removeprefix("[").partition(" ")
        if target in found and rest:
            found[target].feed(json.dumps({"vertexes": [{**vertex, "name": f"[{rest}"}]}))
