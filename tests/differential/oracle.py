"""What a rewrite may change, strategy by strategy; everything else has to be the same in both
builds.

The order of commands counts where it shows: each entry of the log has the digest of everything that
the command read, so a command that moved past what it reads, or past what changes it, logs
something else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from differential.case import Case
from differential.laboratory import Built, Stage
from differential.rewriting import Rewrite
from imgopt.dockerfile import Instruction, parse
from imgopt.dockerfile.typed import Env, Label

_HOME = r"/(?:root|home/\w+)"
CACHES = (
    rf"{_HOME}/(?:\.npm|\.cache|\.yarn/berry/cache|\.local/share/pnpm/store|\.m2/repository|\.nuget/packages"
    r"|\.composer/cache|\.gradle/(?:caches|wrapper)|go/pkg/mod|\.cargo/registry)"
    r"|/usr/local/share/\.cache|/go/pkg/mod|/usr/local/cargo/registry|/usr/local/bundle/cache|/opt/conda/pkgs"
    r"|/tmp/cache|/var/cache/(?:apt|apk|yum|dnf)"
)
"""Folders where managers keep what they downloaded, for their next run."""
LISTS = r"/var/lib/apt/lists"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one strategy may do to an image and to the log."""

    leaves_out: str = "(?!)"
    """Regular expression of folders that the image need not have any more, or may have besides."""
    adds: str = "(?!)"
    """Regular expression of commands that the log may have besides."""
    words: frozenset[str] = frozenset()
    """Words that a command may have besides, or may lack."""
    junk: bool = False
    """Files of the developer's machine stay out of the build."""
    starts: bool = False
    """CMD and ENTRYPOINT may be written in another form; what is started has to be the same."""
    legacy: bool = False
    """Instructions may be written in their newer form; the image's configuration has to be the
    same."""
    moves: frozenset[str] = frozenset()
    """Instructions that may stand elsewhere among the others."""


_CLEANS = (
    r"(?:npm|yarn|pnpm|pip|pip3|uv|composer|dotnet nuget) (?:cache|store|clear-cache|locals)\b.*"
    r"|(?:yum|dnf|microdnf|conda) clean\b.*"
)
_FETCHES = (
    r"go mod download|mvn (?:-B|--batch-mode)\b.* dependency:go-offline.*|cargo (?:build|install|fetch)\b.*"
    r"|(?:poetry install|poetry sync)\b.* --no-root.*|uv sync\b.* --no-install-project.*|dotnet restore\b.*"
    r"|composer install\b.* --no-autoloader.*|(?:pip|pip3|python3? -m pip) install\b.*-r /tmp/requirements\.txt"
    r"|python3? -c\b.*"
)
_SETTINGS = (
    r"(?:npm|yarn|pnpm|pip|poetry|bundle|composer|git|go) (?:config|env -w)\b.*|corepack enable\b.*"
)
"""What a fetch ahead needs as the step that it is for: made twice, and the same each time."""
ALLOWED = {
    "ignore-file": Allowed(junk=True),
    "layer-order": Allowed(adds=f"{_FETCHES}|{_SETTINGS}"),
    "exec-form": Allowed(starts=True),
    "cache-mounts": Allowed(leaves_out=CACHES),
    "apt-hygiene": Allowed(leaves_out=LISTS),
    "same-layer-cleanup": Allowed(),
    "copy-chown": Allowed(),
    "no-log-init": Allowed(words=frozenset(["--no-log-init"])),
    "installer-caches": Allowed(
        leaves_out=f"{CACHES}|{LISTS}", adds=_CLEANS,
        words=frozenset(["--no-cache-dir", "--no-cache", "--update", "-U", "--update-cache"]),
    ),
    "modern-syntax": Allowed(legacy=True),
    "late-args": Allowed(moves=frozenset(["ARG", "ENV", "LABEL"])),
}  # fmt: skip
"""By strategy. One that is not listed may change nothing."""
_CONFIGURATION = frozenset([
    "ENV", "LABEL", "MAINTAINER", "EXPOSE", "USER", "WORKDIR", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "SHELL", "ARG",
    "ONBUILD", "CMD", "ENTRYPOINT",
])  # fmt: skip


def differences(case: Case, rewrite: Rewrite, before: Built, after: Built) -> list[str]:
    """What the two builds do differently beyond what the strategies that changed something may;
    empty for nothing."""
    if after.error:
        return ["the original builds, the rewrite fails:", *after.error.splitlines()[-12:]]
    allowed = [ALLOWED.get(name, Allowed()) for name in rewrite.changed]
    found = list(_configuration(case.dockerfile, rewrite.text, allowed))
    for number, stage in before.stages.items():
        if number not in after.stages:
            found.append(f"stage {number} is gone")
            continue
        found += [f"stage {number}: {one}" for one in _logs(stage, after.stages[number], allowed)]
        found += [
            f"stage {number}: {one}" for one in _files(case, stage, after.stages[number], allowed)
        ]
    if before.variables != after.variables:
        found.append(f"environment: {before.variables} -> {after.variables}")
    if after.child and not before.child:
        found.append(f"no image can be built on it: {after.child}")
    return found + list(_starts(before, after))


