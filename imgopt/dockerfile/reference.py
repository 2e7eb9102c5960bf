"""Image references: `[registry/]repository[:tag][@digest]`.

Rules: distribution/reference. The first part is a registry only if it has a `.` or a `:`, is
`localhost`, or has capital letters; everything else lives on Docker Hub, and names without a path
there are in `library/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from imgopt.errors import InputError

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_REGISTRY = re.compile(
    r"(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::[0-9]+)?"
)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_HUB = "docker.io"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """`registry` and `tag` are None where the text has none; `str()` gives the text back.

    >>> ImageReference.parse("host:5000/team/app:1.2").repository
    'team/app'
    """

    repository: str
    registry: str | None = None
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Raises InputError for what is not an image reference (capital letters in the path, an
        empty tag, …)."""
        rest, at, digest = text.partition("@")
        path, colon, tag = rest, "", ""
        if rest.rfind(":") > rest.rfind("/"):
            path, colon, tag = rest.rpartition(":")
        registry, repository = _split_registry(path)
        if (
            not _REPOSITORY.fullmatch(repository)
            or (registry is not None and not _REGISTRY.fullmatch(registry))
            or (colon and not _TAG.fullmatch(tag))
            or (at and not _DIGEST.fullmatch(digest))
        ):
            raise InputError(
                f"invalid image reference: {text!r}",
                hint="write [registry/]name[:tag][@sha256:digest]",
            )
        return cls(repository, registry, tag or None, digest or None)

    @property
    def name(self) -> str:
        """Without tag and digest, as written: `host:5000/team/app`."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    @property
    def familiar(self) -> str:
        """The short name that people use: without `docker.io/` and `library/`."""
        if self.registry not in (None, _HUB, "index.docker.io"):
            return self.name
        return self.repository.removeprefix("library/")

    @property
    def canonical(self) -> str:
        """The full name that tools use: `docker.io/library/python:3.12`, with `latest` where
        nothing else is said."""
        registry = self.registry or _HUB
        path = self.repository
        if registry in (_HUB, "index.docker.io"):
            registry, path = _HUB, path if "/" in path else f"library/{path}"
        tag = self.tag or (None if self.digest else "latest")
        return (
            f"{registry}/{path}"
            + (f":{tag}" if tag else "")
            + (f"@{self.digest}" if self.digest else "")
        )

    def with_tag(self, tag: str | None) -> ImageReference:
        """The same name with another tag and without a digest."""
        return replace(self, tag=tag, digest=None)

    def with_digest(self, digest: str | None) -> ImageReference:
        return replace(self, digest=digest)

    def __str__(self) -> str:
        return (
            self.name
            + (f":{self.tag}" if self.tag else "")
            + (f"@{self.digest}" if self.digest else "")
        )


def _split_registry(path: str) -> tuple[str | None, str]:
    first, slash, rest = path.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first):
        return first, rest
    return None, path
