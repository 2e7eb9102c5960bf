"""The page of `imgopt/run-facts/1`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from imgopt.report.common import count_text, seconds_text
from imgopt.report.run_facts import setting_text
from imgopt.report.run_facts_words import (
    headline,
    missing,
    route_text,
    side_by_side,
    stop_text,
    watched,
    written_text,
)
from imgopt.report.view import Block, Cell, Dots, Level, Section, Table, Text, Tile, View
from imgopt.report.views import sections
from imgopt.results.run_facts import ImageFacts, RunFacts
from imgopt.results.size_text import size_text

_LEVELS: dict[str, Level] = {"error": "bad", "warning": "bad"}


def view(result: RunFacts) -> View:
    first = result.images[0] if result.images else None
    started = [image for image in result.images if image.start.warm.values or image.runs > 1]
    good = len(started) == len(result.images)
    return View(
        title=f"{result.project or (first.reference if first else 'image')}: what running it shows",
        kind="run-facts",
        level="neutral" if good else "bad",
        word="measured" if good else "does not start",
        headline="; ".join(f"{image.name} {headline(image)}" for image in result.images),
        rule="; ".join(f"{image.name}: {watched(image)}" for image in result.images),
        tiles=_tiles(result.images),
        sections=run_sections(result),
        notes=[f"{name}: {value}" for name, value in result.environment.items()],
        raw=sections.raw_result(result),
    )


def _tiles(images: Sequence[ImageFacts]) -> list[Tile]:
    """Of the original, and of the last one beside it."""
    if not images:
        return []
    before, after = images[0], images[-1] if len(images) > 1 else None
    figures = (
        ("start", [seconds_text(one.start.warm.middle) for one in (before, after) if one]),
        ("most memory", [size_text(one.memory.peak) for one in (before, after) if one]),
        ("stop", [_stop(one) for one in (before, after) if one]),
        ("size", [size_text(one.unpacked_bytes) for one in (before, after) if one]),
    )
    return [Tile(label, texts[0], texts[1] if len(texts) > 1 else "") for label, texts in figures]


def _stop(image: ImageFacts) -> str:
    own = [stop.seconds for stop in image.stops if stop.is_own]
    return seconds_text(max(own, default=None))


def run_sections(result: RunFacts) -> list[Section]:
    """Side by side, then each thing on its own; the page of `optimize` has them, too."""
    if not result.images:
        return []
    found = [
        Section("run-facts", "What running it shows", [_side_by_side(result.images)]),
        Section("run-starts", "Starts", list(_starts(result.images))),
        *_of_each("run-stops", "Stop", result.images, _stops),
        *_of_each("run-routes", "Routes", result.images, _routes),
        *_of_each("run-written", "Written", result.images, _written),
        *_of_each("run-settings", "Settings", result.images, _settings),
        *_of_each("run-missing", "Not measured", result.images, _missing),
    ]
    return [section for section in found if section.blocks]


def _of_each(
    key: str,
    title: str,
    images: Sequence[ImageFacts],
    table: Callable[[ImageFacts], Table | None],
) -> Iterator[Section]:
    blocks = [made for image in images if (made := table(image)) is not None]
    if blocks:
        yield Section(key, title, blocks)


def _side_by_side(images: Sequence[ImageFacts]) -> Table:
    rows = [
        (Cell(name, whole=True), *(Cell(text) for text in texts))
        for name, texts in side_by_side(images)
    ]
    return Table("Each figure with how often or how long was looked.", _heads(images), rows)


def _heads(images: Sequence[ImageFacts]) -> tuple[str, ...]:
    return ("", *(image.name for image in images))


def _starts(images: Sequence[ImageFacts]) -> Iterator[Block]:
    rows = []
    for image in images:
        for kind, samples in (("warm", image.start.warm), ("cold", image.start.cold)):
            if samples.values:
                rows.append((f"{image.name}, {kind}", samples.values, samples.middle, None, None))
    if rows:
        note = "Warm: its files are in memory. Cold: they were put out of it before."
        yield Dots("Seconds to the first good answer", "seconds", rows, note)
    for image in images:
        if image.load is not None:
            yield Text(f"{image.name}: load of {count_text(image.load.requests, 'request')}")


def _stops(image: ImageFacts) -> Table | None:
    rows = [
        (
            Cell(f"{stop.signal}, {'busy' if stop.in_flight else 'idle'}", whole=True),
            Cell(stop_text(stop), level="bad" if stop.killed or stop.cut else "good"),
        )
        for stop in image.stops
    ]
    return Table(image.name, ("Signal", "What happened"), rows) if rows else None


def _routes(image: ImageFacts) -> Table | None:
    rows = [
        (Cell(str(route.port), route.port), Cell(route.path, code=True), Cell(route_text(route)))
        for route in image.routes
    ]
    return Table(image.name, ("Port", "Path", "What it is for"), rows) if rows else None


def _written(image: ImageFacts) -> Table | None:
    rows = [
        (Cell(one.folder, code=True), Cell(written_text(one), one.bytes, notes=tuple(one.examples)))
        for one in image.written
    ]
    return Table(image.name, ("Folder", "What was written"), rows) if rows else None


def _settings(image: ImageFacts) -> Table | None:
    rows = [
        (
            Cell(one.rule, whole=True),
            Cell(one.level, level=_LEVELS.get(one.level, "neutral"), whole=True),
            Cell(setting_text(one)),
        )
        for one in image.settings
    ]
    return Table(image.name, ("Rule", "", "What"), rows) if rows else None


def _missing(image: ImageFacts) -> Table | None:
    rows = [(Cell(line),) for line in missing(image)]
    return Table(image.name, ("Not measured, and why",), rows) if rows else None
