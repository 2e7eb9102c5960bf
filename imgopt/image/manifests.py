"""OCI and Docker manifests: from an index to the one image that is meant, and from its manifest to
layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import msgspec

from imgopt.errors import EnvironmentFailure, ImgoptError, InputError
from imgopt.image.blobs import Region, check_digest, compression, sha256
from imgopt.image.config import ParsedConfig, parse_config
from imgopt.image.contents import Contents, MissingContents, TarContents
from imgopt.image.image import Image, Source
from imgopt.image.layer import Layer
from imgopt.image.memory import Memory
from imgopt.image.provenance import Provenance, read_provenance

T = TypeVar("T")

_MAX_JSON = 16 << 20
_MAX_DEPTH = 4
"""Indexes inside of indexes; three levels occur."""
_MAX_MANIFESTS = 1000
_ATTESTATION, _SUBJECT = "attestation-manifest", "vnd.docker.reference.digest"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


class BlobMissing(Exception):
    """The source lists a blob that it does not hold."""


class Blobs(Protocol):
    """Access to blobs by digest.

    `wire` says that a blob's size is what a pull transfers, whatever its compression; `trusted`
    that an engine vouches for its layers, so that plain ones need not be hashed to be believed.
    """

    wire: bool
    trusted: bool

    def blob(self, descriptor: Descriptor) -> Region:
        """Raises BlobMissing."""


class Platform(msgspec.Struct, frozen=True):
    os: str = ""
    architecture: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Descriptor(
    msgspec.Struct, frozen=True, rename={"media_type": "mediaType", "artifact_type": "artifactType"}
):
    digest: str
    media_type: str = ""
    size: int | None = None
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    artifact_type: str | None = None
    urls: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What the image is called in this index."""
        notes = self.annotations or {}
        keys = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
        return tuple(notes[key] for key in keys if notes.get(key))


class Document(msgspec.Struct, rename={"media_type": "mediaType", "artifact_type": "artifactType"}):
    """An index or a manifest: what it is shows in what it has."""

    manifests: tuple[Descriptor, ...] | None = None
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] | None = None
    artifact_type: str | None = None
    schema_version: int = msgspec.field(name="schemaVersion", default=2)


class Candidate(msgspec.Struct, frozen=True):
    """An image that an index offers."""

    descriptor: Descriptor
    manifest: Any
    platform: Platform
    names: tuple[str, ...]


def decode(data: bytes, kind: type[T], what: str) -> T:
    """JSON into a struct; InputError instead of a traceback, also for absurd nesting."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{what} is damaged: {error}", hint="save or export the image again"
        ) from None


def read_index(data: bytes, what: str) -> tuple[Descriptor, ...]:
    return decode(data, Document, what).manifests or ()


def open_manifests(
    roots: Iterable[Descriptor],
    blobs: Blobs,
    reference: str,
    source: Source,
    platform: str | None,
    memory: Memory,
) -> Image:
    """The image that `platform` names among everything reachable from `roots`; attestations are
    left out."""
    attestations: list[Descriptor] = []
    candidates = list(_candidates(roots, blobs, reference, attestations))
    if not candidates:
        raise InputError(
            f"{reference}: no container image inside",
            hint="attestations and artifacts are not images",
        )
    chosen = choose(candidates, platform, reference)
    manifest = chosen.manifest
    assert isinstance(manifest, Document) and manifest.config is not None
    parsed = _config(manifest.config, blobs, reference)
    layers = manifest.layers or ()
    if len(layers) != len(parsed.diff_ids):
        raise InputError(
            f"{reference}: {len(layers)} layers, but the configuration lists {len(parsed.diff_ids)}"
        )
    made = tuple(
        _layer(number, descriptor, diff_id, blobs, memory)
        for number, (descriptor, diff_id) in enumerate(zip(layers, parsed.diff_ids, strict=True))
    )
    about = [
        each
        for each in attestations
        if (each.annotations or {}).get(_SUBJECT) == chosen.descriptor.digest
    ]
    digests = tuple(descriptor.digest for descriptor in layers)
    return Image(
        reference,
        source,
        parsed,
        made,
        memory,
        provenance=lambda: _provenance(about, blobs, digests, reference),
    )


def _provenance(
    about: list[Descriptor], blobs: Blobs, layers: tuple[str, ...], what: str
) -> Provenance | None:
    """From the first statement that tells lines; a damaged one is as good as none."""
    for descriptor in about:
        try:
            manifest = decode(_small_blob(blobs, descriptor, what), Document, what)
            for statement in manifest.layers or ():
                if "provenance" in (statement.annotations or {}).get(
                    "in-toto.io/predicate-type", ""
                ):
                    found = read_provenance(_small_blob(blobs, statement, what), layers)
                    if found is not None:
                        return found
        except (BlobMissing, ImgoptError):
            continue
    return None


def choose(candidates: list[Candidate], platform: str | None, reference: str) -> Candidate:
    """One candidate: the wanted platform, else this machine's, else the only one there is."""
    import platform as host

    wanted = platform or f"linux/{_MACHINES.get(host.machine(), host.machine())}"
    matching = [each for each in candidates if matches(each.platform, wanted)]
    distinct = {each.descriptor.digest for each in matching}
    if len(distinct) == 1:
        return matching[0]
    offered = ", ".join(sorted({str(each.platform) for each in candidates}))
    if len(distinct) > 1:
        names = sorted({name for each in matching for name in each.names})
        raise InputError(
            f"{reference}: several images inside: {', '.join(names) or len(distinct)}",
            hint=f"name one of them: {reference}#NAME",
        )
    if platform is None and len({each.descriptor.digest for each in candidates}) == 1:
        return candidates[0]
    raise EnvironmentFailure(
        f"{reference}: no image for {wanted}", hint=f"there is: {offered}; choose with --platform"
    )


