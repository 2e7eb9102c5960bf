"""The final stage that carving writes: a small value, and its text."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from imgopt.rewrite.final.fates import Carved
from imgopt.rewrite.final.settings import LONGEST_LINE, Complement, Settings, joined
from imgopt.rewrite.lines.quoting import json_string, shell_word

ROOT = "/staging/root"
"""Where the builder gathers what comes as it is: libraries of the system, and symbolic links that
stand alone (COPY follows a link that it is given as a source)."""
TREE = "/staging/tree"
"""Where the builder gathers what comes by one COPY, each at its path."""
MODES = "/staging/folders"
"""Where the builder makes folders with an owner and a mode, for a base without a shell."""


CONTEXT = ":context"
"""In the place of a stage's name: the build context, whose paths the sources are."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One `COPY --from`: files into a folder, or one folder onto the same path."""

    sources: tuple[str, ...]
    destination: str
    stage: str = ""
    """Where from; empty: the builder."""
    chown: str = ""
    """The owner, which folders that the copy makes get as well; empty: as in the builder."""
    by_pattern: bool = False
    """A star in a source stands for any name."""

    def render(self, builder: str, patterns: Mapping[str, str] = MappingProxyType({})) -> str:
        """`patterns`: sources that are written so that another version's name fits, too."""
        if not patterns.keys().isdisjoint(self.sources):
            return self._by_patterns(patterns).render(builder)
        stage = "" if self.stage == CONTEXT else f"--from={self.stage or builder} "
        head = f"COPY {stage}" + (f"--chown={self.chown} " if self.chown else "")
        meant = "*?[]" if self.stage == CONTEXT or self.by_pattern else ""
        words = [quoted_free(word, meant) for word in (*self.sources, self.destination)]
        if any(word is None for word in words):
            listed = ", ".join(json_string(word) for word in (*self.sources, self.destination))
            return f"{head}[{listed}]"
        line = head + " ".join(word for word in words if word)
        if len(line) <= LONGEST_LINE or len(self.sources) == 1:
            return line
        return head + " \\\n     ".join(word for word in words if word)

    def _by_patterns(self, patterns: Mapping[str, str]) -> Copy:
        alone = self.sources == (self.destination,)
        folder = posixpath.dirname(self.destination).rstrip("/") + "/"
        sources = tuple(patterns.get(path, path) for path in self.sources)
        target = folder if alone else self.destination
        return replace(self, sources=sources, destination=target, by_pattern=True)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with the owner and the mode that a COPY does not give it."""

    path: str
    mode: int
    uid: int = 0
    gid: int = 0

    @property
    def options(self) -> str:
        return f"-o {self.uid} -g {self.gid} -m {self.mode:o}"


def folder_lines(folders: Iterable[Folder], root: str = "") -> str:
    """The shell command that makes them, those with the same attributes by one `install`; "" for
    none."""
    found: dict[str, list[str]] = {}
    for folder in sorted(folders, key=lambda one: one.path):
        found.setdefault(folder.options, []).append(shell_word(root + folder.path))
    return " \\\n && ".join(f"install -d {how} {' '.join(paths)}" for how, paths in found.items())


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that the Dockerfile itself holds, as a here-document."""

    path: str
    text: str

    def render(self) -> str:
        end = next(word for word in ("EOF", "END_OF_FILE") if word not in self.text.splitlines())
        return f"COPY <<'{end}' {self.path}\n{self.text}{end}"


