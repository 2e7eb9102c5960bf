"""Images of a Docker engine: from its store when we may read it, else by its API."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, cast

from imgopt.endpoint import current, is_local
from imgopt.errors import EnvironmentFailure
from imgopt.image.image import Image
from imgopt.image.memory import Memory
from imgopt.image.quickapi import ask_store, save
from imgopt.image.store import StoreUnreadable, open_graph_store

log = logging.getLogger(__name__)

_CONTENT = "io.containerd.content.v1.content"


def connect() -> Any:
    """A client of the Docker SDK without time limits. Raises EnvironmentFailure where no engine
    answers."""
    from imgopt.endpoint.sdk import client_of

    return client_of(current(), None)[0]


def open_engine(
    reference: str, platform: str | None, memory: Memory, *, use_store: bool = True
) -> Image:
    """An image that the engine holds. Raises EnvironmentFailure with the nearest names where it
    does not."""
    info, found = ask_store(reference) or _ask_sdk(reference)
    if use_store:
        try:
            return _open_store(info, found, reference, platform, memory)
        except StoreUnreadable as reason:
            log.info("reading %s by the engine's API, not from its store: %s", reference, reason)
    return _open_saved(found, reference, platform, memory)


def _ask_sdk(reference: str) -> tuple[dict[str, Any], dict[str, Any]]:
    client = connect()
    try:
        return client.api.info(), _inspect(client, reference)
    finally:
        client.close()


def _inspect(client: Any, reference: str) -> dict[str, Any]:
    from docker.errors import DockerException, ImageNotFound, NotFound

    try:
        return cast("dict[str, Any]", client.api.inspect_image(reference))
    except (ImageNotFound, NotFound):
        near = nearest(reference, _names(client))
        hint = (
            f"did you mean {', '.join(near)}?"
            if near
            else "`docker images` lists what there is; a file works too"
        )
        raise EnvironmentFailure(
            f"the engine at {current().host} has no image {reference}", hint=hint
        ) from None
    except DockerException as error:
        raise EnvironmentFailure(f"the engine refuses {reference}: {_cause(error)}") from None


def nearest(reference: str, names: Iterable[str]) -> list[str]:
    """At most three names that look like `reference`."""
    import difflib

    known = sorted(set(names))
    return [name for name in known if reference in name][:3] or difflib.get_close_matches(
        reference, known, 3
    )


def _names(client: Any) -> list[str]:
    return [
        tag
        for image in client.api.images()
        for tag in image.get("RepoTags") or ()
        if not tag.startswith("<")
    ]


def _open_store(
    info: dict[str, Any],
    found: dict[str, Any],
    reference: str,
    platform: str | None,
    memory: Memory,
) -> Image:
    if not is_local(current().host, info):
        raise StoreUnreadable("the engine is not on this machine")
    root = Path(info["DockerRootDir"])
    if _containerd_store(info):
        from imgopt.image.containerd import open_content_store
        from imgopt.image.manifests import Descriptor

        target = Descriptor((found.get("Descriptor") or {}).get("digest") or found["Id"])
        reasons = []
        for content in (
            root / "containerd" / "daemon" / _CONTENT,
            Path("/var/lib/containerd") / _CONTENT,
        ):
            try:
                return open_content_store(content, target, reference, platform, memory)
            except StoreUnreadable as reason:
                reasons.append(str(reason))
        raise StoreUnreadable("; ".join(reasons))
    return open_graph_store(root, info.get("Driver", ""), found["Id"], reference, memory)


def _containerd_store(info: dict[str, Any]) -> bool:
    return any(
        "io.containerd.snapshotter" in str(value) for _, value in info.get("DriverStatus") or ()
    )


def _open_saved(
    found: dict[str, Any], reference: str, platform: str | None, memory: Memory
) -> Image:
    """By ID, since a bare name would save all of its tags; spooled to disk, since its index may
    come last."""
    import shutil
    import tempfile

    from imgopt.image.archive import TarFiles, open_files
    from imgopt.image.blobs import Region
    from imgopt.image.following import Follower

    spool = tempfile.TemporaryFile(prefix="imgopt-save-")  # noqa: SIM115 - lives as long as the mapping
    size = int(found.get("Size") or 0)
    if shutil.disk_usage(tempfile.gettempdir()).free < size:
        raise EnvironmentFailure(
            f"no space for {size} bytes of {reference} in {tempfile.gettempdir()}",
            hint="set TMPDIR to a larger disk",
        )
    try:
        with Follower(cast(BinaryIO, spool), memory) as follower:
            Thread(target=_load_readers, daemon=True).start()
            if not save(found["Id"], cast(BinaryIO, spool)):
                _save_by_sdk(found["Id"], cast(BinaryIO, spool), reference)
            spool.flush()
            follower.finish()
    except OSError as error:
        raise EnvironmentFailure(
            f"saving {reference} to {tempfile.gettempdir()}: {error.strerror or error}",
            hint="set TMPDIR",
        ) from None
    files = TarFiles(Region.of_file(cast(BinaryIO, spool)), reference)
    return open_files(files, reference, None, platform, memory, "engine")


def _load_readers() -> None:
    """Imports what the image will be read with while the engine writes it: it takes seconds before
    its first byte."""
    for name in ("tar", "packages", "junk", "duplicates", "wire"):
        import_module(f"imgopt.image.{name}")


def _save_by_sdk(image_id: str, target: BinaryIO, reference: str) -> None:
    from docker.errors import DockerException
    from requests import RequestException

    client = connect()
    try:
        for chunk in client.api.get_image(image_id, chunk_size=4 << 20):
            target.write(chunk)
    except (DockerException, RequestException) as error:
        raise EnvironmentFailure(f"the engine cannot save {reference}: {_cause(error)}") from None
    finally:
        client.close()


def _cause(error: Exception) -> str:
    return str(getattr(error, "explanation", None) or error).partition("\n")[0]
