"""Carving: every path that the original adds over its base goes into exactly one part, with a
reason.

What no rule drops is kept. The rules are facts of ecosystems; a file that the smoke run opened is
never dropped.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import translate
from functools import lru_cache
from typing import Literal

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.runs import Drop, State
from imgopt.inspect.files.application_files import MADE_BY_TOOLS

Fate = Literal["kept", "reinstalled", "replaced", "dropped"]


@dataclass(frozen=True, slots=True)
class PathFact:
    """One path of the original's final file system. Sizes in bytes; `layer` counts from 0; a hard
    link counts once."""

    path: str
    kind: str
    """file, dir, symlink or other"""
    size: int
    layer: int
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    linkname: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    fate: Fate
    reason: str


@dataclass(frozen=True)
class Carved:
    """Where each path of the delta goes."""

    fates: Mapping[str, Verdict]
    facts: Mapping[str, PathFact]

    def paths(self, fate: Fate) -> tuple[str, ...]:
        return tuple(path for path, verdict in self.fates.items() if verdict.fate == fate)

    def with_kept(self, paths: Iterable[str], reason: str) -> Carved:
        """The same, with some paths kept after all."""
        more = {path: Verdict("kept", reason) for path in paths if path in self.fates}
        return Carved({**self.fates, **more}, self.facts)

    def bytes(self, fate: Fate) -> int:
        return sum(self.facts[path].size for path in self.paths(fate))


@dataclass(frozen=True, slots=True)
class DropRule:
    """Paths that match are left out; `state`: also what was opened, for a tool keeps it for itself
    and makes it again, or it is the system's package manager's, of which every base has its own.
    `whole`: what is opened in a folder that matches shows that the folder is used, as a class path
    or a tool is."""

    pattern: re.Pattern[str]
    reason: str
    state: bool
    whole: bool = False
    used: frozenset[str] = frozenset()
    """Folders that match and are used."""
    tool: bool = False
    """A tool of the build: links that lead to it go with it."""

    def covers(self, path: str) -> bool:
        return self.pattern.match(path) is not None and not any(
            path.startswith(folder + "/") for folder in self.used
        )

    def with_used(self, opened: Iterable[str]) -> DropRule:
        """The same, knowing which files a run opened."""
        found = (
            (self._folder(path) for path in opened if self.pattern.match(path))
            if self.whole
            else ()
        )
        return replace(self, used=self.used | frozenset(folder for folder in found if folder))

    def _folder(self, path: str) -> str:
        """The folder above this path that the rule is about; "" where it is about the file
        itself."""
        ends = [index for index, sign in enumerate(path) if sign == "/" and index]
        return next((path[:end] for end in ends if self.pattern.match(path[:end])), "")


@dataclass(frozen=True)
class CarveRules:
    """What decides. Callables take absolute paths."""

    drops: tuple[DropRule, ...]
    opened: frozenset[str]
    owner: Callable[[str], str | None]
    """The system package that owns a path."""
    reinstalled: frozenset[str]
    """System packages that the final stage installs."""
    package_layers: frozenset[int]
    """Layers made by the system's package manager."""
    generated: tuple[str, ...] = ()
    """Beginnings of paths below /etc that installation scripts write."""
    must_keep: frozenset[str] = frozenset()
    """Paths that an earlier proof asked for, each with all below it."""
    looked_up: frozenset[str] = frozenset()
    """Tables that the service may look up, each with all below it: no rule about files drops it."""
    made: frozenset[str] = frozenset()
    """What the author made on purpose in folders of the system: empty folders, files for data."""
    gone: Mapping[str, str] = field(default_factory=dict)
    """Paths that the builder will not have, with the reason."""
    only_here: Mapping[str, str] = field(default_factory=dict)
    """Paths that another build of the same file has under other names, with the reason."""
    delta: frozenset[str] = frozenset()
    """Every path that is carved."""
    keeps_users: bool = False
    """Whether the image defines a user of its own."""

    def has_source(self, bytecode: str) -> bool:
        """Whether the source of a .pyc file is the author's too; bytecode without a place of its
        own is a program."""
        found = BYTECODE.match(bytecode)
        return found is None or f"{found['folder']}/{found['name']}.py" in self.delta


