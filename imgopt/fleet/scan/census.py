"""Tier 0: which images there are, from manifests and configurations alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from imgopt.analysis.steps import read_created_by
from imgopt.errors import ImgoptError, InputError
from imgopt.fleet.scan.facts import Where
from imgopt.fleet.scan.model import (
    Blob,
    Fleet,
    FleetImage,
    Placed,
    Problem,
    Release,
    Repository,
)
from imgopt.image.config import HistoryEntry, ParsedConfig, parse_config
from imgopt.image.manifests import Descriptor, Document, codec_of, decode, is_attestation

_IMAGE_CONFIGS = (
    "",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_MOST_TEXT = 500
_MOST_MANIFESTS, _MOST_DEPTH, _MOST_LAYERS = 1000, 4, 1000
_DIGEST = re.compile(r"(sha256|sha384|sha512):[0-9a-f]{64,128}")
_SECRET = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL", re.I)


@dataclass
class Census:
    """What is found while sources are listed; `fleet()` is the whole of it."""

    images: dict[tuple[str, str], FleetImage] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    places: dict[str, Where] = field(default_factory=dict)
    """Where each blob can be read; of several places the first."""
    releases: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def trouble(self, where: str, what: str, kind: str = "unreadable") -> None:
        self.problems.append(Problem(where=where, what=what, kind=kind))

    def add(
        self,
        image: FleetImage,
        blobs: Iterable[Blob],
        tag: str,
        place: Callable[[str], Where | None],
    ) -> None:
        self.images.setdefault((image.repository, image.digest), image)
        for blob in blobs:
            known = self.blobs.setdefault(blob.digest, blob)
            if known.wire_bytes != blob.wire_bytes:
                self.trouble(
                    f"{image.repository}@{image.digest}",
                    f"states {blob.wire_bytes} bytes for {blob.digest}, another manifest"
                    f" {known.wire_bytes}",
                    "length",
                )
            where = place(blob.digest) if not blob.foreign else None
            if where is not None:
                self.places.setdefault(blob.digest, where)
        tags = self.releases.setdefault(image.repository, {})
        digests = tags.setdefault(tag, []) if tag else []
        if image.digest not in digests:
            digests.append(image.digest)

    def fleet(self, most_days: float | None = None, now: datetime | None = None) -> Fleet:
        images = {key: image for key, image in self.images.items() if _young(image, most_days, now)}
        held = {layer.blob for image in images.values() for layer in image.layers}
        return Fleet(
            images=tuple(images[key] for key in sorted(images)),
            blobs={digest: self.blobs[digest] for digest in sorted(held)},
            repositories=tuple(
                Repository(name=name, releases=tuple(_ordered(name, tags, images)))
                for name, tags in sorted(self.releases.items())
            ),
            problems=tuple(self.problems),
        )


def _young(image: FleetImage, most_days: float | None, now: datetime | None) -> bool:
    if most_days is None or image.created is None:
        return True
    made = moment(image.created)
    return made is None or made >= (now or datetime.now(UTC)) - timedelta(days=most_days)


def moment(text: str | None) -> datetime | None:
    """Of a time as configurations write it, nanoseconds and all; None where it is none.

    >>> moment("2026-05-01T10:00:00.123456789Z")
    datetime.datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    """
    shorter = re.sub(r"(\.\d{6})\d+", r"\1", text or "")
    try:
        found = datetime.fromisoformat(shorter)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _ordered(
    name: str, tags: dict[str, list[str]], images: dict[tuple[str, str], FleetImage]
) -> list[Release]:
    found = []
    for tag, digests in tags.items():
        kept = tuple(digest for digest in digests if (name, digest) in images)
        times = [images[name, digest].created for digest in kept]
        created = max((time for time in times if time), default=None)
        if kept:
            found.append(Release(tag=tag, images=kept, created=created))
    earliest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda each: (moment(each.created) or earliest, each.tag))


def checked(data: bytes, digest: str, what: str) -> bytes:
    """Raises InputError where the bytes are not those of the digest."""
    algorithm, _, wanted = digest.partition(":")
    if not _DIGEST.fullmatch(digest):
        raise InputError(f"{what}: {digest[:80]!r} is no digest")
    if hashlib.new(algorithm, data).hexdigest() != wanted:
        raise InputError(f"{what}: the contents of {digest} have another digest")
    return data


Fetch = Callable[[Descriptor, bool], bytes]
"""A manifest (True) or a configuration (False) by its descriptor, checked."""


def expand(
    root: Descriptor,
    fetch: Fetch,
    repository: str,
    tell: Callable[[str, str, str], None],
) -> Iterator[tuple[FleetImage, tuple[Blob, ...]]]:
    """All images below a manifest or an index; what is damaged is told (where, what, kind) and left
    out."""
    pending, seen = [(root, 0)], set()
    while pending:
        descriptor, depth = pending.pop(0)
        if descriptor.digest in seen:
            continue
        seen.add(descriptor.digest)
        where = f"{repository}@{descriptor.digest}"
        if depth > _MOST_DEPTH or len(seen) > _MOST_MANIFESTS:
            tell(where, "indexes nested too deeply, or too many manifests", "unreadable")
            return
        try:
            document = decode(fetch(descriptor, True), Document, "the manifest")
            if document.manifests is not None:
                pending += [(each, depth + 1) for each in document.manifests]
                continue
            yield _image(descriptor, document, fetch, repository)
        except ImgoptError as error:
            tell(where, error.message, "manifest")


def _image(
    descriptor: Descriptor, document: Document, fetch: Fetch, repository: str
) -> tuple[FleetImage, tuple[Blob, ...]]:
    if document.config is None:
        raise InputError(
            "a manifest of schema 1, or none at all: it lists no configuration",
            hint="push the image again with a current tool",
        )
    layers = document.layers or ()
    if len(layers) > _MOST_LAYERS:
        raise InputError(f"{len(layers)} layers: refused")
    for each in layers:
        if not _DIGEST.fullmatch(each.digest) or (each.size is not None and each.size < 0):
            raise InputError(f"a layer without a digest or a size: {each.digest[:80]!r}")
    blobs = tuple(dict.fromkeys(_blob(each) for each in layers))
    if is_attestation(descriptor):
        return _other("attestation", descriptor, layers, repository), blobs
    if document.artifact_type or document.config.media_type not in _IMAGE_CONFIGS:
        return _other("artifact", descriptor, layers, repository), blobs
    parsed = parse_config(fetch(document.config, False), "the configuration")
    if len(parsed.diff_ids) != len(layers):
        raise InputError(
            f"{len(layers)} layers, but the configuration lists {len(parsed.diff_ids)}"
        )
    digests = tuple(each.digest for each in layers)
    return image_of(descriptor.digest, parsed, digests, repository), blobs


def _blob(layer: Descriptor) -> Blob:
    foreign = bool(layer.urls) or "foreign" in layer.media_type
    foreign = foreign or "nondistributable" in layer.media_type
    return Blob(
        digest=layer.digest,
        media_type=layer.media_type,
        codec=codec_of(layer.media_type),
        wire_bytes=layer.size,
        foreign=foreign,
    )


def _other(
    kind: str, descriptor: Descriptor, layers: Iterable[Descriptor], repository: str
) -> FleetImage:
    return FleetImage(
        digest=descriptor.digest,
        repository=repository,
        kind="attestation" if kind == "attestation" else "artifact",
        layers=tuple(Placed(blob=each.digest) for each in layers),
    )


def image_of(
    digest: str, parsed: ParsedConfig, blobs: tuple[str, ...], repository: str
) -> FleetImage:
    """From a configuration; `blobs` are those of its layers."""
    config = parsed.config
    steps = [step for step in parsed.history if not step.empty_layer]
    matching = len(steps) == len(blobs)
    layers = tuple(
        Placed(
            blob=blob,
            diff_id=diff_id,
            instruction=_shown(steps[number]) if matching else "",
            created=steps[number].created if matching else None,
        )
        for number, (blob, diff_id) in enumerate(zip(blobs, parsed.diff_ids, strict=True))
    )
    secrets = (name for name, value in config.environment.items() if value and _SECRET.search(name))
    return FleetImage(
        digest=digest,
        config_digest=parsed.digest,
        repository=repository,
        platform=config.platform,
        created=config.created,
        user=config.user,
        labels=config.labels,
        secret_names=tuple(sorted(secrets)),
        layers=layers,
    )


def _shown(step: HistoryEntry) -> str:
    """The instruction, without the values of build arguments."""
    return " ".join(" ".join(read_created_by(step)).split())[:_MOST_TEXT]
