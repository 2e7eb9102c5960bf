"""Small real images, written as `docker save` writes them and opened as any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from imgopt.image import Image, open_image
from imgopt.image.recipe import File, Files, Layers, write_image
from imgopt.inspect.image_view import ImageView
from imgopt.proof.example import Mutation, elf
from imgopt.run.fanotify import Trace
from imgopt.run.observation import Observation, RunPlan
from imgopt.run.runs import Runs

__all__ = ["File", "Files", "Recipe", "elf", "image_of", "runs_that_opened", "view_of"]


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
        path = tmp_path / f"image-{next(count)}.tar"
        return open_image(str(write_image(path, recipe.layers, recipe.config)))

    return make


@pytest.fixture
def view_of(image_of: Callable[[Recipe], Image]) -> Callable[..., ImageView]:
    """A Side; `base` is how many of the recipe's layers are the base image."""

    def make(recipe: Recipe, base: int = 0) -> ImageView:
        below = image_of(Recipe(recipe.layers[:base], {})) if base else None
        return ImageView(image_of(recipe), below)

    return make
