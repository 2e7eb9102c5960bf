"""What may move past what: kinds of commands in front of kinds of COPY lines, as one table.

A step that stands behind a COPY can stand in front of it when the COPY brings nothing that the step
reads, takes back nothing that the step writes, and changes nothing that the step's programs look up
by themselves. Which kind a command has is a fact of the ecosystems (`Manager`, `Program`); what a
COPY brings to it is looked up in the context.

Sources: Dockerfile reference, COPY and RUN; each manager's manual, named in its ecosystem's file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Does(StrEnum):
    """Kinds of commands, by what they do with files."""

    NOTHING = "nothing"
    TIDIES = "tidies"
    ACCOUNTS = "accounts"
    FOLDERS = "folders"
    FILES = "files"
    SETTINGS = "settings"
    INSTALLS = "installs"
    INSTALLS_LISTED = "installs-listed"
    CHANGES_MANIFEST = "changes-manifest"
    UNKNOWN = "unknown"


class Copied(StrEnum):
    """What a COPY brings, seen from a command."""

    SOURCE = "files that the command does not touch"
    READ = "files that the command reads"
    WRITTEN = "a path that the command writes"
    SETTINGS = "settings that programs find by themselves"


class Answer(StrEnum):
    PASSES = "may pass"
    READ_FIRST = "may pass, with what it reads copied in front of it"
    STAYS = "stays behind"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of command. What is not said stays behind."""

    does: Does
    what: str
    why: str
    source: Answer = Answer.PASSES
    read: Answer = Answer.STAYS
    written: Answer = Answer.STAYS
    settings: Answer = Answer.STAYS

    def answer(self, copied: Copied) -> Answer:
        return {
            Copied.SOURCE: self.source,
            Copied.READ: self.read,
            Copied.WRITTEN: self.written,
            Copied.SETTINGS: self.settings,
        }[copied]


TABLE = (
    Row(
        Does.NOTHING,
        "a command that reads and writes no file (`echo`, `set`, `cd`)",
        "nothing that is copied can change it",
        settings=Answer.PASSES,
    ),
    Row(
        Does.TIDIES,
        "a command that tidies up behind installations (`apt-get clean`)",
        "it touches the package manager's own files alone",
    ),
    Row(
        Does.ACCOUNTS,
        "a new user or group (`useradd`), whose home folder is not what is copied",
        "a home folder that is there already gets other files and another owner",
    ),
    Row(
        Does.FOLDERS,
        "`mkdir` of a folder that the context does not have",
        "a COPY into a folder that is there leaves what lies in it",
    ),
    Row(
        Does.FILES,
        "files written, downloaded, unpacked, moved or removed (`curl -o`, `tar -C`, `cp`, `rm`,"
        " `sed -i`), outside of what is copied",
        "a file inside it would be overwritten by the COPY that comes later, or would not be there"
        " yet",
    ),
    Row(
        Does.SETTINGS,
        "settings of a package manager or of git (`npm config set`, `git config --global`)",
        "the user's own settings are none of the project's files; those that are written into the"
        " project stay",
    ),
    Row(
        Does.INSTALLS,
        "an installation of packages by name (`apt-get install curl`, `pip install flask`,"
        " `npm install -g pm2`)",
        "it reads package lists and settings, not the source",
        read=Answer.READ_FIRST,
    ),
    Row(
        Does.INSTALLS_LISTED,
        "an installation from a manifest (`npm ci`, `pip install -r requirements.txt`)",
        "it reads the manifest, its lock file, the settings beside it, and what these name",
        read=Answer.READ_FIRST,
    ),
    Row(
        Does.CHANGES_MANIFEST,
        "an installation that adds a package to the manifest (`npm install express`)",
        "the COPY that comes later would put the old manifest back",
        source=Answer.STAYS,
    ),
    Row(
        Does.UNKNOWN,
        "any other command (`make`, `npm run build`, a script of the project)",
        "it may read the source",
        source=Answer.STAYS,
    ),
)
_ROWS = {row.does: row for row in TABLE}


def may_pass(does: Does, copied: Copied) -> Answer:
    """Whether a command of this kind may stand in front of a COPY that brings this to it."""
    return _ROWS[does].answer(copied)


def described() -> tuple[tuple[str, str], ...]:
    """The table for its page: what stands behind a COPY, and what it may do."""
    return tuple((row.what, _said(row)) for row in TABLE)


def _said(row: Row) -> str:
    if row.source is Answer.STAYS:
        return f"may not: {row.why}"
    past = [copied.value for copied in Copied if row.answer(copied) is not Answer.STAYS]
    held = [copied.value for copied in Copied if row.answer(copied) is Answer.STAYS]
    first = ", which are copied in front of it" if row.read is Answer.READ_FIRST else ""
    stays = f"; stays behind {' and '.join(held)}" if held else ""
    return f"may pass {' and '.join(past)}{first}{stays}: {row.why}"
