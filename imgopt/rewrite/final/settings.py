"""What the final stage takes over from the original, and what it must say itself to keep the
configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import Dockerfile, Edit, Instruction, Stage
from imgopt.dockerfile.typed import Arg, Env
from imgopt.image.config import ImageConfig
from imgopt.inspect.start.variables import is_descriptive, is_for_builds
from imgopt.rewrite.lines.quoting import json_words

MOVED = frozenset(
    ["CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "VOLUME", "LABEL", "MAINTAINER"]
)
"""Settings of the image that no build step reads: they go from the builder to the final stage."""
REPEATED = frozenset(["ENV", "SHELL"])
"""Settings that build steps read too: they stay in the builder and are said again."""
LONGEST_LINE = 124
_STEERS = re.compile(r"(?i)path|home|_options\b|virtual|\bLD_|\bLC_|\bLANG")
"""In names of variables that commands of ours may need."""


@dataclass(frozen=True)
class Settings:
    """The user's own settings, as text for the final stage, and the edits that take the moved ones
    out of the builder.

    `keywords` and `variables` say what they set."""

    environment: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    keywords: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    edits: tuple[Edit, ...] = ()


def user_settings(dockerfile: Dockerfile, stages: tuple[int, ...]) -> Settings:
    """`stages`: the target stage and the stages of the file that it is built on, root first."""
    chain = [item for item in dockerfile.instructions if item.stage in stages]
    repeated = [item for item in chain if item.keyword in REPEATED]
    moved = [item for item in chain if item.keyword in MOVED]
    said = _effective(moved)
    labels = [item for item in said if item.keyword in ("LABEL", "MAINTAINER")]
    start = [item for item in said if item.keyword not in ("LABEL", "MAINTAINER")]
    return Settings(
        environment=tuple(
            text_of(item) for item in [*_arguments(chain, [*repeated, *said]), *repeated, *labels]
        ),
        start=tuple(text_of(item) for item in start),
        keywords=frozenset(item.keyword for item in said),
        variables=frozenset(
            p.key for item in repeated if isinstance(item.typed, Env) for p in item.typed.pairs
        ),
        edits=tuple(removal(dockerfile.text, item) for item in moved if item.stage == stages[-1]),
    )


@dataclass(frozen=True)
class Complement:
    """What the final stage says beside the user's settings, because its base does not say it."""

    environment: tuple[str, ...] = ()
    start: tuple[str, ...] = ()


def complement(
    said: Settings, wanted: ImageConfig, base: ImageConfig, *, same_family: bool
) -> Complement:
    """`wanted`: the original's configuration; `base`: that of the new base image."""
    return Complement(
        tuple(_missing_environment(wanted, base, said.variables, same_family)),
        tuple(_missing_settings(said.keywords, wanted, base)),
    )


def without_start(
    settings: Settings, other: tuple[str, ...] = ("ENTRYPOINT", "CMD", "STOPSIGNAL")
) -> Settings:
    """The same without the user's ENTRYPOINT, CMD and STOPSIGNAL, for a stage that starts another
    program; or without `other` keywords."""
    kept = tuple(text for text in settings.start if keyword_of(text) not in other)
    return replace(settings, start=kept, keywords=settings.keywords - {*other})


def keyword_of(text: str) -> str:
    """Of an instruction with its comments above."""
    line = next(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return line.split(None, 1)[0].upper()


def _effective(moved: list[Instruction]) -> list[Instruction]:
    """Of settings that replace each other only the last counts; an ENTRYPOINT resets a CMD of the
    stage below only."""
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
    comments = [
        instruction.text[span.start : span.end].rstrip("\r\n") for span in instruction.comments
    ]
    return "\n".join([*comments, instruction.source])


def removal(text: str, instruction: Instruction) -> Edit:
    start = instruction.comments[0].start if instruction.comments else instruction.extent.start
    end = instruction.extent.end
    before = text[:start]
    if before.endswith(("\n\n", "\n\r\n")) and text[end:].startswith(("\n", "\r\n")):
        end += 2 if text[end:].startswith("\r\n") else 1
    return Edit(start, end, "")


def joined(lines: Iterable[str]) -> list[str]:
    """ENV lines with plain values as few lines; of one line none sees what another one sets."""
    found: list[str] = []
    for line in lines:
        more = line.removeprefix("ENV ")
        plain = more != line and "$" not in line
        room = (n for n, one in enumerate(found) if plain and _has_room(one, more))
        place = next(room, None)
        if place is None:
            found.append(line)
        else:
            found[place] += f" {more}"
    return found


def _has_room(line: str, more: str) -> bool:
    plain = line.startswith("ENV ") and "$" not in line
    return plain and len(line) + len(more) < LONGEST_LINE


def idle_settings(
    dockerfile: Dockerfile, stage: Stage, settings: Settings, *, behind: bool
) -> list[Instruction]:
    """Settings at the end of the builder that no step of it reads and that the final stage says
    again; `behind`: commands of ours follow, which may need a search path or options of a run
    time."""
    idle: list[Instruction] = []
    for item in reversed(stage.instructions[1:]):
        if item.keyword not in ("ENV", "ARG", "SHELL") or text_of(item) not in settings.environment:
            break
        if behind and (item.keyword == "SHELL" or _STEERS.search(item.value)):
            break
        idle.append(item)
    return [] if any(other.parent is stage for other in dockerfile.stages) else idle


def _missing_environment(
    wanted: ImageConfig, new_base: ImageConfig, said: frozenset[str], same_family: bool
) -> Iterable[str]:
    """Variables that the original has from its base and the new base lacks; notes of a base on
    itself stay behind."""
    have = new_base.environment
    for name, value in wanted.environment.items():
        if name in said or have.get(name) == value:
            continue
        if is_for_builds(name) or is_descriptive(name):
            continue
        if name == "PATH" and not same_family and name in have and _toolchain_path(value):
            continue
        yield f"ENV {name}={_quoted(value)}"


def _toolchain_path(value: str) -> bool:
    return any(part in value for one in builtin_ecosystems() for part in one.toolchain_path)


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w./:,=@%+~-]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _missing_settings(said: frozenset[str], wanted: ImageConfig, base: ImageConfig) -> list[str]:
    lines = [
        f"EXPOSE {port}"
        for port in _new(wanted.exposed_ports, base.exposed_ports)
        if "EXPOSE" not in said
    ]
    lines += [
        f"VOLUME {json_words((path,))}"
        for path in _new(wanted.volumes, base.volumes)
        if "VOLUME" not in said
    ]
    if wanted.stop_signal != base.stop_signal and "STOPSIGNAL" not in said:
        lines.append(f"STOPSIGNAL {wanted.stop_signal or 'SIGTERM'}")
    if "ENTRYPOINT" not in said and (wanted.entrypoint or ()) != (base.entrypoint or ()):
        lines.append(f"ENTRYPOINT {json_words(wanted.entrypoint or ())}")
        base_cmd: tuple[str, ...] | None = None
    else:
        base_cmd = None if "ENTRYPOINT" in said else base.cmd
    if "CMD" not in said and (wanted.cmd or ()) != (base_cmd or ()):
        lines.append(f"CMD {json_words(wanted.cmd or ())}")
    return lines


def _new(wanted: Iterable[str], have: Iterable[str]) -> list[str]:
    known = set(have)
    return [item for item in wanted if item not in known]
