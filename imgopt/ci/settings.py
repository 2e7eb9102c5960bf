"""The `[ci]` table of the configuration: what is measured, the rules with their levels and limits,
the images.

[ci]
baseline = "imgopt-baseline.json"
metric = "tar"

[ci.rules]
own-layers = ["error", {max-growth = ["5 %", "5 MB"]}]
total = {level = "error", max = "250 MB"}

[[ci.packages]]
match = "python:torch*"
max = "900 MB"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import msgspec

from imgopt.ci.limits import Limit, read_limit
from imgopt.errors import InputError, Location
from imgopt.results.ci import Metric

T = TypeVar("T", bound=str)
RuleLevel = Literal["off", "info", "warn", "error"]
LEVELS: tuple[RuleLevel, ...] = get_args(RuleLevel)
METRICS: tuple[Metric, ...] = get_args(Metric)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule allows. Of several amounts in one limit the larger holds."""

    level: RuleLevel
    max: Limit | None = None
    max_growth: Limit | None = None
    metric: Metric | None = None
    allow: tuple[str, ...] = ()
    """Globs of paths that `setuid` and `secrets` take for granted."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A rule for the paths or packages that a glob matches."""

    match: str
    rule: Rule


class ImageSetting(msgspec.Struct, frozen=True, kw_only=True):
    """An image to check (`name`), or settings for all whose name a glob matches (`match`)."""

    name: str | None = None
    match: str | None = None
    image: str | None = None
    context: str | None = None
    file: str | None = None
    target: str | None = None
    platforms: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = {}
    paths: tuple[Budget, ...] = ()
    packages: tuple[Budget, ...] = ()


class CiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All of `[ci]`, with the defaults filled in."""

    baseline: str = "imgopt-baseline.json"
    metric: Metric = "tar"
    on_missing_baseline: Literal["warn", "error"] = "warn"
    rules: Mapping[str, Rule] = {}
    paths: tuple[Budget, ...] = ()
    packages: tuple[Budget, ...] = ()
    images: tuple[ImageSetting, ...] = ()

    def for_image(self, name: str) -> CiSettings:
        """With the overrides whose name or glob fits, in the order of the file."""
        result = self
        for item in self.images:
            if item.name == name or (item.match is not None and fnmatchcase(name, item.match)):
                result = msgspec.structs.replace(
                    result,
                    rules={**result.rules, **item.rules},
                    paths=(*result.paths, *item.paths),
                    packages=(*result.packages, *item.packages),
                )
        return result


COUNTED = frozenset(["layers"])
"""Rules whose limits are counts; `rebuild` and all others are in bytes."""

DEFAULTS: Mapping[str, Rule] = {
    "total": Rule(level="error"),
    "own-layers": Rule(level="error", max_growth=read_limit(["5 %", "5 MB"])),
    "base": Rule(level="warn", max_growth=read_limit(["5 %", "5 MB"])),
    "wasted": Rule(level="warn", max=read_limit(["5 %", "10 MB"])),
    "junk": Rule(level="info", max=read_limit(["5 %", "10 MB"])),
    "layers": Rule(level="info", max=read_limit(60, counts=True)),
    "setuid": Rule(level="warn"),
    "root-user": Rule(level="info"),
    "secrets": Rule(level="warn"),
    "rebuild": Rule(level="off", max_growth=read_limit(["20 %", "10 MB"])),
}
"""Every rule by name. One without limits measures and never fails (`total`: growth is judged apart
from the base's)."""

_TOP = ("baseline", "metric", "on-missing-baseline", "rules", "paths", "packages", "image")
_RULE = ("level", "max", "max-growth", "metric", "allow")
_BUDGET = ("match", "level", "max", "max-growth")
_IMAGE = (
    "name",
    "match",
    "image",
    "context",
    "file",
    "target",
    "platforms",
    "rules",
    "paths",
    "packages",
)


def read_settings(table: Mapping[str, Any], path: Path | None = None) -> CiSettings:
    """Reads the table. Raises InputError that names the key, the nearest valid one and the line."""
    return _Reader(path).settings(table)


class _Reader:
    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines = path.read_text(encoding="utf-8-sig").splitlines() if path else []

    def settings(self, table: Mapping[str, Any]) -> CiSettings:
        known = self._keys(table, _TOP, "ci")
        rules = self._table(known.get("rules", {}), "ci.rules")
        return CiSettings(
            baseline=self._text(known.get("baseline", "imgopt-baseline.json"), "baseline", "ci"),
            metric=self._one_of(known.get("metric", "tar"), METRICS, "metric", "ci"),
            on_missing_baseline=self._one_of(
                known.get("on-missing-baseline", "warn"),
                ("warn", "error"),
                "on-missing-baseline",
                "ci",
            ),
            rules={**DEFAULTS, **self._rules(rules, "ci.rules", DEFAULTS)},
            paths=self._budgets(known.get("paths", []), "ci.paths"),
            packages=self._budgets(known.get("packages", []), "ci.packages"),
            images=tuple(
                self._image(item) for item in self._list(known.get("image", []), "ci.image")
            ),
        )

    def _image(self, item: Mapping[str, Any]) -> ImageSetting:
        known = self._keys(item, _IMAGE, "ci.image")
        if ("name" in known) == ("match" in known):
            raise self._error(
                "[[ci.image]] needs either `name` or `match`",
                "image",
                hint="give exactly one of them",
            )
        texts = {
            key: self._text(known[key], key, "ci.image")
            for key in ("name", "match", "image", "context", "file", "target")
            if key in known
        }
        platforms = known.get("platforms", [])
        if not isinstance(platforms, list) or not all(isinstance(each, str) for each in platforms):
            raise self._error("`platforms` in [[ci.image]] must be a list of strings", "platforms")
        return ImageSetting(
            **texts,
            platforms=tuple(platforms),
            rules=self._rules(
                self._table(known.get("rules", {}), "ci.image.rules"), "ci.image.rules", DEFAULTS
            ),
            paths=self._budgets(known.get("paths", []), "ci.image.paths"),
            packages=self._budgets(known.get("packages", []), "ci.image.packages"),
        )

    def _rules(
        self, table: Mapping[str, Any], where: str, below: Mapping[str, Rule]
    ) -> dict[str, Rule]:
        found = self._keys(table, tuple(DEFAULTS), where)
        return {name: self._rule(value, name, where, below[name]) for name, value in found.items()}

    def _rule(self, value: Any, name: str, where: str, default: Rule) -> Rule:
        """A level; [level, {options}]; or a table with `level`. Options given replace the default's
        limits."""
        options: Mapping[str, Any] = {}
        if isinstance(value, str):
            return msgspec.structs.replace(default, level=self._one_of(value, LEVELS, name, where))
        if isinstance(value, list):
            if not value or len(value) > 2 or (len(value) == 2 and not isinstance(value[1], dict)):
                raise self._error(
                    f"`{name}` in [{where}] must be a level, or a list of a level and a table",
                    name,
                    hint=f'for instance {name} = ["error", {{max-growth = ["5 %", "5 MB"]}}]',
                )
            options = {"level": value[0], **(value[1] if len(value) == 2 else {})}
        elif isinstance(value, dict):
            options = value
        else:
            raise self._error(f"`{name}` in [{where}] must be a level: {', '.join(LEVELS)}", name)
        known = self._keys(options, _RULE, f"{where}.{name}")
        limits = self._limits(known, name)
        level = self._one_of(known.get("level", default.level), LEVELS, name, where)
        metric = known.get("metric")
        return Rule(
            level=level,
            max=limits.get("max", None if limits else default.max),
            max_growth=limits.get("max-growth", None if limits else default.max_growth),
            metric=self._one_of(metric, METRICS, "metric", f"{where}.{name}")
            if metric is not None
            else None,
            allow=tuple(self._strings(known.get("allow", []), "allow", f"{where}.{name}")),
        )

    def _limits(self, known: Mapping[str, Any], name: str) -> dict[str, Limit]:
        found = {}
        for key in ("max", "max-growth"):
            if key in known:
                try:
                    found[key] = read_limit(known[key], counts=name in COUNTED)
                except ValueError as error:
                    raise self._error(f"`{key}` of {name}: {error}", key, after=name) from None
        return found

    def _budgets(self, value: Any, where: str) -> tuple[Budget, ...]:
        made = []
        for item in self._list(value, where):
            known = self._keys(item, _BUDGET, where)
            match = self._text(known.get("match"), "match", where)
            limits = self._limits(known, where.rpartition(".")[2])
            if not limits:
                raise self._error(
                    f"[[{where}]] {match}: no limit", "match", hint="give `max` or `max-growth`"
                )
            level = self._one_of(known.get("level", "error"), LEVELS, "level", where)
            rule = Rule(level=level, max=limits.get("max"), max_growth=limits.get("max-growth"))
            made.append(Budget(match=match, rule=rule))
        return tuple(made)

    def _keys(self, table: Mapping[str, Any], known: tuple[str, ...], where: str) -> dict[str, Any]:
        found = {}
        for key, value in table.items():
            name = key.replace("_", "-")
            if name not in known:
                near = difflib.get_close_matches(name, known, 1, 0.5)
                hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}"
                raise self._error(f"unknown option `{key}` in [{where}]", key, hint=hint)
            found[name] = value
        return found

    def _table(self, value: Any, where: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._error(f"[{where}] must be a table", where.rpartition(".")[2])
        return value

    def _list(self, value: Any, where: str) -> Iterable[Mapping[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._error(f"write [[{where}]] with two brackets", where.rpartition(".")[2])
        return value

    def _strings(self, value: Any, key: str, where: str) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(f"`{key}` in [{where}] must be a list of strings", key)
        return value

    def _text(self, value: Any, key: str, where: str) -> str:
        if not isinstance(value, str) or not value:
            raise self._error(f"`{key}` in [{where}] must be a text", key)
        return value

    def _one_of(self, value: Any, known: tuple[T, ...], key: str, where: str) -> T:
        if value in known:
            return known[known.index(value)]
        near = difflib.get_close_matches(str(value), known, 1, 0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"one of: {', '.join(known)}"
        raise self._error(f"`{key}` in [{where}]: {value!r} is not known", key, hint=hint)

    def _error(
        self, message: str, key: str, *, hint: str | None = None, after: str = ""
    ) -> InputError:
        place = Location(str(self._path) if self._path else "configuration", self._line(key, after))
        return InputError(message, location=place, hint=hint)

    def _line(self, key: str, after: str) -> int | None:
        """The first line at or below `[ci` (and below `after`) that has the key as a word."""
        words = "[_-]".join(re.escape(word) for word in re.split("[_-]", key))
        wanted = re.compile(rf"(?<![\w-]){words}(?![\w-])")
        start = next(
            (
                n
                for n, line in enumerate(self._lines)
                if re.match(r"\s*\[+(tool\.imgopt\.)?ci\b", line)
            ),
            0,
        )
        if after:
            start = next(
                (n for n in range(start, len(self._lines)) if after in self._lines[n]), start
            )
        return next(
            (n + 1 for n in range(start, len(self._lines)) if wanted.search(self._lines[n])), None
        )