USER_DATABASE = frozenset(
    ["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid"]
)
BYTECODE = re.compile(r"(?P<folder>.*)/__pycache__/(?P<name>[^/.]+)\.[^/]*\.pyc\Z")
SYSTEM_ROOTS = (
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr",
    "/etc",
    "/var",
    "/run",
    "/boot",
    "/sys",
)


def carve(delta: Iterable[PathFact], rules: CarveRules) -> Carved:
    """Puts every path into its part."""
    facts = {fact.path: fact for fact in delta}
    drops = tuple(rule.with_used(rules.opened) for rule in rules.drops)
    rules = replace(rules, delta=frozenset(facts), drops=drops)
    fates = {path: _verdict(fact, rules) for path, fact in facts.items()}
    return Carved({**fates, **dict(_links_to_tools(facts, fates, rules))}, facts)


def _links_to_tools(
    facts: Mapping[str, PathFact], fates: Mapping[str, Verdict], rules: CarveRules
) -> Iterator[tuple[str, Verdict]]:
    """The names in a folder of programs of a tool that is left out: a link to nothing is no use."""
    reasons = {rule.reason for rule in rules.drops if rule.tool}
    for path, fact in facts.items():
        if fact.kind != "symlink" or fates[path].fate != "kept" or is_below(path, rules.must_keep):
            continue
        target = fates.get(
            posixpath.normpath(posixpath.join(posixpath.dirname(path), fact.linkname))
        )
        if target is not None and target.fate == "dropped" and target.reason in reasons:
            yield path, target


def _verdict(fact: PathFact, rules: CarveRules) -> Verdict:
    path = fact.path
    if is_below(path, rules.must_keep):
        return Verdict("kept", "an earlier build failed without it")
    if path in rules.gone or path in rules.only_here:
        return Verdict("dropped", rules.gone.get(path) or rules.only_here[path])
    if path.endswith(".pyc") and not rules.has_source(path):
        return Verdict("dropped", "bytecode of the base's own library, made while installing")
    package = rules.owner(path)
    if package is not None:
        if package in rules.reinstalled:
            return Verdict("reinstalled", f"system package {package}")
        return Verdict("dropped", f"system package {package}, which nothing that is kept needs")
    if path in rules.made or is_below(path, rules.looked_up):
        return Verdict("kept", "")
    reason = drop_reason(path, rules.drops, opened=path in rules.opened)
    if reason is not None:
        return Verdict("dropped", reason)
    if fact.kind == "dir" and MADE_BY_TOOLS.match(path):
        return Verdict("dropped", "an empty folder that a tool of the build left behind")
    if path in USER_DATABASE and not rules.keeps_users:
        return Verdict("dropped", "users of system packages")
    if (
        fact.layer in rules.package_layers
        and path not in rules.opened
        and _is_generated(fact, rules.generated)
    ):
        return Verdict(
            "reinstalled" if rules.reinstalled else "dropped",
            "made by the installation of system packages",
        )
    return Verdict("kept", "")


def orphan_bytecode(carved: Carved) -> frozenset[str]:
    """Dropped bytecode: where its folder is copied it may come along, it does no harm."""
    return frozenset(path for path in carved.paths("dropped") if path.endswith(".pyc"))


def _is_generated(fact: PathFact, generated: tuple[str, ...]) -> bool:
    """Made by installation scripts: below /etc only what is known to be; a file of the author may
    stand beside it."""
    path = fact.path
    if fact.kind == "dir":
        return path.startswith((*(root + "/" for root in SYSTEM_ROOTS), "/usr/local/", *generated))
    if path.startswith("/etc/"):
        return path.startswith(generated)
    return is_system_path(path) and not path.startswith("/usr/lib/locale/")


