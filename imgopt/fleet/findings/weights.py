"""Which images use a blob, and what that weighs: the view of a fleet that all findings share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from imgopt.fleet.scan.model import Fleet, FleetImage


@dataclass(frozen=True)
class View:
    """A fleet with the images of each blob; attestations and artifacts are no images."""

    fleet: Fleet
    team_label: str | None = None

    @cached_property
    def images(self) -> tuple[FleetImage, ...]:
        return tuple(image for image in self.fleet.images if image.kind == "image")

    @cached_property
    def users(self) -> dict[str, list[FleetImage]]:
        """Blob -> the images that have it, each once."""
        found: dict[str, list[FleetImage]] = defaultdict(list)
        for image in self.images:
            for blob in dict.fromkeys(image.blobs):
                found[blob].append(image)
        return dict(found)

    @cached_property
    def tags(self) -> dict[tuple[str, str], list[str]]:
        """(repository, image) -> its tags."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for repository in self.fleet.repositories:
            for release in repository.releases:
                for digest in release.images:
                    found[repository.name, digest].append(release.tag)
        return dict(found)

    def name(self, image: FleetImage) -> str:
        """ "repository:tag", with the newest of several tags; by digest where it has none."""
        tags = self.tags.get((image.repository, image.digest))
        return f"{image.repository}:{tags[-1]}" if tags else f"{image.repository}@{image.digest}"

    def wire(self, blobs: Iterable[str]) -> int:
        """Bytes of blobs, each once; what is not known counts nothing."""
        return sum(self.fleet.blobs[blob].wire_bytes or 0 for blob in set(blobs))

    def uses(self, blobs: Iterable[str]) -> int:
        """Images by pulls that have one of the blobs."""
        images = {
            (image.repository, image.digest): image
            for blob in blobs
            for image in self.users.get(blob, ())
        }
        return sum(pulls(image) for image in images.values())

    def images_of(self, blobs: Iterable[str]) -> list[FleetImage]:
        found = {
            (image.repository, image.digest): image
            for blob in blobs
            for image in self.users.get(blob, ())
        }
        return [found[key] for key in sorted(found)]

    def team(self, image: FleetImage) -> str:
        """By the label that was named, else by the repository's first part."""
        if self.team_label is not None:
            return image.labels.get(self.team_label, "") or "(no label)"
        return team_of(image.repository)


def team_of(repository: str) -> str:
    """>>> team_of("r.example:5000/payments/api"), team_of("app")
    ('payments', 'app')
    """
    first, slash, rest = repository.partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost")
    return (rest if is_host else repository).partition("/")[0]


def pulls(image: FleetImage) -> int:
    return 1 if image.pulls is None else max(1, image.pulls)


def repositories(images: Iterable[FleetImage]) -> list[str]:
    return sorted({image.repository for image in images})


def teams(view: View, images: Iterable[FleetImage]) -> list[str]:
    return sorted({view.team(image) for image in images})
