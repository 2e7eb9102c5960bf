"""What a Dockerfile says about the image that it makes: its base, and the packages that its author
named."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from imgopt.dockerfile import parse, read_shell

_INSTALLERS: Mapping[str, tuple[str, ...]] = {
    "apt-get": ("install",),
    "apt": ("install",),
    "aptitude": ("install",),
    "apk": ("add",),
    "dnf": ("install",),
    "yum": ("install",),
    "microdnf": ("install",),
    "zypper": ("install", "in"),
}
_OPTIONS_WITH_VALUE = (
    "-t",
    "--virtual",
    "--target-release",
    "-o",
    "--option",
    "-c",
    "--repository",
    "-X",
    "--root",
)


def base_name(
    text: str, target: str | None = None, build_args: Mapping[str, str] | None = None
) -> str | None:
    """The image that the target stage is built on, through the stages below it; None where it
    cannot be told."""
    file = parse(text)
    if not file.stages:
        return None
    stage = file.bind(build_args or {})[file.target(target).index]
    name = str(stage.root.base)
    return name if name and "$" not in name else None


def named_packages(text: str, target: str | None = None) -> tuple[str, ...]:
    """System packages that RUN installs by name in the target stage and those below it, in order.

    Names that a shell computes are not known and left out, as are packages of a later `purge` or
    `remove`.
    """
    file = parse(text)
    if not file.stages:
        return ()
    found: dict[str, None] = {}
    for stage in file.target(target).chain:
        for instruction in stage.instructions:
            if instruction.keyword != "RUN":
                continue
            for command in read_shell(instruction).commands:
                values = [value for value in command.values if value]
                found.update(dict.fromkeys(_installed(values)))
                for name in _removed(values):
                    found.pop(name, None)
    return tuple(found)


def _installed(words: Sequence[str]) -> Iterator[str]:
    words = words[1:] if words[:1] == ["sudo"] else words
    verbs = _INSTALLERS.get(posixpath.basename(words[0]), ()) if words else ()
    at = next((index for index, word in enumerate(words) if word in verbs), None)
    return _names(words[at + 1 :]) if at is not None else iter(())


def _removed(words: Sequence[str]) -> Iterator[str]:
    name = posixpath.basename(words[0]) if words else ""
    at = next(
        (i for i, word in enumerate(words) if word in ("purge", "remove", "del", "erase")), None
    )
    return _names(words[at + 1 :]) if at is not None and name in _INSTALLERS else iter(())


def _names(words: Sequence[str]) -> Iterator[str]:
    skip = False
    for word in words:
        if skip or word.startswith("-"):
            skip = not skip and word in _OPTIONS_WITH_VALUE
        elif not word.endswith("-") and not word.startswith((".", "/")):
            yield word
