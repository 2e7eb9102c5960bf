"""The base of an image of which no Dockerfile is at hand, as its history tells it.

Every base image ends with a CMD of its own (`bash`, `python3`, `node`), and whoever builds on it
says another command behind his own steps. So the last CMD that is not in force any more is where a
base ends, as long as nothing below it looks like an application.
"""

from __future__ import annotations

import re

from imgopt.image.image import Image

_COMMAND = re.compile(r"^(?:/bin/sh -c #\(nop\) +)?CMD\b")
_OF_A_SYSTEM = re.compile(
    r"^/(?:bin|boot|dev|etc|home|lib|lib32|lib64|libx32|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|"
    r"usr|var|docker-entrypoint[^/]*|entrypoint[^/]*|\.[^/]*)(?:/|$)"
)
_OF_AN_APPLICATION = re.compile(r"^/(?:usr/src/app|var/www|srv|opt/app|home/[^/]+)/[^.]")


def base_layers_of(image: Image) -> int | None:
    """How many layers at the bottom are the base's; None where the history does not tell."""
    steps = image.history
    if len([step for step in steps if not step.empty_layer]) != len(image.layers):
        return None
    commands = [at for at, step in enumerate(steps) if _COMMAND.match(step.created_by)]
    # without one in force, an ENTRYPOINT took back all that were said below it
    for at in reversed(commands[:-1] if image.config.cmd else commands):
        below = sum(not step.empty_layer for step in steps[:at])
        if 0 < below < len(image.layers) and not _is_application(image, below):
            return below
    return None


def _is_application(image: Image, below: int) -> bool:
    """Whether somebody's own files are in these layers, at a place that no base has; the lowest one
    is the system's."""
    return any(
        entry.kind == "file" and _is_own(entry.path)
        for layer in image.layers[1:below]
        for entry in layer.entries()
    )


def _is_own(path: str) -> bool:
    return not _OF_A_SYSTEM.match(path) or _OF_AN_APPLICATION.match(path) is not None
