"""The model's figures: read from parameters.toml, changed by options and by `--set NAME=VALUE`."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from imgopt.errors import InputError

MEGA = 1e6
_POSITIVE = ("MB/s", "B/B", "B/file", "layers", "pods/s")
"""Units of what is divided by: zero is refused."""


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure. `option` is the option that sets it; empty: `--set` does."""

    name: str
    what: str
    unit: str
    default: float
    source: str
    option: str = ""


@cache
def known() -> tuple[Parameter, ...]:
    """All of them, in the table's order."""
    text = files("imgopt.fleet.cost").joinpath("parameters.toml").read_text(encoding="utf-8")
    return tuple(msgspec.convert(tomllib.loads(text)["parameter"], list[Parameter], strict=False))


@dataclass(frozen=True)
class Parameters:
    """Values by name; what nobody set is the default."""

    given: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        if name in self.given:
            return self.given[name]
        return next(one.default for one in known() if one.name == name)

    def rate(self, name: str) -> float:
        """A rate of the table in bytes a second."""
        return self[name] * MEGA

    def count(self, name: str) -> int:
        return round(self[name])

    @property
    def replicas(self) -> int:
        return self.count("replicas") or self.count("nodes")

    def with_values(self, **values: float) -> Parameters:
        return Parameters({**self.given, **values})


def parameters(values: Mapping[str, float | None]) -> Parameters:
    """Checks what is given; None is not given. Raises InputError for a name that is not in the
    table, and for a value that is no amount."""
    names = {one.name: one for one in known()}
    given = {name: value for name, value in values.items() if value is not None}
    for name, value in given.items():
        if name not in names:
            raise InputError(f"no parameter {name}", hint=f"known: {', '.join(names)}")
        least = "above 0" if names[name].unit in _POSITIVE else "0 or more"
        if not math.isfinite(value) or value < 0 or (value == 0 and least == "above 0"):
            raise InputError(f"{name} = {value:g}: has to be {least} ({names[name].unit})")
    if given.get("nodes") == 0:
        raise InputError("nodes = 0: a fleet has at least one node")
    return Parameters(given)


def read_settings(words: Iterable[str]) -> dict[str, float]:
    """`NAME=VALUE` of `--set`. Raises InputError for what is not that."""
    found: dict[str, float] = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name.strip().replace("-", "_")] = float(value)
        except ValueError:
            raise InputError(
                f"--set {word}: not NAME=NUMBER", hint="for instance --set gzip_rate=150"
            ) from None
    return found
