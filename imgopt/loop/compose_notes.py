"""What a Compose file says of an image that holds no more of a variant of it: users, programs, and
development mounts that would hide what the variant moved."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from msgspec import structs

from imgopt.compose.companions import Beside
from imgopt.compose.model import Service
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.shell_programs import called_programs
from imgopt.inspect.system.users import resolve_user
from imgopt.loop.attempt import Attempt
from imgopt.loop.original import Original
from imgopt.results.optimize import ComposeNote, Variant

_MOST_FOLDERS = 3


def with_notes(
    variant: Variant, item: Attempt, original: Original, beside: Beside | None
) -> Variant:
    """The variant with what the file has to say otherwise; as it is where there is no such file, or
    no image."""
    image = item.outcome.image if item.outcome is not None else None
    if beside is None or image is None:
        return variant
    notes = list(compose_notes(beside, original.evidence.view, ImageView(image)))
    return structs.replace(variant, compose=notes)


def compose_notes(
    beside: Beside, original: ImageView, candidate: ImageView
) -> Iterator[ComposeNote]:
    """Of every service that runs this image. What the run itself shows is not said again."""
    for service in beside.sharing:
        yield from _user(service, original, candidate)
        yield from _programs(service, original, candidate)
    yield from _hidden(beside, original, candidate)


def _user(service: Service, before: ImageView, after: ImageView) -> Iterator[ComposeNote]:
    name = service.user
    if name is None or resolve_user(name, after.read) is not None:
        return
    known = resolve_user(name, before.read)
    if known is not None:
        yield ComposeNote(
            service=service.name,
            key="user",
            message=f"the user {name} is not in the variant",
            instead=f"{known.uid}:{known.gid}",
        )


def _programs(service: Service, before: ImageView, after: ImageView) -> Iterator[ComposeNote]:
    health = service.health.test if service.health is not None else ()
    for key, words in (
        ("entrypoint", service.entrypoint or ()),
        (
            "command",
            () if service.entrypoint or before.config.entrypoint else service.command or (),
        ),
        ("healthcheck", _health_programs(health)),
    ):
        for word in words[:1] if key != "healthcheck" else words:
            if before.command(word) is not None and after.command(word) is None:
                message = f"{key} calls {word}, which is not in the variant"
                yield ComposeNote(service=service.name, key=key, message=message)


def _health_programs(test: Sequence[str]) -> tuple[str, ...]:
    if test[:1] == ("CMD",):
        return tuple(test[1:2])
    if test[:1] != ("CMD-SHELL",):
        return ()
    return called_programs(" ".join(test[1:]))


def _hidden(beside: Beside, before: ImageView, after: ImageView) -> Iterator[ComposeNote]:
    """Folders below a development mount that only the variant has: with the mount they would be
    gone."""
    for target in beside.hidden:
        new = sorted(after.names(target) - before.names(target))
        for name in new[:_MOST_FOLDERS]:
            path = posixpath.join(target, name)
            if after.is_file(path):
                continue
            yield ComposeNote(
                service=beside.service.name,
                key="volumes",
                message=(
                    f"the development mount over {target} hides {path}, where the variant keeps"
                    " what the original has elsewhere"
                ),
                instead=path,
            )
