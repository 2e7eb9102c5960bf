"""What the final stage takes over from the original, and what it must say itself to keep the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.dockerfile import Dockerfile, Edit, Instruction
from imgopt.dockerfile.typed import Arg, Env
from imgopt.image.config import ImageConfig
from imgopt.proof.environment import BUILD_ONLY, DESCRIPTIVE
from imgopt.rewrite.final_stage import json_string

MOVED = frozenset(["CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "VOLUME", "LABEL", "MAINTAINER"])
"""Settings of the image that no build step reads: they go from the builder to the final stage."""
REPEATED = frozenset(["ENV", "SHELL"])
"""Settings that build steps read too: they stay in the builder and are said again."""


@dataclass(frozen=True)
class Settings:
    """Text of the final stage's settings, and the edits that take the moved ones out of the builder."""

    environment: tuple[str, ...]
    start: tuple[str, ...]
    edits: tuple[Edit, ...]


def final_settings(
    dockerfile: Dockerfile,
    stages: tuple[int, ...],
    wanted: ImageConfig,
    new_base: ImageConfig | None,
    same_family: bool,
) -> Settings:
    """`stages`: the target stage and the stages of the file that it is built on, root first; `wanted`: the original's
    configuration; `new_base`: that of the new base image (None: not known)."""
    chain = [item for item in dockerfile.instructions if item.stage in stages]
    last = stages[-1]
    repeated = [item for item in chain if item.keyword in REPEATED]
    moved = [item for item in chain if item.keyword in MOVED]
    said = _effective(moved)
    arguments = _arguments(chain, [*repeated, *said])
    names = {pair.key for item in repeated if isinstance(item.typed, Env) for pair in item.typed.pairs}
    environment = [text_of(item) for item in [*arguments, *repeated]]
    labels = [text_of(item) for item in said if item.keyword in ("LABEL", "MAINTAINER")]
    start = [text_of(item) for item in said if item.keyword not in ("LABEL", "MAINTAINER")]
    if new_base is not None:
        environment = [*_missing_environment(wanted, new_base, names, same_family), *environment]
        start += _missing_settings({item.keyword for item in said}, wanted, new_base)
    edits = tuple(_removal(dockerfile.text, item) for item in moved if item.stage == last)
    return Settings(tuple(environment + labels), tuple(start), edits)


def _effective(moved: list[Instruction]) -> list[Instruction]:
    """Of settings that replace each other only the last counts; an ENTRYPOINT resets a CMD of the stage below only."""
    last = {item.keyword: item for item in moved}
    single = ("CMD", "ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER")
    return [item for item in moved if item.keyword not in single or last[item.keyword] is item]


def _arguments(chain: list[Instruction], users: list[Instruction]) -> list[Instruction]:
    """ARG lines whose values the repeated settings use."""
    used = set(re.findall(r"\$\{?(\w+)", " ".join(item.value for item in users)))
    found = []
    for item in chain:
        if isinstance(item.typed, Arg) and any(pair.key in used for pair in item.typed.pairs):
            found.append(item)
    return found


def text_of(instruction: Instruction) -> str:
    """The instruction's own text, with its comments above."""
    comments = [instruction.text[span.start : span.end].rstrip("\r\n") for span in instruction.comments]
    return "\n".join([*comments, instruction.source])


def _removal(text: str, instruction: Instruction) -> Edit:
    start = instruction.comments[0].start if instruction.comments else instruction.extent.start
    end = instruction.extent.end
    before = text[:start]
    if before.endswith(("\n\n", "\n\r\n")) and text[end:].startswith(("\n", "\r\n")):
        end += 2 if text[end:].startswith("\r\n") else 1
    return Edit(start, end, "")


def _missing_environment(
    wanted: ImageConfig, new_base: ImageConfig, said: set[str], same_family: bool
) -> Iterable[str]:
    """Variables that the original has from its base and the new base lacks; notes of a base on itself stay behind."""
    have = new_base.environment
    for name, value in wanted.environment.items():
        if name in said or have.get(name) == value:
            continue
        if any(fnmatchcase(name, glob) for glob in (*BUILD_ONLY, *DESCRIPTIVE)):
            continue
        if name == "PATH" and not same_family and name in have and _toolchain_path(value):
            continue
        yield f"ENV {name}={_quoted(value)}"


def _toolchain_path(value: str) -> bool:
    return any(part in value for part in ("/usr/local/go/bin", "/usr/local/cargo/bin"))


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w./:,=@%+~-]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _missing_settings(said: set[str], wanted: ImageConfig, base: ImageConfig) -> list[str]:
    lines = [f"EXPOSE {port}" for port in _new(wanted.exposed_ports, base.exposed_ports) if "EXPOSE" not in said]
    lines += [f"VOLUME {_json((path,))}" for path in _new(wanted.volumes, base.volumes) if "VOLUME" not in said]
    if wanted.stop_signal != base.stop_signal and "STOPSIGNAL" not in said:
        lines.append(f"STOPSIGNAL {wanted.stop_signal or 'SIGTERM'}")
    if "ENTRYPOINT" not in said and (wanted.entrypoint or ()) != (base.entrypoint or ()):
        lines.append(f"ENTRYPOINT {_json(wanted.entrypoint or ())}")
        base_cmd: tuple[str, ...] | None = None
    else:
        base_cmd = None if "ENTRYPOINT" in said else base.cmd
    if "CMD" not in said and (wanted.cmd or ()) != (base_cmd or ()):
        lines.append(f"CMD {_json(wanted.cmd or ())}")
    return lines


def _new(wanted: Iterable[str], have: Iterable[str]) -> list[str]:
    known = set(have)
    return [item for item in wanted if item not in known]


def _json(words: Iterable[str]) -> str:
    return "[" + ", ".join(json_string(word) for word in words) + "]"