def matches(platform: Platform, wanted: str) -> bool:
    """ "linux/arm64" also takes linux/arm64/v8; "amd64" alone means linux/amd64."""
    parts = wanted.lower().split("/")
    if len(parts) == 1:
        parts.insert(0, "linux")
    have = (platform.os.lower(), platform.architecture.lower(), platform.variant.lower())
    return all(part == value for part, value in zip(parts, have, strict=False)) and len(parts) <= 3


def _candidates(
    roots: Iterable[Descriptor], blobs: Blobs, what: str, attestations: list[Descriptor]
) -> Iterator[Candidate]:
    """Images in file order; what speaks about an image goes to `attestations`."""
    seen: set[str] = set()
    pending = [(root, 0, root.names) for root in roots]
    while pending:
        descriptor, depth, names = pending.pop(0)
        if descriptor.digest in seen:
            continue
        if is_attestation(descriptor):
            attestations.append(descriptor)
            continue
        seen.add(descriptor.digest)
        if depth > _MAX_DEPTH or len(seen) > _MAX_MANIFESTS:
            raise InputError(f"{what}: indexes nested too deeply, or too many manifests")
        try:
            document = decode(
                _small_blob(blobs, descriptor, what),
                Document,
                f"{what}: manifest {descriptor.digest}",
            )
        except BlobMissing:
            continue  # engines list platforms that they never pulled
        if document.manifests is not None:
            pending.extend((each, depth + 1, names or each.names) for each in document.manifests)
        elif document.config is not None and document.artifact_type is None:
            platform = descriptor.platform or _platform_of(document.config, blobs, what)
            if platform is not None:
                yield Candidate(descriptor, document, platform, names)
        elif document.schema_version == 1:
            raise InputError(
                f"{what}: image manifest version 1 is not supported", hint="push the image again"
            )


def is_attestation(descriptor: Descriptor) -> bool:
    kind = (descriptor.annotations or {}).get("vnd.docker.reference.type")
    unknown = descriptor.platform is not None and descriptor.platform.os == "unknown"
    return kind == _ATTESTATION or unknown or descriptor.artifact_type is not None


def _platform_of(config: Descriptor, blobs: Blobs, what: str) -> Platform | None:
    """From the configuration, where the index does not say; None where it is not the configuration
    of an image."""
    try:
        parsed = _config(config, blobs, what)
    except (BlobMissing, InputError):
        return Platform()
    return Platform(parsed.config.os, parsed.config.architecture, parsed.config.variant)


def _config(descriptor: Descriptor, blobs: Blobs, what: str) -> ParsedConfig:
    try:
        return parse_config(_small_blob(blobs, descriptor, what), what)
    except BlobMissing:
        raise InputError(f"{what}: its configuration {descriptor.digest} is missing") from None


def _small_blob(blobs: Blobs, descriptor: Descriptor, what: str) -> bytes:
    region = blobs.blob(descriptor)
    if len(region) > _MAX_JSON:
        raise InputError(f"{what}: a manifest or configuration of {len(region)} bytes is refused")
    check_digest(sha256(region), descriptor.digest, f"{what}: {descriptor.digest[:19]}")
    return region.head(len(region))


def _layer(
    number: int, descriptor: Descriptor, diff_id: str, blobs: Blobs, memory: Memory
) -> Layer:
    what = f"layer {number} ({diff_id[:19]})"

    def fetch() -> Region:
        try:
            return blobs.blob(descriptor)
        except BlobMissing:
            raise InputError(
                f"{what}: its blob {descriptor.digest} is missing", hint="save the image again"
            ) from None

    if blobs.wire:
        contents: Contents = TarContents(fetch, diff_id, what)
        return Layer(
            number,
            diff_id,
            contents,
            memory,
            digest=descriptor.digest,
            wire_bytes=descriptor.size,
            codec=codec_of(descriptor.media_type),
        )
    return local_layer(
        number,
        diff_id,
        fetch,
        memory,
        digest=descriptor.digest,
        foreign=bool(descriptor.urls),
        trusted=blobs.trusted,
    )


def codec_of(media_type: str) -> str | None:
    """As the manifest says it: image-spec `media-types.md`, Docker's schema 2."""
    kind = re.search(r"\btar(?:[+.](gzip|zstd|xz|bzip2))?(?=$|[+;])", media_type)
    return (kind[1] or "none") if kind is not None else None


def local_layer(
    number: int,
    diff_id: str,
    fetch: Callable[[], Region],
    memory: Memory,
    *,
    digest: str | None = None,
    foreign: bool = False,
    trusted: bool = False,
) -> Layer:
    """A layer whose blob is on this machine: its size is a wire size only when it is compressed."""
    try:
        blob = fetch()
    except InputError:
        if not foreign:
            raise
        return Layer(number, diff_id, MissingContents(), memory, digest=digest)
    codec = compression(blob.head(8)) or None
    contents = TarContents(
        lambda: blob, None if trusted else diff_id, f"layer {number} ({diff_id[:19]})"
    )
    wire = len(blob) if codec else None
    return Layer(number, diff_id, contents, memory, digest=digest, wire_bytes=wire, codec=codec)
