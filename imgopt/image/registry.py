"""Images in a registry: manifest and configuration first, a blob of a layer only when its contents
are asked for."""

from __future__ import annotations

import hashlib
import tempfile
from typing import Any, BinaryIO, cast

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.image.blobs import Region, check_digest
from imgopt.image.image import Image
from imgopt.image.manifests import BlobMissing, Descriptor, open_manifests
from imgopt.image.memory import Memory

ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_MANIFEST_TYPES = ("manifest", "index", "list")
_HUB = "registry-1.docker.io"
_SECONDS = 30
"""To connect, and between two pieces of an answer."""
_MAX_UNSIZED = 64 << 20
_CHUNK = 1 << 20


def open_registry(reference: str, platform: str | None, memory: Memory) -> Image:
    """`reference` is "registry:NAME"; credentials as `docker login` left them. EnvironmentFailure
    or InputError."""
    name = reference.removeprefix("registry:").removeprefix("//")
    remote = _Remote(name)
    return open_manifests([remote.root()], remote, reference, "registry", platform, memory)


class _Remote:
    """One repository; requests and tokens by oras, bytes and digests here (oras returns parsed JSON
    only)."""

    wire = True
    trusted = False

    def __init__(self, name: str) -> None:
        import oras.container
        import oras.provider

        try:
            self._container = oras.container.Container(qualified(name))
        except ValueError as error:
            raise InputError(f"{name}: not the name of an image: {error}") from None
        host = self._container.registry.partition(":")[0]
        self._name = name
        self._registry = oras.provider.Registry(self._container.registry, insecure=is_local(host))
        self._registry.auth.load_configs(self._container)
        self._known: dict[str, Region] = {}

    def root(self) -> Descriptor:
        """The manifest or index that the name stands for."""
        url = self._container.manifest_url()
        region = self._fetch(url, None, _MAX_UNSIZED)
        digest = f"sha256:{hashlib.sha256(region.head(len(region))).hexdigest()}"
        check_digest(digest, self._container.digest, self._name)
        self._known[digest] = region
        return Descriptor(digest)

    def blob(self, descriptor: Descriptor) -> Region:
        known = self._known.get(descriptor.digest)
        if known is not None:
            return known
        if any(
            kind in descriptor.media_type.rpartition(".")[2] or f".{kind}." in descriptor.media_type
            for kind in _MANIFEST_TYPES
        ):
            url = self._container.manifest_url(descriptor.digest)
        else:
            url = self._container.get_blob_url(descriptor.digest)
        limit = descriptor.size if descriptor.size is not None else _MAX_UNSIZED
        region = self._known[descriptor.digest] = self._fetch(url, descriptor.digest, limit)
        return region

    def _fetch(self, url: str, digest: str | None, limit: int) -> Region:
        """Into an unnamed temporary file, checked on the way."""
        spool = tempfile.TemporaryFile(prefix="imgopt-blob-")  # noqa: SIM115 - lives as long as the mapping
        found, total = hashlib.sha256(), 0
        with self._get(f"{self._registry.prefix}://{url}") as response:
            for chunk in response.iter_content(_CHUNK):
                total += len(chunk)
                if total > limit:
                    raise InputError(
                        f"{self._name}: {digest or 'the manifest'} is larger than the {limit} bytes"
                        " stated"
                    )
                found.update(chunk)
                spool.write(chunk)
        spool.flush()
        check_digest(f"sha256:{found.hexdigest()}", digest, f"{self._name}: blob")
        return Region.of_file(cast(BinaryIO, spool))

    def _get(self, url: str) -> Any:
        """One answer with status 200, streamed; logs in once when the registry asks for it."""
        import requests

        headers = {"Accept": ACCEPT, **self._registry.auth.get_auth_header()}
        try:
            response = self._registry.session.get(
                url, headers=headers, stream=True, timeout=_SECONDS
            )
            if response.status_code in (401, 403):
                response = self._registry.session.get(
                    url,
                    headers=self._authenticated(response, headers),
                    stream=True,
                    timeout=_SECONDS,
                )
        except requests.RequestException as error:
            raise EnvironmentFailure(
                f"{self._name}: the registry does not answer: {type(error).__name__}",
                hint=f"is {url} reachable?",
            ) from None
        if response.status_code == 404 and "/blobs/" in url:
            raise BlobMissing(url.rpartition("/")[2])
        if response.status_code != 200:
            raise self._refusal(response.status_code)
        return response

    def _authenticated(self, response: Any, headers: dict[str, str]) -> dict[str, str]:
        auth = self._registry.auth
        basic = getattr(auth, "_basic_auth", None)
        if response.headers.get("Www-Authenticate", "").lower().startswith("basic"):
            return {**headers, "Authorization": f"Basic {basic}"} if basic else headers
        changed, _ = auth.authenticate_request(response, dict(headers))
        return cast("dict[str, str]", changed)

    def _refusal(self, status: int) -> EnvironmentFailure:
        if status in (401, 403):
            return EnvironmentFailure(
                f"{self._name}: the registry wants a login",
                hint=f"docker login {self._container.registry}",
            )
        if status == 404:
            return EnvironmentFailure(
                f"{self._name}: the registry has no such image", hint="check the name and the tag"
            )
        return EnvironmentFailure(
            f"{self._name}: the registry answers with status {status}", hint="try again later"
        )


def qualified(name: str) -> str:
    """As the engine reads names: the part before the first slash is a registry when it looks like a
    host."""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        host = first if first != "localhost" else "localhost:80"
        return name if host not in ("docker.io", "index.docker.io") else qualified(rest)
    return f"{_HUB}/{name}" if slash else f"{_HUB}/library/{name}"


def is_local(host: str) -> bool:
    """Engines talk plain HTTP to this machine, and to nobody else."""
    return host == "localhost" or host.startswith("127.") or host == "[::1]"
