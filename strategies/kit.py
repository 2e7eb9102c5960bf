"""The conformance kit of a strategy, ours or another package's: its examples hold, on text and on
images.

    from imgopt.strategies.kit import check_strategy

    def test_my_strategy(tmp_path):
        check_strategy(STRATEGY, tmp_path)

No engine is needed: the images of examples are made here.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image import Image, Memory, open_image
from imgopt.image.recipe import Layers, write_image
from imgopt.rewrite.draft import Draft, new_draft, run_strategy
from imgopt.rewrite.evidence import Evidence, Seen
from imgopt.rewrite.gather import gather
from imgopt.rewrite.plan import Plan, make_plan
from imgopt.rewrite.strategy import (
    ContextFiles,
    EvidenceExample,
    Example,
    Project,
    Strategy,
)
from imgopt.strategies.registry import all_strategies

_LONGEST = 56


def check_strategy(strategy: Strategy, folder: Path) -> None:
    """All of it: what it says of itself, and each example in a folder of its own below `folder`.
    Raises AssertionError with what does not hold."""
    check_words(strategy)
    for number, example in enumerate(strategy.all_examples):
        own = folder / str(number)
        own.mkdir()
        check_example(strategy, example, own)


def check_words(strategy: Strategy) -> None:
    """What is shown of it fits where it is shown, and it has examples of what must not change; one
    on text alone, too, of what does."""
    _hold(strategy.does.endswith("."), strategy, "`does` is a sentence and ends with a full stop")
    _hold(15 < len(strategy.does) <= _LONGEST, strategy, f"`does` has at most {_LONGEST} letters")
    _hold(bool(strategy.why and strategy.references), strategy, "`why` and `references` are there")
    examples = strategy.all_examples
    _hold(
        any(example.after is None for example in examples),
        strategy,
        "an example says what must not change",
    )
    changing = any(example.after is not None for example in examples)
    _hold(changing or strategy.safety != "text", strategy, "an example says what changes")


def check_example(strategy: Strategy, example: Example | EvidenceExample, folder: Path) -> None:
    """One example, in an empty folder. Raises AssertionError."""
    for name, text in example.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if isinstance(example, Example):
        _check_text(strategy, example, folder)
    else:
        _Trial(strategy, example, folder).check()


def _check_text(strategy: Strategy, example: Example, folder: Path) -> None:
    """What must change does, what must not stays byte for byte, and twice is once."""
    files = ContextFiles(
        folder, {name: len(text) for name, text in example.files.items()}, example.ignore
    )
    project = Project(files, builtin_ecosystems(), allow=frozenset([strategy.name]))
    once = run_strategy(new_draft(example.before, example.ignore), strategy, project)
    what = f"{strategy.name}: {example.name}"
    _same(once.text, example.before if example.after is None else example.after, what)
    _same(once.ignore or "", example.ignore_after or "", f"{what}: .dockerignore")
    _refused(example.refused, " ".join(skip.reason for skip in once.skips), what)
    _changed(once, example, what)
    twice = run_strategy(new_draft(once.text, once.ignore), strategy, project)
    _same(twice.text, once.text, f"{what}: a second time")


class _Trial:
    """One example on an image: the plan of its variant up to the strategy, without it and with
    it."""

    def __init__(self, strategy: Strategy, example: EvidenceExample, folder: Path) -> None:
        self._strategy, self._example, self._folder = strategy, example, folder
        self._images = 0

    def check(self) -> None:
        example, name = self._example, self._strategy.name
        what = f"{name}: {example.name}"
        without, found = self._plan(self._before), self._plan([*self._before, self._strategy])
        reasons = "; ".join(skip.reason for skip in found.skips if skip.strategy == name)
        _refused(example.refused, reasons, what)
        if example.after is None:
            _same(found.dockerfile, without.dockerfile, what)
            _hold(name not in found.strategies, self._strategy, f"{example.name}: changes nothing")
            return
        _hold(
            name in found.strategies,
            self._strategy,
            f"{example.name}: changes something ({reasons or 'it said nothing'})",
        )
        _same(found.dockerfile, example.after, what)

    @cached_property
    def _variant(self) -> list[Strategy]:
        return [
            one
            for one in all_strategies()
            if one.is_part_of(self._example.variant, carves=True) and one.safety == "evidence"
        ]

    @cached_property
    def _before(self) -> list[Strategy]:
        """Those of the variant that run before it; all of them for another package's."""
        if self._example.alone:
            return []
        names = [one.name for one in self._variant]
        own = self._strategy.name
        return self._variant[: names.index(own)] if own in names else self._variant

    def _plan(self, strategies: list[Strategy]) -> Plan:
        promises = frozenset().union(*(one.promises for one in self._variant))
        return make_plan(
            self._example.before, replace(self._project, promises=promises), strategies
        )

    @cached_property
    def _project(self) -> Project:
        example = self._example
        files = {name: len(text) for name, text in example.files.items()}
        context = ContextFiles(self._folder, files)
        allow = frozenset([self._strategy.name])
        return Project(
            context,
            builtin_ecosystems(),
            evidence=self._evidence,
            allow=allow,
            repairs=example.repairs,
        )

    @cached_property
    def _evidence(self) -> Evidence:
        example = self._example
        layers = (example.base, *example.layers)
        base = self._image((example.base,), example.base_config)
        bases = {
            name: self._image((("ADD rootfs", files),), example.base_config)
            for name, files in example.bases.items()
        }
        image = self._image(layers, {**example.base_config, **example.config})
        seen = Seen(opened=example.opened, executed=example.executed, written=example.written)
        seen = replace(seen, **example.seen)
        return gather(image, base, seen, bases.get)

    def _image(self, layers: Layers, config: object) -> Image:
        self._images += 1
        path = self._folder.parent / f"{self._folder.name}-{self._images}.tar"
        write_image(path, layers, dict(config) if isinstance(config, dict) else {})
        return open_image(str(path), memory=Memory(None))


def _hold(holds: bool, strategy: Strategy, what: str) -> None:
    if not holds:
        raise AssertionError(f"{strategy.name}: it does not hold that {what}")


def _same(found: str, wanted: str, what: str) -> None:
    if found != wanted:
        lines = difflib.unified_diff(
            wanted.splitlines(), found.splitlines(), "wanted", "found", lineterm=""
        )
        raise AssertionError("\n".join([what, *lines]))


def _refused(wanted: str, said: str, what: str) -> None:
    if wanted not in said:
        raise AssertionError(f"{what}: refused because of {wanted!r}, it says {said!r}")


def _changed(once: Draft, example: Example, what: str) -> None:
    if bool(once.changes) != (example.after is not None):
        raise AssertionError(f"{what}: {len(once.changes)} changes are told")
