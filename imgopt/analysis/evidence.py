"""What is known of an image, measured once and shared by all findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from imgopt.analysis.steps import Step, match_lines, provenance_lines, read_steps
from imgopt.image import Image, Ledger, Node, Packages, Tree, ledger, printable
from imgopt.image.duplicates import Duplicate, find_duplicates
from imgopt.image.junk import Junk, find_junk
from imgopt.image.packages import find_packages
from imgopt.inspect.packages.build_tools import is_build_tool
from imgopt.inspect.redact import redacted
from imgopt.results.analysis import Finding, Level, Place, Where

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile
    from imgopt.image.ahead import Ahead

LARGE = 1_000_000
_MAJOR_BYTES, _MAJOR_SHARE = 10_000_000, 0.05


@dataclass(frozen=True)
class Evidence:
    """Everything is computed when first asked for."""

    image: Image
    dockerfile: Dockerfile | None = None
    target: str | None = None
    ahead: Ahead | None = None
    """Who may know the answers that take long."""

    @cached_property
    def tree(self) -> Tree:
        return self.image.tree()

    @cached_property
    def ledger(self) -> Ledger:
        return ledger(self.image)

    @cached_property
    def packages(self) -> Packages:
        return find_packages(self.tree)

    @cached_property
    def junk(self) -> tuple[Junk, ...]:
        return find_junk(self.tree, self.packages, is_build_tool)

    @cached_property
    def duplicates(self) -> tuple[Duplicate, ...]:
        return find_duplicates(self.tree) if self.ahead is None else self.ahead.duplicates()

    @cached_property
    def large_files(self) -> list[Node]:
        """Those of a megabyte and more."""
        return [node for node in self.tree.files() if node.size >= LARGE]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        steps, provenance = read_steps(self.image), self.image.provenance
        if self.dockerfile is not None and (
            provenance is None or provenance.text != self.dockerfile.text
        ):
            return match_lines(steps, self.dockerfile, self.target)
        return steps if provenance is None else provenance_lines(steps, provenance)

    @property
    def file(self) -> str | None:
        """The Dockerfile that lines are of: the given one, else the one that the builder wrote
        down."""
        if self.dockerfile is not None:
            return self.dockerfile.name
        return printable(self.image.provenance.file) if self.image.provenance is not None else None

    @cached_property
    def source(self) -> Dockerfile | None:
        """The Dockerfile: the given one, else the one that the builder wrote down."""
        if self.dockerfile is not None or self.image.provenance is None:
            return self.dockerfile
        from imgopt.dockerfile import parse

        return parse(self.image.provenance.text, self.image.provenance.file)

    @cached_property
    def base_layers(self) -> frozenset[int]:
        """Layers that are taken for the base's; empty where nothing is known."""
        return frozenset(step.layer for step in self.steps if step.base and step.layer is not None)

    def is_own(self, layer: int) -> bool:
        return layer not in self.base_layers

    def where(self, layer: int | None) -> Where:
        """The instruction that made a layer."""
        return self._place(
            next((step for step in self.steps if layer is not None and step.layer == layer), None),
            layer,
        )

    def metadata_where(self, *keywords: str) -> Where:
        """The last instruction with one of these keywords."""
        step = next((step for step in reversed(self.steps) if step.keyword in keywords), None)
        return self._place(step, step.layer if step else None)

    def _place(self, step: Step | None, layer: int | None) -> Where:
        line = step.line if step is not None else None
        return Where(
            file=self.file if line is not None else None,
            line=line,
            instruction=printable(redacted(step.instruction)) if step is not None else "",
            layer=layer,
        )

    def level(self, size: int) -> Level:
        """A warning for what weighs 10 MB, or 5 % of the image and 1 MB."""
        share = size / max(1, self.ledger.payload)
        return (
            "warning"
            if size >= _MAJOR_BYTES or (share >= _MAJOR_SHARE and size >= _MAJOR_BYTES // 10)
            else "info"
        )

    def finding(
        self,
        id: str,
        size: int,
        message: str,
        hint: str,
        *,
        where: Where | None = None,
        strategy: str | None = None,
        evidence: Iterable[tuple[str, int]] = (),
        level: Level | None = None,
    ) -> Finding:
        return Finding(
            id=id,
            level=level or self.level(size),
            bytes=size,
            message=message,
            where=where or Where(),
            hint=hint,
            strategy=strategy,
            evidence=[
                Place(path=printable(path), bytes=count) for path, count in list(evidence)[:5]
            ],
        )
