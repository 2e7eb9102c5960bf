"""Small real images, written as `docker save` writes them and opened as any other."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from imgopt.image import Image, open_image
from imgopt.inspect.image_view import ImageView
from imgopt.proof.example import File, Files, Layers, Mutation, elf
from imgopt.run.fanotify import Trace
from imgopt.run.observation import Observation, RunPlan
from imgopt.run.runs import Runs

__all__ = ["File", "Files", "Recipe", "elf", "image_of", "runs_that_opened", "side_of"]


def layer_tar(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape"
    ) as archive:
        for path, given in files.items():
            file = given if isinstance(given, File) else File(given)
            data = (
                file.data.encode(errors="surrogateescape")
                if isinstance(file.data, str)
                else file.data
            )
            info = tarfile.TarInfo(path.lstrip("/"))
            info.mode, info.uid, info.gid, info.mtime, info.size = (
                file.mode,
                file.uid,
                file.gid,
                file.mtime,
                len(data),
            )
            if file.link:
                info.type, info.linkname, info.size = tarfile.SYMTYPE, file.link, 0
            elif file.hard:
                info.type, info.linkname, info.size = tarfile.LNKTYPE, file.hard, 0
            elif file.folder:
                info.type, info.mode, info.size = tarfile.DIRTYPE, file.mode | 0o111, 0
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return buffer.getvalue()


@dataclass(frozen=True)
class Recipe:
    """An image to be: its layers bottom up, each with the instruction that made it, and its
    configuration."""

    layers: Layers
    config: Mapping[str, Any]

    @classmethod
    def of(cls, mutation: Mutation) -> Recipe:
        """The example service with one change."""
        return cls(mutation.layers, mutation.configuration)

    def but(
        self, *, files: Files | None = None, without: Sequence[str] = (), **config: Any
    ) -> Recipe:
        """The same image with files of its last layer added or replaced, files left out,
        configuration changed."""
        kept = tuple(
            (step, {path: file for path, file in layer.items() if path not in without})
            for step, layer in self.layers
        )
        step, last = kept[-1]
        merged = {
            key: value for key, value in {**self.config, **config}.items() if value is not None
        }
        return replace(self, layers=(*kept[:-1], (step, {**last, **(files or {})})), config=merged)


def runs_that_opened(files: Iterable[str], executed: Iterable[str] = ()) -> Runs:
    """Of the original alone, of which nothing else is known."""
    plan = RunPlan((), (), (), ends=False, ready_seconds=0.0)
    trace = Trace(frozenset(files), frozenset(executed))
    return Runs((Observation("original", True, "it was opened", plan, trace=trace),))


@pytest.fixture
def image_of(tmp_path: Path) -> Callable[[Recipe], Image]:
    count = iter(range(1000))

    def make(recipe: Recipe) -> Image:
        blobs = [layer_tar(files) for _, files in recipe.layers]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": dict(recipe.config),
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(b).hexdigest()}" for b in blobs],
            },
            "history": [{"created_by": step} for step, _ in recipe.layers],
        }
        raw = json.dumps(config).encode()
        path = tmp_path / f"image-{next(count)}.tar"
        manifest = [
            {
                "Config": "c.json",
                "RepoTags": ["t:1"],
                "Layers": [f"{i}.tar" for i in range(len(blobs))],
            }
        ]
        with tarfile.open(path, "w") as archive:
            for name, data in (
                ("c.json", raw),
                ("manifest.json", json.dumps(manifest).encode()),
                *((f"{index}.tar", blob) for index, blob in enumerate(blobs)),
            ):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return open_image(str(path))

    return make


@pytest.fixture
def side_of(image_of: Callable[[Recipe], Image]) -> Callable[..., ImageView]:
    """A Side; `base` is how many of the recipe's layers are the base image."""

    def make(recipe: Recipe, base: int = 0) -> ImageView:
        below = image_of(Recipe(recipe.layers[:base], {})) if base else None
        return ImageView(image_of(recipe), below)

    return make
