"""What manifests and configurations alone say of many images (tier 0), and what reading blobs adds.

A `Blob` is what a registry stores once, a `Placed` is one place of it in one image, a `Release` a
tag with its images. Everything is a small frozen value; sizes are bytes, times are as the
configuration says them (RFC 3339), `None` is "not known".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import msgspec

Kind = Literal["image", "artifact", "attestation"]
"""An artifact has no file system (a chart, a model); an attestation speaks about an image."""


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """A layer's blob; `digest` is the registry's key, or the diff ID where the source has no
    compressed blob (engines, archives)."""

    digest: str
    media_type: str = ""
    codec: str | None = None
    """ "gzip", "zstd", "none" and the like, by the manifest's word."""
    wire_bytes: int | None = None
    """Compressed, as a pull moves it."""
    foreign: bool = False
    """Its bytes are elsewhere: nothing pulls them from this registry."""
    tar_bytes: int | None = None
    """Uncompressed; from reading the blob, as everything below."""
    payload_bytes: int | None = None
    entries: int | None = None
    """All entries of the tar; `files` are the regular files among them."""
    files: int | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """One layer of one image, with the step that made it."""

    blob: str
    diff_id: str = ""
    instruction: str = ""
    created: str | None = None


class FleetImage(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest for one platform in one repository."""

    digest: str
    """Of the manifest; of the configuration where the source has no manifest."""
    config_digest: str = ""
    repository: str
    """With the registry's host: "registry.example:5000/team/app"."""
    kind: Kind = "image"
    platform: str = ""
    created: str | None = None
    user: str = ""
    labels: dict[str, str] = {}
    secret_names: tuple[str, ...] = ()
    """Names of variables that look as if they held a secret; never their values."""
    layers: tuple[Placed, ...] = ()
    pulls: int | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        """Bottom up."""
        return tuple(layer.blob for layer in self.layers)


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A tag, and the images that it stands for (one for each platform)."""

    tag: str
    images: tuple[str, ...]
    """Digests of `FleetImage`."""
    created: str | None = None


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    releases: tuple[Release, ...] = ()
    """In time order of their images' creation, oldest first; equal times by name."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be read: a finding, never the end of a scan."""

    where: str
    """A repository, a tag or a digest."""
    what: str
    kind: str = "unreadable"
    bytes: int | None = None


class Fleet(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All that a scan knows of its sources."""

    images: tuple[FleetImage, ...] = ()
    blobs: dict[str, Blob] = {}
    repositories: tuple[Repository, ...] = ()
    problems: tuple[Problem, ...] = ()

    @cached_property
    def by_digest(self) -> dict[tuple[str, str], FleetImage]:
        """Images by repository and digest: a manifest may stand in several repositories."""
        return {(image.repository, image.digest): image for image in self.images}

    def series(self, repository: str, platform: str | None = None) -> tuple[FleetImage, ...]:
        """The images of a repository's tags, oldest first, each once: its release history."""
        found: dict[str, FleetImage] = {}
        for release in self._releases(repository):
            for digest in release.images:
                image = self.by_digest.get((repository, digest))
                if image is None or image.kind != "image":
                    continue
                if platform is None or image.platform == platform:
                    found.setdefault(digest, image)
        return tuple(found.values())

    def _releases(self, repository: str) -> Iterator[Release]:
        for each in self.repositories:
            if each.name == repository:
                yield from each.releases

    def wire_bytes(self, image: FleetImage) -> int | None:
        """What a pull of the image moves to a node that has nothing of it."""
        sizes = [self.blobs[digest].wire_bytes for digest in dict.fromkeys(image.blobs)]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None
