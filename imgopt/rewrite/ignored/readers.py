"""Who reads what lies beside the source: files of the context that name a file, or that ask git."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from string import ascii_letters

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.names import is_dockerfile
from imgopt.rewrite.ignored.served_files import Served
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.strategy import ContextFiles

MOST_FILES = 4_000
"""More sources than these are not looked into: what they name is taken for all of it."""
_LONGEST = 1 << 18
_SCRIPTS = (".sh", ".bash", ".ps1")
_CODE = (
    ".cjs",
    ".vue",
    ".svelte",
    ".scala",
    ".ex",
    ".exs",
    ".pl",
    ".lua",
    ".c",
    ".cc",
    ".cpp",
    ".h",
    ".swift",
    ".dart",
    ".clj",
    ".groovy",
    ".erb",
    ".r",
    ".jl",
    ".hs",
    ".fs",
)
_DATA = (
    ".json",
    ".toml",
    ".yaml",
    ".yml",
    ".cfg",
    ".ini",
    ".conf",
    ".xml",
    ".properties",
    ".in",
    ".mk",
    ".kts",
    ".gradle",
    ".cmake",
    ".csproj",
    ".fsproj",
    ".props",
    ".targets",
    ".gemspec",
    ".build",
    ".sbt",
    ".cabal",
)
_BUILD_FILES = frozenset(
    [
        "Makefile",
        "makefile",
        "GNUmakefile",
        "justfile",
        "Justfile",
        "Rakefile",
        "Gemfile",
        "Procfile",
        "Taskfile",
        "CMakeLists.txt",
        "mvnw",
        "gradlew",
        "configure",
        "build",
        "entrypoint",
        "start",
        "run",
        "SConstruct",
        "BUILD",
        "WORKSPACE",
    ]
)
_LOCKS = re.compile(r"(?:lock|-lock|\.lock)\b|shrinkwrap|\.min\.|go\.sum$", re.IGNORECASE)
_OF_THE_BUILD = re.compile(
    r"(?i)(?<![\w-])(?:docker|podman|buildah|buildx|nerdctl|kaniko|skaffold|tilt)(?![\w-])|docker-compose(?!\.)"
    r"|dockerfile(?:path)?[\"']?\s*[:=]"
)
"""Lines that say how the image is built or started, and are no part of what it runs."""
_EMBEDS = re.compile(
    r"(?m)^//go:embed"
    r" (.+)$|folder\s*=\s*\"([^\"]+)\"|include_dir!\(\"(?:\$CARGO_MANIFEST_DIR/?)?([^\"]*)\""
)
_DOCKER = re.compile(
    r"(?<![\w./-])(?:docker|docker-compose|podman|buildah|hadolint|skaffold)(?![\w/.:-])|docker-(?:ce|cli)|docker\.io(?!/)"
)
_TOO_MANY = "one of more sources than are looked into"
_ASIDE = {".git", ".github", "vendor", "third_party", "__pycache__"}
_BASES = frozenset(["docker", "compose", "podman", "buildah", "dind", "hadolint"])


class Readers:
    """The files of a context that may say what is read: sources, settings and files of the build,
    each read once.

    Installed packages, and what tools keep, are none of them.
    """

    def __init__(self, context: ContextFiles, ecosystems: Sequence[Ecosystem]) -> None:
        self._context = context
        self._ecosystems = ecosystems

    def of(self, paths: Iterable[str]) -> dict[str, str]:
        """Those of the paths that a file names, each with the file: one that speaks of it as of a
        part of the image."""
        named = {posixpath.basename(path): path for path in paths}
        if not named:
            return {}
        if len(self._files) > MOST_FILES:
            return dict.fromkeys(named.values(), _TOO_MANY)
        longest_first = sorted(
            named, key=len, reverse=True
        )  # `Dockerfile.app` is no mention of `Dockerfile`
        word = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")
        found: dict[str, str] = {}
        for other, text in self._texts:
            said = text if other.endswith(self._code) else _without_builds(text)
            for name in {match[0] for match in word.finditer(said)}:
                if named[name] != other:
                    found.setdefault(named[name], other)
            for path in (
                named.values()
                if "embed" in text or "include_dir" in text or "folder" in text
                else ()
            ):
                if _embeds(other, text, path):
                    found.setdefault(path, other)
        return found

    def of_variable(self, name: str) -> str:
        """The file that names a variable, outside of the lines that build the image; "" for
        none."""
        if len(self._files) > MOST_FILES:
            return _TOO_MANY
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        texts = (
            (path, text if path.endswith(self._code) else _without_builds(text))
            for path, text in self._texts
        )
        return next((path for path, text in texts if word.search(text)), "")

    def of_git(self, served: Sequence[Served]) -> str:
        """Who asks for version control data in a build or in a run: a step, or a file; "" for
        nobody."""
        for one in served:
            step = next(
                (item for item in one.dockerfile.instructions if self._asks_git(one, item)), None
            )
            if step is not None:
                return f"`RUN {step.value[:50]}`"
        if len(self._files) > MOST_FILES:
            return _TOO_MANY
        plain, quoted = self._git_words
        calls = (
            (path, quoted if path.endswith(self._code) else plain, text)
            for path, text in self._texts
        )
        return next((path for path, words, text in calls if words.search(text)), "")

    def _asks_git(self, served: Served, item: Instruction) -> bool:
        """Whether a step calls git, or a tool that calls it by itself (`nx affected`)."""
        if item.keyword != "RUN":
            return False
        script = script_of(served.dockerfile, item)
        commands = (*script.commands, *script.substituted)
        words = [command.values for command in commands]
        said = " ".join(value for values in words for value in values if value is not None)
        return self._names_tool(said) or any(map(_calls_git, words))

    def _names_tool(self, said: str) -> bool:
        """Whether a word of the text is, or begins with, one that tells of git."""
        found = self._git_words[0].finditer(said)
        return any(not said[: one.start()].endswith(("-", "_", *ascii_letters)) for one in found)

    @cached_property
    def _git_words(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """What is looked for in files of builds, and in sources, which call a command by a quoted
        text."""
        words = [word for ecosystem in self._ecosystems for word in ecosystem.reads_git]
        plain = "|".join(re.escape(word) for word in words)
        quoted = "|".join(
            rf"[\"'`(\[]{re.escape(word)}" if word.startswith("git ") else re.escape(word)
            for word in words
        )
        return re.compile(plain or r"(?!)"), re.compile(quoted or r"(?!)")

    @cached_property
    def _code(self) -> tuple[str, ...]:
        own = {
            source[source.rfind(".") :]
            for ecosystem in self._ecosystems
            for source in ecosystem.sources
        }
        return tuple(sorted(own | set(_CODE)))

    @cached_property
    def _files(self) -> list[str]:
        endings = (*self._code, *_SCRIPTS, *_DATA)
        installed = {name for ecosystem in self._ecosystems for name in ecosystem.installed}
        aside = "|".join(re.escape(name) for name in sorted(installed | _ASIDE))
        packages = re.compile(rf"(?:^|/)(?:{aside})/")
        return [
            path
            for path in self._context.sizes
            if (path.endswith(endings) or path[path.rfind("/") + 1 :] in _BUILD_FILES)
            and not packages.search(path)
            and not _LOCKS.search(path)
            and not is_dockerfile(path[path.rfind("/") + 1 :])
        ]

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        return [(path, self._context.text(path, _LONGEST)) for path in self._files]


def _without_builds(text: str) -> str:
    """Without the lines of a script or of settings that say how the image is built."""
    return "\n".join(line for line in text.splitlines() if not _OF_THE_BUILD.search(line))


def _embeds(source: str, text: str, path: str) -> bool:
    """Whether a program is built with what lies in a folder, this file among it."""
    folder = posixpath.dirname(source) if source.endswith(".go") else ""
    for found in _EMBEDS.finditer(text):
        for word in (found[1] or found[2] or found[3] or ".").split():
            glob = posixpath.normpath(posixpath.join(folder, word.strip('"`').removeprefix("all:")))
            if glob == "." or fnmatchcase(path, glob) or path.startswith(glob + "/"):
                return True
    return False


def uses_docker(served: Iterable[Served]) -> str:
    """A Dockerfile whose image calls Docker itself, so that what describes builds may be what it
    works on."""
    for one in served:
        dockerfile = one.dockerfile
        bases = {
            str(getattr(stage.base, "repository", stage.base)).rpartition("/")[2]
            for stage in dockerfile.stages
        }
        calls = (
            item.value
            for item in dockerfile.instructions
            if item.keyword in ("RUN", "CMD", "ENTRYPOINT")
        )
        if bases & _BASES or any(_DOCKER.search(value) for value in calls):
            return one.name or "the Dockerfile"
    return ""


def _calls_git(values: Sequence[str | None]) -> bool:
    words = [value or "" for value in values]
    return (
        words[:1] != []
        and posixpath.basename(words[0]) == "git"
        and not {"clone", "config", "lfs"} & set(words[1:3])
    )
