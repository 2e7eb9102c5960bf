"""The images that the files name, opened where they are here; and what running them showed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from imgopt.deploy.check.given import Inputs
from imgopt.deploy.check.workload import Container
from imgopt.errors import ImgoptError, InputError
from imgopt.results import from_json
from imgopt.results.deploy import NotChecked
from imgopt.results.run_facts import ImageFacts, RunFacts

if TYPE_CHECKING:
    from imgopt.image.image import Image
    from imgopt.inspect.image_view import ImageView

Open = Callable[[str], "Image"]
_NOT_THERE = "has no image"


@dataclass
class Opened:
    """Views and facts by the name of the image as the files write it."""

    views: dict[str, ImageView] = field(default_factory=dict)
    facts: dict[str, ImageFacts] = field(default_factory=dict)
    not_checked: list[NotChecked] = field(default_factory=list)


def opened(
    inputs: Inputs,
    images: Sequence[str],
    facts: Sequence[str],
    open_: Open | None = None,
) -> Opened:
    """`images` and `facts` are [NAME=]IMAGE and [NAME=]FILE: NAME is that of an image, container or
    service in the files. What is not named is looked for in the engine, nowhere else. Raises
    InputError for facts that cannot be read and for names that the files do not have, and what
    opening an image raises that was named."""
    containers = list(_containers(inputs))
    made = Opened()
    _facts(made, containers, facts)
    given = dict(_assigned(containers, images, "--image"))
    _views(made, containers, given, open_ or _open)
    return made


def _containers(inputs: Inputs) -> Iterator[Container]:
    for part in inputs.parts:
        for one in part.objects.workloads:
            yield from one.containers


def _open(reference: str) -> Image:
    from imgopt.image import open_image

    return open_image(reference)


def _views(
    made: Opened, containers: Sequence[Container], given: Mapping[str, str], open_: Open
) -> None:
    from imgopt.inspect.image_view import ImageView

    silent = ""
    for name in dict.fromkeys(one.image for one in containers if not one.varies):
        if name in given:
            made.views[name] = ImageView(open_(given[name]))
            continue
        reason = silent
        if not reason:
            try:
                made.views[name] = ImageView(open_(f"store:{name}"))
                continue
            except ImgoptError as error:
                reason = error.message
                silent = "" if _NOT_THERE in reason else reason
        made.not_checked.append(
            NotChecked(
                what=f"image {name}",
                reason=f"not looked into: {reason}",
                fix="pull or build it, or --image NAME=IMAGE",
            )
        )


def _facts(made: Opened, containers: Sequence[Container], said: Sequence[str]) -> None:
    for name, text in _split(said):
        path = Path(text)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"--facts {text}: cannot be read: {error.strerror}") from None
        read = from_json(data, RunFacts, text)
        for image, known in _matched(containers, read, name):
            made.facts[image] = known


def _matched(
    containers: Sequence[Container], read: RunFacts, name: str
) -> Iterator[tuple[str, ImageFacts]]:
    """The images of the files that these facts are of."""
    if not read.images:
        return
    if name:
        image = _named(containers, name, "--facts")
        yield image, _best(read, image)
        return
    main = list(dict.fromkeys(c.image for c in containers if c.kind == "main" and not c.varies))
    same = [
        (image, one)
        for image in main
        for one in read.images
        if plain(image) == plain(one.reference)
    ]
    if same:
        yield from same
    elif len(main) == 1:
        yield main[0], _best(read, main[0])
    else:
        listed = ", ".join(main) or "none"
        raise InputError(
            f"--facts: no container runs {read.images[0].reference}",
            hint=f"--facts NAME=FILE says whose they are; the files run {listed}",
        )


def _best(read: RunFacts, image: str) -> ImageFacts:
    """Of the images that were measured, the one with this name; else the last, which is what the
    original became."""
    same = [one for one in read.images if plain(one.reference) == plain(image)]
    return same[0] if same else read.images[-1]


def plain(reference: str) -> str:
    """One name for one image: `docker.io/library/redis` is `redis:latest`."""
    name = reference.removeprefix("docker.io/").removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def _split(said: Sequence[str]) -> Iterator[tuple[str, str]]:
    """[NAME=]VALUE."""
    for text in said:
        name, equals, value = text.partition("=")
        yield (name, value) if equals and "/" not in name[:1] else ("", text)


def _assigned(
    containers: Sequence[Container], said: Sequence[str], option: str
) -> Iterator[tuple[str, str]]:
    for name, value in _split(said):
        if name:
            yield _named(containers, name, option), value
            continue
        main = list(dict.fromkeys(c.image for c in containers if c.kind == "main"))
        same = [image for image in main if plain(image) == plain(value)]
        if not same and len(main) != 1:
            raise InputError(
                f"{option} {value}: the files run {len(main)} images",
                hint=f"{option} NAME={value}, where NAME is one of {', '.join(main)}",
            )
        yield (same or main)[0], value


def _named(containers: Sequence[Container], name: str, option: str) -> str:
    for one in containers:
        if name in (one.image, one.name) or plain(name) == plain(one.image):
            return one.image
    known = ", ".join(dict.fromkeys(one.name for one in containers))
    raise InputError(
        f"{option} {name}: no container or image has this name", hint=f"known: {known}"
    )
