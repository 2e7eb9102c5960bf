"""ignore-file: keeps out of the build what no image needs, and what makes `COPY . .` miss for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from imgopt.dockerfile import Dockerfile, IgnoreFile
from imgopt.dockerfile.typed import Copy
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

CANDIDATES: tuple[tuple[str, str], ...] = (
    ("**/.git", "version control data"),
    ("**/.hg", "version control data"),
    ("**/.svn", "version control data"),
    (".github", "version control data"),
    ("**/.gitattributes", "version control data"),
    ("**/__pycache__", "bytecode of this machine"),
    ("**/*.pyc", "bytecode of this machine"),
    ("**/.pytest_cache", "caches of tools"),
    ("**/.mypy_cache", "caches of tools"),
    ("**/.ruff_cache", "caches of tools"),
    ("**/.tox", "caches of tools"),
    ("**/.nox", "caches of tools"),
    ("**/.venv", "packages of this machine"),
    ("**/venv", "packages of this machine"),
    ("**/node_modules", "packages of this machine"),
    ("**/.idea", "an editor's files"),
    ("**/.vscode", "an editor's files"),
    ("**/.DS_Store", "an editor's files"),
    ("**/npm-debug.log*", "logs"),
    ("Dockerfile*", "the build's own files"),
    ("**/*.dockerignore", "the build's own files"),
    ("docker-compose*.y*ml", "the build's own files"),
    ("compose*.y*ml", "the build's own files"),
    ("imgopt.toml", "the build's own files"),
)
"""Patterns of .dockerignore, each with what it keeps out. Only those that match something are written."""
BUILD_FILES = frozenset(
    [
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "pom.xml",
        "package.json",
        "Makefile",
        "build.rs",
        "Cargo.toml",
        "justfile",
    ]
)
BUILD_ENDINGS = (
    ".sh", ".gradle", ".kts", ".mk", ".cmake", "CMakeLists.txt", ".gemspec", ".csproj", ".props",
    ".targets", ".config.js", ".config.ts",
    ".config.mjs", ".config.cjs", "meson.build", "mix.exs", "Rakefile", "Gemfile",
)  # fmt: skip
GIT_VERSIONS = (
    "setuptools_scm",
    "setuptools-scm",
    "hatch-vcs",
    "versioneer",
    "git-commit-id",
    "vergen",
    "git describe",
    "git rev-parse",
    "git log",
    "poetry-dynamic-versioning",
    "versioningit",
    "pbr",
    "gitinfo",
    "gitversion",
    "GitVersion",
    "MinVer",
    "Nerdbank.GitVersioning",
    "git ls-files",
    "rev-parse",
    "shadow-rs",
    "git2",
    "git-revision",
    "git-rev-sync",
)
"""Words of tools and commands that read version control data in a build."""
_PYTHON_INSTALLERS = ("pip ", "pip3 ", "poetry ", "uv ", "pipenv ")
MACHINE_MADE = {
    "**/node_modules": ("npm ", "yarn", "pnpm", "bun "),
    "**/venv": _PYTHON_INSTALLERS,
    "**/.venv": _PYTHON_INSTALLERS,
}
"""Kept out only where the build makes them itself."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Adds patterns for what is in the context and no instruction or smoke run asks for."""
    if not _copies_broadly(situation.dockerfile):
        return
    ignored = IgnoreFile.parse(situation.ignore or "")
    files = {path: size for path, size in situation.project.context.sizes.items() if not ignored.excludes(path)}
    files.pop(".dockerignore", None)
    used = _used_by_name(situation.dockerfile) | _opened(situation)
    wanted = [
        (pattern, why)
        for pattern, why in CANDIDATES
        if _matches(pattern, files)
        and not _hides(pattern, used)
        and _is_remade(pattern, situation.dockerfile)
        and not _wanted_back(pattern, situation.ignore or "")
        and not (pattern == "**/.git" and _versions_from_git(situation))
    ]
    if not wanted:
        return
    old = situation.ignore or ""
    text = (old if old.endswith("\n") or not old else old + "\n") + "".join(f"{pattern}\n" for pattern, _ in wanted)
    reasons = ", ".join(dict.fromkeys(why for _, why in wanted))
    kept_out = IgnoreFile.parse(text)
    size = sum(count for path, count in files.items() if kept_out.excludes(path))
    weight = f" ({size / 1e6:.1f} MB of the context)" if size >= 50_000 else ""
    yield Change(f"keeps {reasons} out of the build{weight}", ignore=text)


def _copies_broadly(dockerfile: Dockerfile) -> bool:
    """Some COPY or ADD takes a whole folder of the context."""
    return any(
        isinstance(item.typed, Copy) and item.typed.from_ is None and any(_is_root(word) for word in item.typed.sources)
        for item in dockerfile.instructions
    )