def _logs(before: Stage, after: Stage, allowed: Iterable[Allowed]) -> Iterator[str]:
    words = frozenset().union(*(one.words for one in allowed))
    old, new = (Counter(_plain(line, words) for line in stage.log) for stage in (before, after))
    adds = re.compile("|".join(f"(?:{one.adds})" for one in allowed) or "(?!)")
    yield from (f"log lacks:  {line}" for line in (old - new).elements())
    known = {(line.split()[0], _settings(line)) for line in old}
    for line in (new - old).elements():
        command = line.partition(" @")[0]
        if not adds.fullmatch(command):
            yield f"log has besides:  {line}"
        elif re.fullmatch(_FETCHES, command) and (line.split()[0], _settings(line)) not in known:
            yield f"no step of the original has the settings of:  {line}"


_OF_THE_PROJECT = re.compile(
    r"CGO_|GOOS=|GOARCH=|[0-9a-f]+=(?!/(?:root|etc|home|usr/local/(?:etc|share))/)"
)
"""What of a log's entry is no setting: files of the project, and variables for the compiler
alone."""


def _settings(line: str) -> frozenset[str]:
    """Variables that the command read, and files of the system and of the user."""
    folder, *words = line.partition(" @")[2].split() or [""]
    own = [
        word for word in words if folder != "/" and word.partition("=")[2].startswith(f"{folder}/")
    ]
    return frozenset(
        word for word in words[1:] if word not in own and not _OF_THE_PROJECT.match(word)
    )


def _plain(line: str, words: frozenset[str]) -> str:
    command, at, rest = line.partition(" @")
    return " ".join(word for word in command.split() if word not in words) + at + rest


def _files(case: Case, before: Stage, after: Stage, allowed: Iterable[Allowed]) -> Iterator[str]:
    allowed = list(allowed)
    caches = re.compile(f"(?:{CACHES})(?:/|$)")
    out = re.compile(
        "(?:" + "|".join([*(f"(?:{one.leaves_out})" for one in allowed), "(?!)"]) + ")(?:/|$)"
    )
    gone = {path for path in before.files if out.match(path) or (path not in after.files and any(
        one.junk for one in allowed) and _is_junk(case, path))}  # fmt: skip
    gone |= {path for path in after.files if out.match(path)}
    around = {path[:at] for path in gone for at, letter in enumerate(path) if letter == "/"}
    for path in sorted(before.files.keys() | after.files.keys()):
        old, new = before.files.get(path), after.files.get(path)
        is_folder = (old or new or ("",))[0].startswith("d")
        if (
            path in gone
            or old == new
            or (is_folder and path in around and (old is None or new is None))
        ):
            continue
        if old is not None and new is not None and old[0] == new[0] and caches.match(path):
            continue  # every run writes its caches anew
        yield f"{path}: {_told(old)} -> {_told(new)}"


def _told(facts: tuple[str, str] | None) -> str:
    return " ".join(facts)[:60].strip() if facts is not None else "not there"


def _is_junk(case: Case, path: str) -> bool:
    return any(
        path.endswith("/" + name) or f"{path}/".endswith(f"/{name.partition('/')[0]}/")
        for name in case.junk
    )


def _configuration(before: str, after: str, allowed: Iterable[Allowed]) -> Iterator[str]:
    """What else an image says about itself; its variables and its start are told by running it."""
    allowed = list(allowed)
    leaves = {"CMD", "ENTRYPOINT"} if any(one.starts for one in allowed) else set()
    legacy = any(one.legacy for one in allowed)
    old, new = (
        [
            _row(item, legacy)
            for item in parse(text).instructions
            if item.keyword in _CONFIGURATION - leaves
        ]
        for text in (before, after)
    )
    moves = frozenset[str]().union(*(one.moves for one in allowed))
    if _apart(old, moves) != _apart(new, moves):
        yield f"configuration: {[row for row in old if row not in new]} -> {[row for row in new if row not in old]}"


def _apart(
    rows: list[tuple[object, ...]], moves: frozenset[str]
) -> tuple[list[tuple[object, ...]], list[str]]:
    """Those whose order counts, and the others in any."""
    stay = [row for row in rows if row[0] not in moves]
    return stay, sorted(str(row) for row in rows if row[0] in moves)


def _row(item: Instruction, legacy: bool) -> tuple[object, ...]:
    typed = item.typed
    if legacy and isinstance(typed, Env | Label):
        return item.keyword, tuple((pair.key, _unquoted(pair.value or "")) for pair in typed.pairs)
    return item.keyword, tuple((flag.name, flag.value) for flag in item.flags), item.value


def _unquoted(value: str) -> str:
    """As the generator's values are quoted, if they are."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _starts(before: Built, after: Built) -> Iterator[str]:
    """A start that fails in the original says nothing."""
    if before.start != after.start and not {"exit 126", "exit 127"} & set(before.start):
        yield f"start: {' | '.join(before.start)} -> {' | '.join(after.start)}"
