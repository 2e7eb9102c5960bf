"""Settings of a project: `imgopt.toml`, `.imgopt.toml` or `[tool.imgopt]` in pyproject.toml; one
schema for all three.

The file nearest to the build context wins, looking upward to the root of the repository; files are
not merged unless one says `extend = "../imgopt.toml"`. The command line goes over the file. Unknown
keys are refused with a hint.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from imgopt.errors import InputError, Location

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration; keys may be written with `-` or `_`."""


class BuildSection(Section, frozen=True):
    """How `docker build` is called for this project."""

    file: str | None = None
    target: str | None = None
    args: dict[str, str] = {}
    secrets: list[str] = []
    ssh: list[str] = []
    platform: str | None = None
    network: str | None = None
    contexts: dict[str, str] = {}
    arguments: list[str] = []


class ComposeSection(Section, frozen=True):
    """Which service of a Compose file, or target of a Bake file, is meant; `folder` is where the
    file lies, seen from the context; with `mounts` development mounts are taken, as copies."""

    service: str | None = None
    bake_target: str | None = None
    mounts: bool = False
    folder: str | None = None


class RequestSection(Section, frozen=True):
    """One request of the user's own. At most one of `json`, `form` and `body`."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = {}
    json: Any = None
    form: dict[str, Any] = {}
    body: str | None = None
    status: int | None = None
    text: str | None = None
    save: dict[str, str] = {}


class AnswerSection(Section, frozen=True):
    """What a host that the service calls answers to it. At most one of `json`, `body`, `file` and
    `stream`."""

    url: str
    method: str | None = None
    status: int = 200
    headers: dict[str, str] = {}
    json: Any = None
    body: str | None = None
    file: str | None = None
    stream: list[str] = []


class SmokeSection(Section, frozen=True):
    """How the image is started and asked, so that two images can be compared. Times in seconds."""

    http: list[str] = []
    run: list[str] = []
    ports: list[Port] = []
    env: dict[str, str] = {}
    env_file: str | None = None
    mounts: list[str] = []
    command: list[str] | None = None
    network: str | None = None
    start_timeout: float = 60.0
    stop_timeout: float = 10.0
    requests: list[RequestSection] = []
    requests_file: str | None = None
    answers: list[AnswerSection] = []
    writes: bool = True
    tests: str | None = None
    tests_stage: str | None = None
    coverage: Percent = 0


class RewriteSection(Section, frozen=True):
    """Which rewrites are wanted. `allow` names suggestions that are not made unasked."""

    variants: list[str] = []
    disable: list[str] = []
    allow: list[str] = []
    ecosystems: list[str] = []


class ScenarioSection(Section, frozen=True):
    """A user's own scenario of `imgopt cache`: a patch file or a shell command, run on a copy of
    the context."""

    name: str
    patch: str | None = None
    command: str | None = None


class CacheSection(Section, frozen=True):
    scenario: list[ScenarioSection] = []


class BenchSection(Section, frozen=True):
    """Defaults of `imgopt bench`."""

    runs: int = 6
    scenarios: list[str] = []
    max_time: float | None = None
    min_effect: float = 0.05
    alpha: float = 0.05


class Config(Section, frozen=True):
    """The whole configuration, with the file it came from."""

    build: BuildSection = BuildSection()
    smoke: SmokeSection = SmokeSection()
    bases: dict[str, str] = {}
    compose: ComposeSection = ComposeSection()
    companions: dict[str, str] = {}
    rewrite: RewriteSection = RewriteSection()
    cache: CacheSection = CacheSection()
    bench: BenchSection = BenchSection()
    ci: dict[str, Any] = {}
    extend: str | None = None


FREE_TABLES = {
    *("bases", "companions", "args", "contexts", "env", "ci"),
    *("headers", "json", "form", "save"),
}
"""Tables whose keys are the user's own words, kept as they are (`ci` has its own schema in
imgopt.ci)."""

NAMES = ("imgopt.toml", ".imgopt.toml")


def load_config(start: Path, explicit: Path | None = None) -> tuple[Config, Path | None]:
    """The settings that hold for a context folder, and their file. Raises InputError with the place
    of a mistake."""
    path = explicit or _nearest(start)
    table = _with_environment({} if path is None else _read(path))
    return _convert(table, path), path


def _nearest(start: Path) -> Path | None:
    for folder in (start.resolve(), *start.resolve().parents):
        for name in NAMES:
            if (folder / name).is_file():
                return folder / name
        project = folder / "pyproject.toml"
        if project.is_file() and "imgopt" in _toml(project).get("tool", {}):
            return project
        if (folder / ".git").exists():
            return None
    return None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", location=Location(str(path))) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"at line (\d+)", str(error))
        place = Location(str(path), int(line[1]) if line else None)
        raise InputError(f"not valid TOML: {error}", location=place) from None


def _read(path: Path, depth: int = 0) -> dict[str, Any]:
    table = _toml(path)
    if path.name == "pyproject.toml":
        table = table.get("tool", {}).get("imgopt", {})
    base = table.get("extend")
    if not isinstance(base, str):
        return table
    if depth > 8:
        raise InputError("`extend` goes in a circle", location=Location(str(path)))
    return _merged(
        _read(path.parent / base, depth + 1), {k: v for k, v in table.items() if k != "extend"}
    )


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        both[key] = (
            _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
        )
    return both


def _with_environment(table: dict[str, Any]) -> dict[str, Any]:
    """`IMGOPT_BASES` names a TOML file whose [bases] table goes under the project's own (a site's
    mirrors)."""
    site = os.environ.get("IMGOPT_BASES")
    if not site:
        return table
    return _merged({"bases": _toml(Path(site)).get("bases", {})}, table)


def _convert(table: dict[str, Any], path: Path | None) -> Config:
    place = str(path) if path else "configuration"
    _refuse_unknown(table, Config, (), path)
    try:
        return msgspec.convert(_underscored(table), Config)
    except msgspec.ValidationError as error:
        key = re.search(r"at `\$\.?([^`]*)`", str(error))
        line = _line_of(path, key[1].split(".")[-1].split("[")[0]) if key else None
        hint = (
            "a port is a number from 1 to 65535"
            if key and key[1].startswith("smoke.ports")
            else None
        )
        raise InputError(
            str(error).replace("`$.", "`"), location=Location(place, line), hint=hint
        ) from None


def _underscored(value: Any, free: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            (key if free else key.replace("-", "_")): _underscored(item, key in FREE_TABLES)
            if not free
            else item
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_underscored(item) for item in value]
    return value


def _refuse_unknown(
    table: Mapping[str, Any], kind: type[Section], where: tuple[str, ...], path: Path | None
) -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in fields:
            raise _unknown(key, [*fields], where, path)
        nested = fields[name]
        if isinstance(value, dict) and isinstance(nested, type) and issubclass(nested, Section):
            _refuse_unknown(value, nested, (*where, key), path)


def _unknown(key: str, known: list[str], where: tuple[str, ...], path: Path | None) -> InputError:
    near = difflib.get_close_matches(key.replace("-", "_"), known, 1, 0.5)
    table = f"[{'.'.join(where)}]" if where else "the top level"
    return InputError(
        f"unknown option `{key}` in {table}",
        location=Location(str(path) if path else "configuration", _line_of(path, key)),
        hint=f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}",
    )


def _line_of(path: Path | None, key: str) -> int | None:
    if path is None or not key:
        return None
    wanted = re.compile(
        rf"""^\s*\[*["']?([\w-]+\.)*{re.escape(key).replace("_", "[_-]")}["']?\s*[=\].]"""
    )
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if wanted.match(line):
            return number
    return None
