"""State of tools: what a build tool or a run time keeps for itself, which is no file of the
application.

Counters, logs, locks and caches that the next start makes again differ between two builds of one
source, in contents and often in name (a day, a digest, a drawn id), so no two images agree in them.
They are not compared, also where the service read them: Node reads its compile cache at every start
and works without it. What a start would miss, or have to fetch again, is data (models, browsers,
packages, settings) and not among these facts.
"""

from __future__ import annotations

import re
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.config import ImageConfig
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered
from imgopt.inspect.start.started import started_folders

_HOME = r"^/(?:[^/]+/){1,4}(?=\.)"
"""A hidden folder of a home, wherever that is (`HOME=/app`): the names of these facts are nothing
else's."""


@cache
def _state() -> re.Pattern[str]:
    """The proof's own facts (`[tools_own]`) of the ecosystems that are built in, as one pattern."""
    facts = [path for ecosystem in builtin_ecosystems() for path in ecosystem.tools_own.paths]
    patterns = (_HOME + path[2:] if path.startswith("~/") else path for path in facts)
    return re.compile("|".join(f"(?:{pattern})(?:/|$)" for pattern in patterns))


@cache
def _held() -> tuple[str, ...]:
    return tuple(
        {text: None for ecosystem in builtin_ecosystems() for text in ecosystem.tools_own.hold}
    )


def is_state(view: ImageView, path: str) -> bool:
    """Whether a tool keeps this file for itself, in an image whose author gave that folder to
    nothing else."""
    path = _as_temporary(view, path)
    if not any(text in path for text in _held()):
        return False
    return _state().search(path) is not None and not path.startswith(_given(view))


def _as_temporary(view: ImageView, path: str) -> str:
    """Below /tmp what lies in the folder that the image has for what is temporary."""
    folder = temporary_folder(view.config)
    return f"/tmp{path.removeprefix(folder)}" if folder and path.startswith(folder + "/") else path


def temporary_folder(config: ImageConfig) -> str:
    """Another place than /tmp that the image's environment has for it; "" for none."""
    folder = config.environment.get("TMPDIR", "").rstrip("/")
    return folder if folder.startswith("/") and folder != "/tmp" else ""


@remembered
def _given(view: ImageView) -> tuple[str, ...]:
    """Folders in a tool's own that the author gave to something: the start is there, or a variable
    names it."""
    folders = (*started_folders(view), *named_folders(view.config))
    return tuple(f"{folder}/" for folder in folders if _state().search(f"{folder}/"))


def named_folders(config: ImageConfig) -> tuple[str, ...]:
    """Folders that the image's environment names (`NODE_COMPILE_CACHE=/tmp/node-compile-cache`):
    what was put there while building is meant for the run."""
    values = config.environment.values()
    return tuple(value.rstrip("/") for value in values if re.fullmatch(r"/[^:\s]+", value))
