"""From a failure's own evidence to what is added next time; else to the strategy that is left
out."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from imgopt.dockerfile import Dockerfile
from imgopt.dockerfile.typed import Run
from imgopt.inspect.failures import Item
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.copies import PROGRAM_FOLDERS, SHARED_FOLDERS
from imgopt.rewrite.final.fates import is_below
from imgopt.rewrite.strategy import AUTHORS_STEP, USER_SHOWS, Repairs
from imgopt.strategies.registry import find_strategy

ADD = frozenset(
    ["missing-library", "missing-file", "missing-module", "missing-command", "missing-locale"]
) | frozenset(["missing-time-zone", "missing-certificates"])
MOST_FILES = 2
"""Single files of one folder that repairs add; with more it is the folder that was missing."""
SHARED = SHARED_FOLDERS | PROGRAM_FOLDERS
OWN = frozenset(["not-writable", "permission"])
INIT = "init"
"""What a repair puts in front of the service is called so."""
_OWNER = "owner of "
"""In front of a folder that a repair gives to the user."""


@dataclass(frozen=True, slots=True)
class Repair:
    """New facts for the next plan, and what they are in words; no words: nothing was learned.
    `names[i]` is what `words[i]` is about, for `without`."""

    repairs: Repairs
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def repair(
    repairs: Repairs,
    items: Iterable[Item],
    evidence: Evidence,
    *,
    installs: bool = True,
    other_start: bool = False,
) -> Repair:
    """What the failed items ask for, as far as the original has it; `installs`: the new base has a
    package manager; `other_start`: the first process is another one. Where they ask for file after
    file of one folder, the folder is added."""
    init = repairs.init
    packages, paths, writable = list(repairs.packages), list(repairs.paths), list(repairs.writable)
    reasons = dict(repairs.reasons)
    words: dict[str, str] = {}
    for item in items:
        path = _path_in_original(item, evidence)
        if item.kind in ADD and path:
            owner = evidence.owner(path) if installs else None
            added = (
                _add(packages, owner) if owner else not is_below(path, paths) and _add(paths, path)
            )
            if added:
                reasons |= {owner or path: item.needed_by} if item.needed_by else {}
                what = f"package {owner}" if owner else path
                words[owner or path] = f"added {what}: {item}"
        elif item.kind in OWN and item.subject.startswith("/"):
            folder = _folder(item.subject, evidence)
            if folder not in ("/", "") and _add(writable, folder):
                words[_OWNER + folder] = f"gave {folder} to the user: {item}"
        elif item.kind == "stop" and other_start and installs and not init:
            init, words[INIT] = True, f"put an init in front of the service: {item}"
    folders = _crowded(paths)
    words = {name: said for name, said in words.items() if not is_below(name, folders)}
    words |= {
        folder: f"added {folder}: file after file of it was missing"
        for folder in folders
        if folder not in paths
    }
    kept = [path for path in paths if not is_below(path, folders)]
    new = replace(
        repairs,
        packages=tuple(packages),
        paths=(*kept, *folders),
        writable=tuple(writable),
        init=init,
        reasons=reasons,
    )
    return Repair(new, tuple(words.values()), tuple(words))


def in_force(
    told: Sequence[tuple[str, str]], repairs: Repairs, files_of: Callable[[Repairs], object]
) -> tuple[str, ...]:
    """Of what was repaired (words and name, "" for what stays), the words of that without which
    `files_of` gives other files: what a strategy needed that was left out afterwards is in
    none."""
    files = files_of(repairs) if any(name for _, name in told) else None
    return tuple(
        words for words, name in told if not name or files_of(without(repairs, name)) != files
    )


def without(repairs: Repairs, name: str) -> Repairs:
    """The facts without one that a repair named."""
    folder = name.removeprefix(_OWNER) if name.startswith(_OWNER) else ""
    return replace(
        repairs,
        packages=tuple(each for each in repairs.packages if each != name),
        paths=tuple(each for each in repairs.paths if each != name),
        writable=tuple(each for each in repairs.writable if each != folder),
        init=repairs.init and name != INIT,
    )


def _crowded(paths: Iterable[str]) -> tuple[str, ...]:
    """Folders of which more than MOST_FILES entries are named; those that every base has are none,
    of them each entry stands for itself."""
    named, found = set(paths), set[str]()
    while True:
        counts = Counter(posixpath.dirname(path) for path in named)
        more = {
            folder
            for folder, count in counts.items()
            if count > MOST_FILES and folder not in SHARED
        }
        if not more:
            return tuple(sorted(found))
        named = {path for path in named if not is_below(path, more)} | more
        found = {folder for folder in found if not is_below(folder, more)} | more


def asks_for(pruned: Mapping[str, str], items: Iterable[Item]) -> bool:
    """Whether a failure names a path, or a folder of paths, that the plan takes out of the
    builder."""
    missing = [item for item in items if item.kind in ADD]
    wanted = {
        path.rstrip("/")
        for item in missing
        for path in (item.path, item.subject)
        if path.startswith("/")
    }
    return any(path in wanted or posixpath.dirname(path) in wanted for path in pruned)


def _path_in_original(item: Item, evidence: Evidence) -> str:
    """Where the original has the missing thing; "" where it has not."""
    for candidate in (item.path, item.subject):
        if candidate.startswith("/") and evidence.view.exists(candidate):
            return candidate
    if item.kind == "missing-command":
        node = evidence.view.command(item.subject)
        return node.path if node is not None else ""
    if item.kind == "missing-library":
        name = posixpath.basename(item.subject)
        folders = (
            "/usr/lib/x86_64-linux-gnu",
            "/lib/x86_64-linux-gnu",
            "/usr/lib",
            "/usr/local/lib",
            "/lib",
        )
        return next((f"{f}/{name}" for f in folders if evidence.view.exists(f"{f}/{name}")), "")
    return ""


def _folder(path: str, evidence: Evidence) -> str:
    node = evidence.tree.resolve(path)
    return path if node is not None and node.kind == "dir" else posixpath.dirname(path)


def _add(items: list[str], item: str) -> bool:
    if item in items:
        return False
    items.append(item)
    return True


def suspects(
    used: Sequence[str],
    items: Sequence[Item],
    *,
    authors_step: bool = False,
    user_shows: bool = False,
) -> tuple[str, ...]:
    """The strategies of a plan, the likeliest culprit first. `authors_step`: a step failed that the
    author wrote: what happens in front of it is another thing now. `user_shows`: answers differ by
    the user alone."""
    kinds = {AUTHORS_STEP} if authors_step else {item.kind for item in items}
    if user_shows:
        kinds = {USER_SHOWS}
    known = [find_strategy(name) for name in dict.fromkeys(used)]
    return tuple(
        one.name
        for one in sorted(known, key=lambda one: (one.failures.isdisjoint(kinds), -one.doubt))
    )


def is_authors(step: str, dockerfile: Dockerfile) -> bool:
    """Whether a step of a build runs a command of the original, whatever options it has now. `step`
    is its name, as BuildKit tells it: the text of the instruction on one line."""
    name = " ".join(step.split())
    runs = (item.typed for item in dockerfile.instructions if isinstance(item.typed, Run))
    texts = (" ".join(str(run.shell or "").replace("\\\n", " ").split()) for run in runs)
    return any(text and name.endswith(f" {text}") for text in texts)


def to_leave_out(off: Mapping[str, str], names: Sequence[str], why: str) -> Sequence[str]:
    """Of the suspects, the likeliest; all of them where two were left out (`off`, each with its
    evidence) and the same failure came again: what is innocent is taken back, and a failure that no
    strategy makes costs few builds."""
    return names if sum(reason == why for reason in off.values()) >= 2 else names[:1]
