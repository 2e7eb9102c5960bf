"""The image of a companion: the one under proof, one that is built from the same file, or one that
the engine has or can pull."""

from __future__ import annotations

import json
from collections.abc import Iterator

from imgopt.compose.companions import Beside, Companion
from imgopt.compose.linked import request_of
from imgopt.compose.model import BuildOf
from imgopt.engine import BuildFailure, Session
from imgopt.engine.client import familiar
from imgopt.errors import ImgoptError

_MOST_NAMED = 3


class NotHad(Exception):
    """There is no such image; `hints` name what could stand in."""

    def __init__(self, said: str, hints: tuple[str, ...]) -> None:
        super().__init__(said)
        self.hints = hints


def image_of(session: Session, companion: Companion, beside: Beside, own: str) -> str:
    """Found or made once in a session. Raises NotHad."""
    if companion.own:
        return own
    key = f"{companion.name} {companion.image}"
    if key not in session.prepared:
        session.prepared[key] = (
            _built(session, companion, companion.build, beside)
            if companion.build is not None and companion.name not in beside.images
            else _pulled(session, companion, beside)
        )
    return session.prepared[key]


def _built(session: Session, companion: Companion, build: BuildOf, beside: Beside) -> str:
    try:
        made = session.build(request_of(build, dict(beside.bases), "companion"))
    except BuildFailure as failure:
        said = f"its companion {companion.name} does not build: {failure}"
        raise NotHad(said, (_offer(companion.name),)) from None
    assert made.image_id is not None
    return made.image_id


def _pulled(session: Session, companion: Companion, beside: Beside) -> str:
    engine, wanted = session.engine, _named(companion, beside)
    if engine.has_image(wanted) or _pull(session, wanted):
        return wanted
    near = list(_alike(session, wanted))[:_MOST_NAMED]
    here = f"; here are, to stand in: {', '.join(near)}" if near else ""
    hint = _offer(companion.image or companion.name, near[0] if near else "IMAGE") + here
    said = f"its companion {companion.name} needs the image {wanted}, which is not here"
    raise NotHad(f"{said} and cannot be pulled", (hint,))


def _named(companion: Companion, beside: Beside) -> str:
    """What the configuration names for the service or for its image, else the image itself."""
    if companion.name in beside.images:
        return beside.images[companion.name]
    wanted = familiar(companion.image)
    return next(
        (to for name, to in beside.images.items() if familiar(name) == wanted), companion.image
    )


def _pull(session: Session, name: str) -> bool:
    from docker.errors import DockerException
    from requests import RequestException

    if not session.engine.image_available(name):
        return False
    try:
        session.engine.client.images.pull(name, all_tags=False)
    except (DockerException, RequestException, ImgoptError, OSError):
        return False
    return session.engine.has_image(name)


def _alike(session: Session, wanted: str) -> Iterator[str]:
    """Images of this engine whose last name is the same."""
    last = familiar(wanted).partition("@")[0].rpartition("/")[2].partition(":")[0]
    for image in session.engine.client.api.images():
        for tag in image.get("RepoTags") or ():
            if tag.rpartition("/")[2].partition(":")[0] == last:
                yield str(tag)


def _offer(name: str, image: str = "IMAGE") -> str:
    line = f"{json.dumps(name)} = {json.dumps(image)}"
    return f"name another image for it: {line} below [companions], or --base '{name}={image}'"
