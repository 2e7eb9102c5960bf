"""Tier 0 of a registry: catalog, tags, manifests and configurations, each document once."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from imgopt.errors import ImgoptError
from imgopt.fleet.scan.census import Census, checked, expand
from imgopt.fleet.scan.facts import RemoteBlob
from imgopt.fleet.scan.model import Blob, FleetImage
from imgopt.fleet.scan.protocol import Refused, Registry
from imgopt.fleet.scan.sources import Filters, SourceName, is_pattern
from imgopt.fleet.scan.store import Store
from imgopt.image.manifests import Descriptor

_AT_ONCE = 8
"""Questions that are under way at one time."""
_BATCH = 64
_NAME = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)

Found = list[tuple[FleetImage, tuple[Blob, ...]]]


def list_registry(
    source: SourceName,
    registry: Registry,
    store: Store,
    census: Census,
    filters: Filters,
    tell: Callable[[str], None],
) -> None:
    """Raises ImgoptError only where nothing of the source can be listed."""
    reader = _Reader(registry, store, census)
    for repository in _repositories(source, registry, census, filters):
        tags = _tags(source, registry, repository, census, filters)
        tell(f"{source.host}/{repository}: {len(census.images)} images")
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for start in range(0, len(tags), _BATCH):
                batch = tags[start : start + _BATCH]
                for tag, found in zip(
                    batch,
                    threads.map(partial(reader.images, repository), batch),
                    strict=True,
                ):
                    _add(census, source.host, repository, tag, found)
                reader.keep()


def _add(census: Census, host: str, repository: str, tag: str, found: Found) -> None:
    for image, blobs in found:
        census.add(
            image,
            blobs,
            "" if tag.startswith("sha256:") else tag,
            lambda _: RemoteBlob(host, repository),
        )


def _repositories(
    source: SourceName, registry: Registry, census: Census, filters: Filters
) -> Iterator[str]:
    if source.repository and not is_pattern(source.repository):
        yield source.repository
        return
    try:
        for name in registry.catalog():
            if not _NAME.fullmatch(name):
                census.trouble(source.host, f"lists {name[:80]!r}, which is no repository's name")
            elif _fits(name, source.repository) and filters.takes_repository(name):
                yield name
    except Refused as refusal:
        if refusal.status in (401, 403, 404, 405):
            refusal.hint = (
                f"{refusal.hint + '; or ' if refusal.hint else ''}name the repositories:"
                f" registry:{source.host}/NAME, or --from FILE"
            )
        raise


def _fits(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern or "*")


def _tags(
    source: SourceName, registry: Registry, repository: str, census: Census, filters: Filters
) -> list[str]:
    where = f"{source.host}/{repository}"
    if source.tag and not is_pattern(source.tag):
        return [source.tag]
    try:
        listed = list(dict.fromkeys(registry.tags(repository)))
    except ImgoptError as error:
        if source.repository == repository:
            raise
        gone = isinstance(error, Refused) and error.status == 404
        census.trouble(where, error.message, "no-tags" if gone else "unreadable")
        return []
    if not listed:
        census.trouble(where, "has no tags", "no-tags")
        census.releases.setdefault(where, {})
    odd = [tag for tag in listed if not _TAG.fullmatch(tag)]
    for tag in odd:
        census.trouble(where, f"lists {tag[:80]!r}, which is no tag")
    wanted = source.tag or "*"
    return [
        tag
        for tag in listed
        if tag not in odd and fnmatch.fnmatchcase(tag, wanted) and filters.takes(repository, tag)
    ]


class _Reader:
    """Documents from the store, else from the registry; under several threads."""

    def __init__(self, registry: Registry, store: Store, census: Census) -> None:
        self._registry, self._store, self._census = registry, store, census
        self._new: list[tuple[str, bytes]] = []

    def images(self, repository: str, tag: str) -> Found:
        """Of one tag; troubles go to the census."""
        name = f"{self._registry.host}/{repository}"

        def fetch(descriptor: Descriptor, manifest: bool) -> bytes:
            return self._document(repository, descriptor, manifest)

        try:
            root = self._root(repository, tag)
        except ImgoptError as error:
            self._census.trouble(f"{name}:{tag}", error.message, "manifest")
            return []
        return list(expand(root, fetch, name, self._census.trouble))

    def _root(self, repository: str, tag: str) -> Descriptor:
        if ":" in tag:
            return Descriptor(tag)
        digest = self._registry.digest(repository, tag)
        if digest is None or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            data = self._registry.manifest(repository, tag)
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            self._store.keep_documents([(digest, data)])
        return Descriptor(digest)

    def _document(self, repository: str, descriptor: Descriptor, manifest: bool) -> bytes:
        digest = descriptor.digest
        known = self._store.document(digest)
        if known is not None:
            return known
        ask = self._registry.manifest if manifest else self._registry.document
        data = checked(ask(repository, digest), digest, repository)
        self._new.append((digest, data))
        return data

    def keep(self) -> None:
        """What was fetched is asked for no more."""
        new, self._new = self._new, []
        self._store.keep_documents(new)
