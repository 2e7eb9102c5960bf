"""Looks into candidate base images, each once; what was not on the engine before is removed with
the session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imgopt.engine import BuildFailure, BuildRequest, Session
from imgopt.errors import ImgoptError
from imgopt.image import Image, open_image


class BaseLooker:
    """Opens base images by the name that a FROM would say."""

    def __init__(
        self, session: Session, bases: Mapping[str, str], platform: str | None = None
    ) -> None:
        self._session, self._bases, self._platform = session, bases, platform
        self._known: dict[str, Image | None] = {}

    def __call__(self, name: str) -> Image | None:
        """The image; None where it cannot be had."""
        if name not in self._known:
            self._known[name] = self._open(name)
        return self._known[name]

    def resolves(self, name: str) -> bool:
        """Whether a build could use it."""
        return name == "scratch" or self._session.engine.resolve_base(name, self._bases) is not None

    def digest(self, name: str) -> str | None:
        """The registry's digest of a base; None for one that `bases` replaces, or that no registry
        has."""
        engine = self._session.engine
        resolved = engine.resolve_base(name, self._bases)
        return engine.repository_digest(name) if resolved == name else None

    def _open(self, name: str) -> Image | None:
        engine = self._session.engine
        resolved = engine.resolve_base(name, self._bases)
        if resolved is None or resolved == "scratch":
            return None
        try:
            return open_image(resolved if engine.has_image(resolved) else self._pulled(name))
        except (BuildFailure, ImgoptError):
            return None

    def _pulled(self, name: str) -> str:
        """A build of nothing but FROM brings the image without leaving its name behind."""
        folder = self._session.temp_tree("base")
        request = BuildRequest(
            Path(folder),
            dockerfile=f"FROM {name}\n",
            bases=self._bases,
            platform=self._platform,
            name="base",
        )
        build = self._session.build(request)
        assert build.image_id is not None
        return build.image_id
