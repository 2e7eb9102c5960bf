"""Which images are meant, and where their Dockerfile and context are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imgopt.ci.settings import CiSettings, ImageSetting
from imgopt.errors import InputError

if TYPE_CHECKING:
    from imgopt.engine import BuildFailure


@dataclass(frozen=True, slots=True)
class Subject:
    """An image to measure. `name` is its name in the baseline, the same in every run whatever the
    tag.

    `dockerfile` and `context` say where its lines are; without a `reference` it is built from them.
    """

    name: str
    reference: str | None = None
    platform: str | None = None
    dockerfile: Path | None = None
    context: Path | None = None
    target: str | None = None
    failure: BuildFailure | None = None
    """Why there is nothing to measure."""

    def __str__(self) -> str:
        return f"{self.name} ({self.platform})" if self.platform else self.name


@dataclass(frozen=True, slots=True)
class Where:
    """What the command line says about all images."""

    folder: Path
    context: Path | None = None
    dockerfile: Path | None = None
    target: str | None = None
    platforms: tuple[str, ...] = ()


def find_subjects(words: Sequence[str], settings: CiSettings, where: Where) -> list[Subject]:
    """From `NAME=REFERENCE` or `REFERENCE` words; without any, the images of the configuration.

    Raises InputError for two images of one name, or when there is none.
    """
    named = {item.name: item for item in settings.images if item.name}
    if words:
        subjects = [each for word in words for each in _of_word(word, named, where)]
    else:
        subjects = [each for item in named.values() for each in _of_setting(item, None, where)]
    if not subjects:
        raise InputError(
            "no image is named", hint="`imgopt ci check IMAGE`, or [[ci.image]] in imgopt.toml"
        )
    seen: set[tuple[str, str | None]] = set()
    for subject in subjects:
        if (subject.name, subject.platform) in seen:
            raise InputError(f"two images are called {subject}", hint="name them: NAME=REFERENCE")
        seen.add((subject.name, subject.platform))
    return subjects


def _of_word(word: str, named: dict[str, ImageSetting], where: Where) -> list[Subject]:
    name, equals, reference = word.partition("=")
    if not equals or "/" in name or ":" in name:
        name, reference = (word, "") if word in named else (default_name(word), word)
    if not name or (equals and not reference) or not word.isprintable():
        raise InputError(f"{word!r} names no image", hint="give REFERENCE or NAME=REFERENCE")
    return _of_setting(named.get(name, ImageSetting(name=name)), reference or None, where)


def default_name(reference: str) -> str:
    """The name that stays when tags change: "ghcr.io/acme/app:1.2" is "ghcr.io/acme/app",
    "out/app.tar" is "app".

    >>> default_name("localhost:5000/app@sha256:ab"), default_name("oci:out/app")
    ('localhost:5000/app', 'app')
    """
    scheme, colon, rest = reference.partition(":")
    if colon and scheme in ("docker-archive", "oci-archive", "archive", "oci"):
        return default_name(rest) if rest.startswith(("/", ".")) else default_name(f"./{rest}")
    if colon and scheme in ("engine", "store", "registry"):
        return default_name(rest)
    path, _, name = reference.partition("#")
    if path.startswith(("/", "./", "../", "~")) or path.endswith((".tar", ".tar.gz", ".tgz")):
        return name or Path(path).name.removesuffix(".gz").removesuffix(".tgz").removesuffix(".tar")
    bare = reference.partition("@")[0]
    head, slash, last = bare.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _of_setting(item: ImageSetting, reference: str | None, where: Where) -> list[Subject]:
    context = where.folder / item.context if item.context else where.context
    dockerfile = where.dockerfile or _dockerfile(item, context or where.folder)
    image = reference or item.image
    if image is None and dockerfile is None:
        raise InputError(
            f"{item.name}: neither an image nor a Dockerfile to build it from",
            hint="set `image` or `context` in [[ci.image]]",
        )
    platforms: tuple[str | None, ...] = where.platforms or item.platforms or (None,)
    return [
        Subject(
            item.name or "",
            image,
            platform,
            dockerfile,
            context or where.folder,
            item.target or where.target,
        )
        for platform in platforms
    ]


def _dockerfile(item: ImageSetting, context: Path) -> Path | None:
    """The file that the configuration names, else the context's own where there is one."""
    if item.file:
        return context / item.file
    return context / "Dockerfile" if (context / "Dockerfile").is_file() else None
