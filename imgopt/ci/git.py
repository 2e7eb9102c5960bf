"""What the gate asks git: the merge base, a file at a commit, the commits of a file. Nothing is
written or run."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from imgopt.context.history import READ_ONLY, Repository, git_environment
from imgopt.errors import EnvironmentFailure, InputError


@dataclass(frozen=True, slots=True)
class FileCommit:
    """A commit that changed a file. `time` in seconds since the epoch; author and subject are
    untrusted text."""

    id: str
    time: int
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class Git:
    """The repository around a folder."""

    folder: Path
    repository: Repository

    @staticmethod
    def around(folder: Path) -> Git:
        """Raises InputError where there is no repository."""
        repository = Repository.of(folder)
        if isinstance(repository, str):
            raise InputError(
                f"git is needed here: {repository}", hint="run it inside the repository"
            )
        return Git(folder, repository)

    def merge_base(self, revision: str) -> str:
        """The commit where HEAD left `revision`. Raises InputError for an unknown one, or where
        history is missing."""
        other = self.repository.commit(revision)
        done = self._run("merge-base", other, "HEAD")
        if done.returncode != 0:
            raise InputError(
                f"HEAD and {revision} have no common commit here",
                hint=(
                    "fetch the history: `fetch-depth: 0` in actions/checkout, `git fetch"
                    " --unshallow` by hand"
                ),
            )
        return done.stdout.decode().strip()

    def file_at(self, commit: str, path: Path) -> bytes | None:
        """The file's bytes at a commit; None where it does not exist there."""
        done = self._run("show", f"{commit}:./{path.name}")
        return done.stdout if done.returncode == 0 else None

    def commits_of(self, path: Path, limit: int) -> list[FileCommit]:
        """The commits that changed the file, newest first, along first parents."""
        done = self._run(
            "log", f"-n{limit}", "--first-parent", "--diff-merges=first-parent", "-z",
            "--format=%H%x01%ct%x01%an%x01%s", "--", f"./{path.name}",
        )  # fmt: skip
        if done.returncode != 0:
            return []
        text = done.stdout.decode(errors="replace")
        rows = [row.split("\x01", 3) for row in text.split("\0") if row]
        return [FileCommit(row[0], int(row[1]), row[2], row[3]) for row in rows if len(row) == 4]

    def user(self) -> str:
        """Name and address as git would write them; "" where they are not set."""
        done = self._run("var", "GIT_AUTHOR_IDENT")
        return (
            done.stdout.decode(errors="replace").rpartition(">")[0] + ">"
            if done.returncode == 0
            else ""
        )

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        environment = git_environment(_KEPT, fetches=True)
        try:
            return subprocess.run(
                ("git", *READ_ONLY, *arguments),
                cwd=self.folder,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        except OSError as error:
            raise EnvironmentFailure(
                f"git cannot be run: {error.strerror}", hint="install git"
            ) from None


_KEPT = frozenset(["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"])
