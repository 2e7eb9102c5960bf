"""`known.toml`: programs, paths and commands that are known by name."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class Prober(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command that asks a health route; `language` is that of the program that runs ("" for
    any), and `{program}`, `{port}` and `{path}` are filled in."""

    words: list[str]
    language: str = ""

    def filled(self, program: str, port: int, path: str) -> tuple[str, ...]:
        """The words for one route."""
        values = {"{program}": program, "{port}": str(port), "{path}": path}
        made = []
        for word in self.words:
            for name, value in values.items():
                word = word.replace(name, value)
            made.append(word)
        return tuple(made)


class AcceleratorFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files that only a graphics processor uses (glob patterns), and its devices (beginnings)."""

    files: list[str]
    devices: list[str]


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As the file documents it."""

    inits: list[str]
    shells: list[str]
    health: list[str]
    liveness: list[str]
    readiness: list[str]
    metrics: list[str]
    sockets: list[str]
    temporary: list[str]
    further_temporary: list[str]
    says_how_it_was_built: str
    prober: list[Prober]
    accelerator: AcceleratorFiles


@cache
def known() -> Known:
    """What the file says."""
    text = (files("imgopt") / "run" / "facts" / "known.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Known)