def _is_root(word: str) -> bool:
    return word.rstrip("/") in (".", "", "*")


def _used_by_name(dockerfile: Dockerfile) -> set[str]:
    """Words of the Dockerfile that may name a file of the context: a name that stands here is never hidden."""
    return {
        part
        for item in dockerfile.instructions
        if getattr(item.typed, "from_", None) is None
        for word in item.value.replace("=", " ").replace(",", " ").split()
        for part in word.strip("\"'").split("/")
        if part not in ("", ".", "..")
    }


def _opened(situation: Situation) -> set[str]:
    evidence = situation.evidence
    return {path.rpartition("/")[2] for path in evidence.opened} if evidence is not None else set()


def _matches(pattern: str, files: Iterable[str]) -> bool:
    alone = IgnoreFile.parse(pattern)
    return any(alone.excludes(path) for path in files)


def _wanted_back(pattern: str, ignore: str) -> bool:
    """The ignore file says by a negation that something of this name shall come."""
    last = pattern.rpartition("/")[2]
    lines = (line.strip() for line in ignore.splitlines())
    return any(fnmatchcase(part, last) for line in lines if line.startswith("!") for part in line[1:].split("/"))


def _versions_from_git(situation: Situation) -> bool:
    """A step calls git, or a manifest or build file of the project takes its version from it."""
    context = situation.project.context
    calls = any(
        (command.name or "").rpartition("/")[2] == "git" and not {"clone", "config"} & set(command.values)
        for item in situation.dockerfile.instructions
        if item.keyword == "RUN"
        for script in [script_of(situation.dockerfile, item)]
        for command in (*script.commands, *script.substituted)
    )
    return calls or any(
        word in context.text(path)
        for path in context.sizes
        if "node_modules/" not in path and (path.rpartition("/")[2] in BUILD_FILES or path.endswith(BUILD_ENDINGS))
        for word in GIT_VERSIONS
    )


def _hides(pattern: str, used: set[str]) -> bool:
    last = pattern.rpartition("/")[2]
    return any(fnmatchcase(name, last) for name in used if name)


def _is_remade(pattern: str, dockerfile: Dockerfile) -> bool:
    """Packages of this machine may be what the image runs with, unless the build installs them."""
    if pattern not in MACHINE_MADE:
        return True
    text = " ".join(item.value for item in dockerfile.instructions if item.keyword == "RUN")
    return any(word in text for word in MACHINE_MADE[pattern])


STRATEGY = Strategy(
    name="ignore-file",
    does="Keeps what no build needs out of the build context.",
    why="What is not in the build context can neither be shipped nor make a step miss the cache. `COPY . .` ships and "
    "hashes version control data, the packages of the developer's machine and the Dockerfile itself: a changed comment "
    "in it rebuilds everything below.",
    safety="text",
    references=("https://docs.docker.com/build/concepts/context/#dockerignore-files",),
    rewrite=rewrite,
    refuses="Where no COPY takes a whole folder; a file that an instruction names or the smoke run opened is never "
    "hidden.",
    examples=(
        Example(
            "version control and bytecode",
            before="FROM python:3.12\nCOPY . .\nCMD python app.py\n",
            after="FROM python:3.12\nCOPY . .\nCMD python app.py\n",
            files={".git/HEAD": "ref", "app.py": "", "__pycache__/app.cpython-312.pyc": "x"},
            ignore_after="**/.git\n**/__pycache__\n**/*.pyc\n",
        ),
        Example(
            "git data that a build step names",
            before="FROM golang:1.22\nCOPY . .\nRUN cat .git/HEAD > version && go build .\n",
            after=None,
            files={".git/HEAD": "ref", "main.go": ""},
        ),
        Example(
            "a step that calls git",
            before="FROM golang:1.22\nCOPY . .\nRUN git describe --tags > version\n",
            after=None,
            files={".git/HEAD": "ref", "main.go": ""},
        ),
        Example(
            "a negation wants it back",
            before="FROM a\nCOPY . .\n",
            after=None,
            files={".git/HEAD": "r", "a": ""},
            ignore="*\n!.git\n!a\n",
            ignore_after="*\n!.git\n!a\n",
        ),
        Example(
            "packages that no step of this build makes",
            before="FROM python:3.12\nRUN pip install flask\nCOPY . /app\n",
            after=None,
            files={"node_modules/a/a.js": "", "app.py": ""},
        ),
        Example(
            "a narrow copy needs none",
            before="FROM a\nCOPY app.py /\n",
            after=None,
            files={".git/HEAD": "r", "app.py": ""},
        ),
    ),
)