def is_system_path(path: str) -> bool:
    """Below a folder that belongs to the distribution; /usr/local belongs to the author."""
    if path.startswith(("/usr/local/", "/var/www/", "/var/lib/app")):
        return False
    return path.startswith(tuple(root + "/" for root in SYSTEM_ROOTS)) or path in SYSTEM_ROOTS


def drop_reason(path: str, drops: Iterable[DropRule], *, opened: bool) -> str | None:
    """Why no run needs this path; what was opened is only dropped where it is the state of a
    tool."""
    return next(
        (rule.reason for rule in drops if (rule.state or not opened) and rule.covers(path)), None
    )


def drop_rules(
    ecosystems: Iterable[Ecosystem],
    homes: Iterable[str],
    *,
    compiled: bool,
    traced: bool = True,
    started: Iterable[str] = (),
    named: Iterable[str] = (),
    temporary: str = "",
) -> tuple[DropRule, ...]:
    """The drop rules of all ecosystems as patterns over absolute paths; each covers what lies below
    it. `traced`: it is known what a run opened; without that no archive is known to be the one that
    is not started, and no tool to be unused. `started`: folders of the application, which no rule
    about a whole folder of the file system covers. `named`: folders that the author gives to a tool
    by a variable: what was put there is wanted. `temporary`: the place that tools have for /tmp."""
    own = tuple(started)
    homes = tuple(homes)
    given = frozenset((*own, *named))
    states = (
        _state_rule(state, homes, given, temporary)
        for ecosystem in ecosystems
        for state in ecosystem.state
    )
    drops = (
        _drop_rule(drop, path.replace("~", home, 1) if path.startswith("~") else path, own)
        for ecosystem in ecosystems
        for drop in ecosystem.drop
        if (compiled or not drop.only_compiled)
        and (traced or drop.kind not in ("archive", "toolchain"))
        for path in drop.paths
        for home in (homes if path.startswith("~") else ("",))
    )
    return (*states, *drops)


def _state_rule(
    state: State, homes: Iterable[str], given: frozenset[str], temporary: str
) -> DropRule:
    """One rule for all the paths; folders of the application in it are none of the tool's."""
    globs = [
        g.replace("~", home, 1)
        for g in state.paths
        for home in (homes if g.startswith("~") else ("",))
    ]
    globs += [
        g.replace("/tmp", temporary, 1) for g in state.paths if temporary and g.startswith("/tmp/")
    ]
    pattern = re.compile("|".join(_pattern(glob).pattern for glob in globs), re.DOTALL)
    used = frozenset(folder for folder in given if pattern.match(f"{folder}/x"))
    return DropRule(pattern, f"state of a tool: {state.reason}", state=True, used=used)


def _drop_rule(drop: Drop, path: str, own: Iterable[str]) -> DropRule:
    pattern = _pattern(path)
    whole = drop.kind == "cache" and not path.startswith("**")
    used = frozenset(folder for folder in own if whole and pattern.match(f"{folder}/x"))
    parts = drop.kind in ("intermediate", "source", "toolchain")
    return DropRule(
        pattern,
        drop.reason,
        state=drop.kind == "manager",
        whole=parts,
        used=used,
        tool=drop.kind == "toolchain",
    )


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    """`**/` is any depth below the root, `*` does not cross `/`; matches the path itself and all
    below it."""
    body = "".join(_piece(piece) for piece in re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]*\])", glob))
    return re.compile(rf"{body if glob.startswith('/') else '/' + body}(?:/.*)?\Z", re.DOTALL)


def _piece(piece: str) -> str:
    if piece == "**/":
        return "(?:.*/)?"
    if piece == "**":
        return ".*"
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    return piece if piece.startswith("[") and piece.endswith("]") else re.escape(piece)


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Whether it is one of these paths, or lies below one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def overlap(one: str, other: str) -> bool:
    """Whether one of two clean absolute paths is the other, or lies below it."""
    one, other = one.rstrip("/"), other.rstrip("/")
    return is_below(one, [other]) or is_below(other, [one])


def matches_any(name: str, globs: Iterable[str]) -> bool:
    return any(re.match(translate(glob), name) for glob in globs)