@dataclass(frozen=True, slots=True)
class FinalStage:
    """A final stage, carved from evidence. Text parts are lines of the user's own file, in their
    order."""

    builder: str
    """Name of the stage that the original's instructions make."""
    base: str
    shell: bool
    """Whether RUN works on this base."""
    carved: Carved
    accounts: tuple[Copy, ...] = ()
    """Users and groups, which come before whoever makes another one."""
    copies: tuple[Copy, ...] = ()
    patterns: dict[str, str] = field(default_factory=dict)
    """Sources whose names have a version -> how they are written."""
    files: tuple[TextFile, ...] = ()
    server: str = ""
    """Path of the web server that serves the files in the place of the original's program."""
    server_user: str = ""
    """The user of the base that the web server is made for."""
    packages: tuple[str, ...] = ()
    install: str = ""
    """Shell command with {packages}."""
    setup: tuple[str, ...] = ()
    """Shell commands that the final stage runs before anything is copied."""
    finish: tuple[str, ...] = ()
    """Shell commands that the final stage runs after everything is copied."""
    folders: tuple[Folder, ...] = ()
    """Folders that need an owner or a mode of their own after everything is copied; a base without
    a shell gets them from the builder."""
    settings: Settings = field(default_factory=Settings)
    """The user's own ARG, ENV, LABEL, SHELL, EXPOSE, VOLUME, STOPSIGNAL, HEALTHCHECK, ENTRYPOINT
    and CMD."""
    complement: Complement = field(default_factory=Complement)
    start_words: tuple[str, ...] = ()
    """What the final stage starts, the shell of a shell form included."""
    entry_script: str = ""
    """The base's entry script that is left out, because it only starts the command."""
    workdir: str = ""
    user: str = ""
    early: tuple[str, ...] = ()
    """Shell commands behind the builder's last RUN: what is copied into it later does not make them
    run again."""
    prepare: tuple[str, ...] = ()
    """Shell commands at the end of the builder, before its files are copied."""
    links: tuple[str, ...] = ()
    """Single symbolic links that the builder gathers below ROOT."""
    removed_tools: tuple[str, ...] = ()
    """Packages that the builder removes after its last installation."""
    owned: tuple[str, ...] = ()
    """Folders that the user writes to."""
    comments: dict[str, str] = field(default_factory=dict)
    """Short comments by subject: base, packages, copies, files, user."""
    beside: tuple[str, ...] = ()
    """Texts of stages in front of it that it copies from."""
    check: tuple[str, str] = ("", "")
    """A shell command that fails where something is missing, and behind the copy to which place it
    stands."""

    def render_builder_middle(self) -> str:
        """What the builder can do before the source is copied."""
        made = () if self.shell or not self.folders else (folder_lines(self.folders, MODES),)
        return run_lines((*self.early, *made))

    def render_builder_tail(self) -> str:
        """What the builder still has to do: remove what is not needed, and give folders their
        owner."""
        return run_lines(self.prepare)

    def render(self) -> str:
        """The text of the stage, from FROM to CMD, with a final newline."""
        lines = [*self._comment("base"), f"FROM {self.base}"]
        if self.packages:
            lines += [*self._comment("packages"), self._install()]
        lines += [copy.render(self.builder) for copy in self.accounts]
        lines += map(_run, self.setup)
        lines += [*joined(self.complement.environment), *self.settings.environment]
        lines += [*self._comment("copies"), *self._copy_lines()]
        lines += [*self._comment("files"), *(file.render() for file in self.files)]
        lines += map(_run, self.finish)
        if self.folders and self.shell:
            lines.append(_run(folder_lines(self.folders)))
        elif self.folders:
            lines.append(Copy((MODES + "/",), "/").render(self.builder))
        if self.workdir:
            lines.append(f"WORKDIR {self.workdir}")
        if self.user:
            lines += [*self._comment("user"), f"USER {self.user}"]
        lines += [*self.complement.start, *self.settings.start]
        return "".join(f"{stage}\n" for stage in self.beside) + "\n".join(lines) + "\n"

    def _copy_lines(self) -> Iterator[str]:
        command, place = self.check
        for copy in self.copies:
            yield copy.render(self.builder, self.patterns)
            if command and copy.destination == place:
                yield _run(command)

    def _comment(self, subject: str) -> list[str]:
        text = self.comments.get(subject)
        return [f"# {text}"] if text else []

    def _install(self) -> str:
        return install_lines(self.install, self.packages)


_INTENDED = (
    (r"apt-get install", "DL3008"),
    (r"^cd ", "DL3003"),
    (r"apk add", "DL3018"),
    (r" \| ", "DL4006"),
)
"""What hadolint warns of and is meant: packages of the release that the base is of, old versions of
which distributions take away; one command in one folder, which is none of the stage's own; a pipe
of which only the last command decides."""


def install_lines(install: str, packages: Iterable[str]) -> str:
    """The RUN that installs packages of the system, by the command of the distribution with
    {packages}."""
    command = install.replace("{packages}", " ".join(packages))
    if len(command) + len("RUN ") > LONGEST_LINE:
        command = command.replace(" && ", " \\\n && ")
    return _run(command)


def run_lines(commands: Iterable[str]) -> str:
    """A RUN for each shell command, with a line end behind the last one."""
    return "".join(f"{_run(command)}\n" for command in commands)


def _run(command: str) -> str:
    """The instruction, with its comment and the rules that it breaks on purpose above it."""
    if command.startswith("# "):
        comment, _, command = command.partition("\n")
        return f"{comment}\n{_run(command)}"
    rules = ",".join(rule for pattern, rule in _INTENDED if re.search(pattern, command))
    return f"# hadolint ignore={rules}\nRUN {command}" if rules else f"RUN {command}"


def quoted_free(word: str, meant: str = "") -> str | None:
    """The word as COPY takes it bare, or None where it needs the JSON form (spaces, quotes,
    variables, wildcards but those that are `meant`)."""
    special = set(" \t\"'$\\[]*?#<>`{}") - set(meant)
    return word if word and not set(word) & special else None
