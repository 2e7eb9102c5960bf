"""The git history of a build context, read from git's objects: no checkout, nothing written, no
hook run."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imgopt.context.files import BytesContent, Entry, Tree, parents
from imgopt.errors import EnvironmentFailure, InputError

READ_ONLY = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
)
"""Options of git with which it runs nothing that a repository names, and quotes no path."""
_REVISION = re.compile(r"[0-9a-f]{4,64}|[A-Za-z0-9_.@/^~{}+-]+")
_FIRST_PARENT = ("--first-parent", "--diff-merges=first-parent")


@dataclass(frozen=True, slots=True)
class PathChange:
    """One path of a commit. Modes and ids are git's; None on the side where the path does not
    exist."""

    path: str
    before: tuple[int, str] | None
    after: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Commit:
    """`time` is the committer's, in seconds since the epoch; paths are relative to the context."""

    id: str
    time: int
    changes: tuple[PathChange, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Commits that touch the context, newest first, along first parents. `commits` is None when
    there is no history, and `reason` says why; `note` says what is missing (a shallow clone)."""

    commits: tuple[Commit, ...] | None
    reason: str = ""
    note: str = ""
    shallow: bool = False


@dataclass(frozen=True, slots=True)
class Churn:
    """How often each path (relative to the context) changed in the last commits; `counts` is None
    with a `reason`."""

    counts: Mapping[str, int] | None
    commits: int = 0
    reason: str = ""
    note: str = ""


def tracked(context: Path) -> frozenset[str] | None:
    """The files of the context in git's index; None where there is no repository or nothing in it,
    or no git."""
    try:
        done = _git(context, "ls-files", "-z", "--cached", "--", ".")
    except OSError:
        return None
    found = frozenset(done.stdout.decode("utf-8", "surrogateescape").split("\0")) - {""}
    return found if done.returncode == 0 and found else None


def ignored(context: Path, paths: Iterable[str]) -> frozenset[str]:
    """Those paths of the context that git ignores, there or not: none where it ignores all of the
    context, where there is no repository, or no git."""
    asked = {f"{path}/": path for path in paths} | {path: path for path in paths} | {".": "."}
    text = "\0".join(asked)
    try:
        done = _git(context, "check-ignore", "--no-index", "--stdin", "-z", given=text)
    except OSError:
        return frozenset()
    said = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    found = frozenset(asked[path] for path in said if path in asked)
    return frozenset() if "." in found else found


def churn(context: Path, commits: int = 200) -> Churn:
    """Changes per path over the last `commits` commits that touch the context."""
    found = history(context, commits)
    if found.commits is None:
        return Churn(None, 0, found.reason)
    counts = Counter(change.path for commit in found.commits for change in commit.changes)
    return Churn(counts, len(found.commits), "", found.note)


def history(context: Path, commits: int = 200) -> History:
    """The last commits that touch the context; never raises for a directory without git."""
    repository = Repository.of(context)
    if isinstance(repository, str):
        return History(None, repository)
    return repository.history(commits)


@dataclass(frozen=True, slots=True)
class GitContent:
    """A blob of the repository."""

    repository: Repository = field(repr=False)
    blob: str
    size: int

    @property
    def key(self) -> object:
        return self.blob

    def read(self) -> bytes:
        return self.repository.blob(self.blob)

    def git_id(self, algorithm: str) -> str:
        if algorithm == self.repository.algorithm:
            return self.blob
        return BytesContent(self.read()).git_id(algorithm)


@dataclass(frozen=True)
class Repository:
    """The repository around a context. `prefix` is the context's path in it, "" or ending with
    `/`."""

    folder: Path
    prefix: str
    algorithm: str

    @staticmethod
    def of(context: Path) -> Repository | str:
        """The repository, or the reason why there is none."""
        try:
            done = _git(
                context,
                "rev-parse",
                "--show-prefix",
                "--show-object-format",
                "--is-bare-repository",
            )
        except FileNotFoundError:
            return "git is not installed"
        except NotADirectoryError:
            return f"{context} is not a directory"
        if done.returncode != 0:
            return _why_no_repository(done.stderr)
        prefix, algorithm, bare = [
            *done.stdout.decode(errors="surrogateescape").splitlines(),
            "",
            "",
            "",
        ][:3]
        if bare == "true":
            return "a bare repository has no working files"
        return Repository(context, prefix, algorithm)

    def history(self, commits: int) -> History:
        """As the module's `history`."""
        shallow = (
            _git(self.folder, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        )
        arguments = (
            "log",
            f"-n{commits}",
            *_FIRST_PARENT,
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            "--relative",
        )
        done = _git(self.folder, *arguments, "--format=%x01%H %ct", "--", ".")
        if done.returncode != 0:
            return History(None, _why_no_commits(done.stderr))
        found = tuple(_commits(done.stdout.decode(errors="surrogateescape")))
        if not found:
            return History(None, "no commit touches this directory")
        note = ""
        if shallow and len(found) < commits:
            note = (
                f"a shallow clone: only {len(found)} commits are here (git fetch --unshallow brings"
                " the rest)"
            )
        return History(found, "", note, shallow)

    def commit(self, revision: str) -> str:
        """The full id of a revision. Raises InputError when it names none."""
        if not _REVISION.fullmatch(revision) or revision.startswith("-"):
            raise InputError(
                f"not a git revision: {revision}", hint="give a commit, a tag or a branch"
            )
        done = _git(
            self.folder,
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            revision + "^{commit}",
        )
        if done.returncode != 0:
            raise InputError(
                f"git knows no revision {revision}",
                hint="give a commit, a tag or a branch that this clone has",
            )
        return done.stdout.decode().strip()

    def tree(self, revision: str) -> Tree:
        """Every path of the context at a revision, with the modes that a checkout under umask 022
        has."""
        commit = self.commit(revision)
        done = _checked(self.folder, "ls-tree", "-r", "-z", "-l", commit, "--", ".")
        entries: dict[str, Entry] = {}
        for record in done.decode(errors="surrogateescape").split("\0"):
            if not record:
                continue
            about, _, path = record.partition("\t")
            mode, _, blob, size = about.split()
            for parent in parents(path):
                if parent not in entries:
                    entries[parent] = Entry("dir", 0o755)
            entries[path] = self.entry(int(mode, 8), blob, 0 if size == "-" else int(size))
        return Tree(entries)

    def entry(self, mode: int, blob: str, size: int) -> Entry:
        """A tree entry of git: 100644, 100755, 120000 (link), 160000 (submodule: an empty directory
        here)."""
        kind = mode >> 12
        if kind == 0o12:
            return Entry("link", 0o777, None, self.blob(blob).decode(errors="surrogateescape"))
        if kind == 0o16:
            return Entry("dir", 0o755)
        return Entry("file", 0o755 if mode & 0o100 else 0o644, GitContent(self, blob, size))

    def blob(self, blob: str) -> bytes:
        """The bytes of a blob."""
        return _checked(self.folder, "cat-file", "blob", blob)

    def tracked(self) -> frozenset[str]:
        """The paths of the context that git tracks."""
        done = _checked(self.folder, "ls-files", "-z", "--", ".")
        return frozenset(done.decode(errors="surrogateescape").split("\0")[:-1])


def _commits(text: str) -> Iterator[Commit]:
    """Reads `git log --raw -z --format=%x01%H %ct`."""
    for part in text.split("\x01")[1:]:
        head, _, rest = part.partition("\0")
        name, time = head.split()
        fields = rest.lstrip("\n").split("\0")
        yield Commit(name, int(time), tuple(_changes(fields)))


def _changes(fields: list[str]) -> Iterator[PathChange]:
    for about, path in zip(fields[::2], fields[1::2], strict=False):
        old, new, old_id, new_id, _ = about.strip("\n").lstrip(":").split(" ")
        yield PathChange(path, _side(old, old_id), _side(new, new_id))


def _side(mode: str, blob: str) -> tuple[int, str] | None:
    return None if mode == "000000" else (int(mode, 8), blob)


def _git(folder: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ("git", *READ_ONLY, *arguments),
        cwd=folder,
        capture_output=True,
        input=given.encode("utf-8", "surrogateescape"),
        env=git_environment(),
    )


def _checked(folder: Path, *arguments: str) -> bytes:
    done = _git(folder, *arguments)
    if done.returncode != 0:
        raise EnvironmentFailure(
            f"git {arguments[0]} failed: {_first_line(done.stderr)}",
            hint="does `git fsck` find the repository whole?",
        )
    return done.stdout


def git_environment(kept: Collection[str] = (), *, fetches: bool = False) -> dict[str, str]:
    """git must not refresh the index, ask for anything, talk in another language, or listen to
    settings of its own but for `kept`; `fetches`: it may get objects that a partial clone left
    out."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith("GIT_")
    }
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return own | quiet | ({} if fetches else {"GIT_NO_LAZY_FETCH": "1"})


def _why_no_repository(stderr: bytes) -> str:
    text = _first_line(stderr)
    if "not a git repository" in text:
        return "the directory is not in a git repository"
    if "dubious ownership" in text:
        return (
            "git refuses the repository: it belongs to another user (see git config safe.directory)"
        )
    return f"git cannot read the repository: {text}"


def _why_no_commits(stderr: bytes) -> str:
    text = _first_line(stderr)
    if "does not have any commits" in text or "bad default revision" in text:
        return "the repository has no commits"
    return f"git log failed: {text}"


def _first_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else "no message"
