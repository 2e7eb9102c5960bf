"""One image, opened and measured: its facts, its base, and where its lines are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from imgopt.ci.attribution import Now
from imgopt.ci.codecs import codecs_of
from imgopt.ci.declared import Declarations, line_in
from imgopt.ci.entries import BaseRecord, Entry
from imgopt.ci.facts import Facts, chain_id, image_facts, manifest_facts
from imgopt.ci.lines import Origin, Origins, find_origins, guess_base
from imgopt.ci.subjects import Subject
from imgopt.dockerfile import Dockerfile, parse
from imgopt.errors import InputError, Location
from imgopt.image import Image, open_image, printable
from imgopt.report.common import shorten
from imgopt.results.ci import Place

_TEXT = 120


@dataclass(frozen=True)
class Measured:
    """An image with everything that is said about it. `notes` are sentences for the user."""

    subject: Subject
    image: Image
    facts: Facts
    origins: Origins
    dockerfile: Dockerfile | None
    root: Path
    notes: tuple[str, ...]

    @cached_property
    def base(self) -> BaseRecord | None:
        """None where it is not known which layers are the base's."""
        if self.origins.base_layers is None:
            return None
        reference = None
        if self.dockerfile is not None and self.origins.lines:
            stage = self.dockerfile.target(self.subject.target).root
            reference = None if stage.is_scratch else str(stage.base)
        ids = tuple(layer.diff_id for layer in self.image.layers[: self.facts.base_layers])
        layers = self.facts.layers[: self.facts.base_layers]
        return BaseRecord(
            reference=reference, chain=chain_id(ids), layers=len(ids), sizes=self.facts.base_sizes,
            codecs=codecs_of(layer.codec for layer in layers),
        )  # fmt: skip

    @property
    def own_origins(self) -> tuple[Origin, ...]:
        return self.origins.layers[self.facts.base_layers :]

    @cached_property
    def now(self) -> Now:
        shown = tuple(
            Origin(shown_text(origin.text), origin.instruction) for origin in self.own_origins
        )
        return Now(self.facts, self.base, shown, self.place_of, self.places_of_package)

    def place_of(self, origin: Origin) -> Place | None:
        """Where an instruction is written."""
        if origin.instruction is None or self.subject.dockerfile is None:
            return None
        item = origin.instruction
        return Place(
            file=self.shown(self.subject.dockerfile), line=item.line, end_line=item.end_line
        )

    @cached_property
    def _declarations(self) -> Declarations:
        return Declarations(self.subject.context if self.dockerfile is not None else None)

    def places_of_package(self, name: str) -> tuple[list[Place], str]:
        """The line of the manifest that asks for it, the line of the instruction that installs it,
        who needs it."""
        places: list[Place] = []
        found = self._declarations.find(name, self.facts.packages)
        if found is not None:
            places.append(Place(file=self.shown(found[0]), line=found[1], end_line=found[1]))
        origin = self.origin_of_package(name)
        place = self.place_of(origin) if origin is not None else None
        if origin is not None and origin.instruction is not None and place is not None:
            line = line_in(origin.instruction.source, origin.instruction.line, name)
            places.append(Place(file=place.file, line=line, end_line=line) if line else place)
        return places, f"needed by {found[2]}" if found is not None and found[2] else ""

    def origin_of_package(self, name: str) -> Origin | None:
        layer = self.facts.packages[name].layer
        return self.origins.layers[layer] if 0 <= layer < len(self.origins.layers) else None

    def shown(self, path: Path) -> str:
        return shown_path(path, self.root)

    def texts(self) -> list[tuple[str, str]]:
        """Key and text of every own layer, as the baseline keeps them."""
        return [(origin.key, origin.text) for origin in self.now.origins]


def shown_path(path: Path, root: Path) -> str:
    """Relative to the root of the repository, as annotations want it."""
    try:
        return printable(path.resolve().relative_to(root).as_posix())
    except ValueError:
        return printable(path.as_posix())


def shown_text(text: str) -> str:
    """An instruction on one line, of bearable length."""
    return printable(shorten(" ".join(text.split()), _TEXT))


def measure(subject: Subject, before: Entry | None, *, pull: bool = False) -> Measured:
    """Opens and measures an image; of one in a registry only the manifest is read unless `pull`.

    `before` decides where nothing else can what belongs to the base. Raises InputError,
    EnvironmentFailure.
    """
    assert subject.reference is not None
    image = open_image(subject.reference, subject.platform)
    dockerfile = _dockerfile(subject)
    origins = find_origins(image, dockerfile, subject.target)
    base_layers, notes = _base_layers(image, origins, before)
    if dockerfile is not None and not origins.lines:
        notes.append(f"{dockerfile.name} did not build this image, so no lines are named")
    manifest_only = image.source == "registry" and not pull
    facts = (
        manifest_facts(image, base_layers or 0)
        if manifest_only
        else image_facts(image, base_layers or 0)
    )
    known = Origins(origins.layers, base_layers, origins.lines)
    return Measured(
        subject,
        image,
        facts,
        known,
        dockerfile,
        repository_root(subject),
        (*notes, *facts.unread),
    )


def _dockerfile(subject: Subject) -> Dockerfile | None:
    if subject.dockerfile is None:
        return None
    try:
        text = subject.dockerfile.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise InputError(
            f"cannot read: {error.strerror}", location=Location(str(subject.dockerfile))
        ) from None
    dockerfile = parse(text, subject.dockerfile.name)
    return dockerfile if not dockerfile.errors else dockerfile.check()


def _base_layers(
    image: Image, origins: Origins, before: Entry | None
) -> tuple[int | None, list[str]]:
    if before is not None and before.base is None:
        return None, [
            "the baseline does not tell the base's layers from the others, so all count as own"
        ]
    if origins.base_layers is not None:
        return origins.base_layers, []
    if before is not None and before.base is not None and _has_base(image, before.base):
        return before.base.layers, []
    guessed = guess_base(image)
    if guessed is None:
        return None, [
            "it is not known which layers are the base's, so all count as own: name the Dockerfile"
            " with -f"
        ]
    return guessed, [
        f"without its Dockerfile, the base is taken to be the first {guessed} layers, by the"
        " history"
    ]


def _has_base(image: Image, base: BaseRecord) -> bool:
    return chain_id(tuple(layer.diff_id for layer in image.layers[: base.layers])) == base.chain


def repository_root(subject: Subject) -> Path:
    """The folder of `.git` around the Dockerfile or context, else the current directory."""
    start = (
        subject.dockerfile.parent if subject.dockerfile else subject.context or Path()
    ).resolve()
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return Path().resolve()
