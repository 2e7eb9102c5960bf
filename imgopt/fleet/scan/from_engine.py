"""Tier 0 of the images that an engine holds; its layers have no compressed blobs."""

from __future__ import annotations

import fnmatch

from imgopt.errors import ImgoptError
from imgopt.fleet.scan.census import Census, image_of
from imgopt.fleet.scan.facts import EngineLayer
from imgopt.fleet.scan.model import Blob
from imgopt.fleet.scan.sources import Filters, SourceName
from imgopt.image.config import parse_config
from imgopt.image.daemon import connect
from imgopt.image.image import Image


def list_engine(source: SourceName, census: Census, filters: Filters) -> None:
    """Raises EnvironmentFailure where no engine answers."""
    from imgopt.image import open_image

    client = connect()
    try:
        listed = client.api.images()
    finally:
        client.close()
    for each in listed:
        names = [name for name in each.get("RepoTags") or () if not name.startswith("<")]
        wanted = [name for name in names if fnmatch.fnmatchcase(name, source.host or "*")]
        wanted = [name for name in wanted if filters.takes(*_split(name))]
        if not wanted:
            continue
        try:
            image = open_image(f"store:{wanted[0]}")
        except ImgoptError as error:
            census.trouble(wanted[0], error.message)
            continue
        for name in wanted:
            _add(census, name, image)


def _add(census: Census, name: str, image: Image) -> None:
    repository, tag = _split(name)
    parsed = parse_config(image.raw_config, name)
    blobs = tuple(Blob(digest=digest) for digest in dict.fromkeys(parsed.diff_ids))
    found = image_of(image.digest, parsed, parsed.diff_ids, repository)
    census.add(found, blobs, tag, lambda _: EngineLayer(f"store:{name}"))


def _split(name: str) -> tuple[str, str]:
    repository, _, tag = name.rpartition(":")
    return (repository, tag) if repository and "/" not in tag else (name, "latest")
