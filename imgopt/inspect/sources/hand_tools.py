"""Tools that people call by hand in a container (an editor, curl, git), and whether anything in the
image calls them.

They stand in many Dockerfiles because the build needed them, or somebody once looked into a running
container. Such a package may be left out where the original did not run it and no source, script,
package or setting names its programs.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from imgopt.image.packages import Package
from imgopt.image.tree import Node
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered
from imgopt.inspect.sources.program_calls import called_by_packages
from imgopt.inspect.words import words

FOR_PEOPLE = frozenset(
    words(
        "curl wget git git-core vim vim-tiny vim-nox neovim nano emacs-nox less htop net-tools"
        " iputils-ping telnet inetutils-telnet dnsutils bind9-host bind9-dnsutils netcat"
        " netcat-openbsd netcat-traditional lsof tree tmux screen man-db zip unzip procps"
    )
)
_PROGRAMS = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/")
_SOURCES = words(
    ".py .js .cjs .mjs .ts .rb .php .pl .go .sh .bash .toml .cfg .ini .conf .yml .yaml .json .env"
    " .service .crontab"
)
_NO_SOURCES = re.compile(r"(?:^|/)(?:[^/]*lock[^/]*|.*\.ipynb)$")
_LONGEST = 1 << 20
_MOST_BYTES = 512 << 20
_IN_PACKAGES = re.compile(
    r"/(?:site-packages|dist-packages|node_modules|gems|vendor)/.*\.(?:py|js|cjs|mjs|rb|php|sh)$"
)
_TESTS = re.compile(r"/(?:tests?|testing|__tests__|docs?|examples?)/")
_OF_A_REPOSITORY = re.compile(r'"type"\s*:\s*"git"')


def unused_tools(
    view: ImageView, packages: Iterable[Package], opened: frozenset[str]
) -> dict[str, str]:
    """Names of those packages that are tools for people and that nothing calls -> the reason to
    leave each out."""
    tools = [
        each for each in packages if each.name in FOR_PEOPLE and not opened.intersection(each.files)
    ]
    named = {each.name: _programs(each) for each in tools}
    called = _called(view, frozenset(name for names in named.values() for name in names))
    reason = (
        "a tool that people call by hand: the original did not run it, and no source, script or"
        " package names it"
    )
    return {
        name: reason
        for name, programs in named.items()
        if programs and not called.intersection(programs)
    }


def names_of_programs(packages: Iterable[Package]) -> frozenset[str]:
    """The programs that these packages bring."""
    return frozenset(name for each in packages for name in _programs(each))


def named_in(text: str, programs: Iterable[str]) -> frozenset[str]:
    """Which of these programs a text of the project names, anywhere in it."""
    pattern = _words(programs)
    return (
        frozenset(pattern.findall(_OF_A_REPOSITORY.sub("", text)))
        if pattern is not None
        else frozenset()
    )


def _programs(package: Package) -> frozenset[str]:
    names = (posixpath.basename(path) for path in package.files if path.startswith(_PROGRAMS))
    return frozenset(name.partition(".")[0] for name in names)


def _words(programs: Iterable[str]) -> re.Pattern[str] | None:
    choices = "|".join(re.escape(name) for name in sorted(programs))
    return re.compile(rf"(?<![\w.-])(?:{choices})(?![\w-])") if choices else None


@remembered
def _called(view: ImageView, programs: frozenset[str]) -> frozenset[str]:
    """Programs that the start, the application's files or the packages name."""
    if not programs:
        return frozenset()
    config = view.config
    check = config.healthcheck.test if config.healthcheck else ()
    start = " ".join((*(config.entrypoint or ()), *(config.cmd or ()), *check))
    found = set(named_in(start, programs)) | {program for program, _ in called_by_packages(view)}
    for node in application_files(view):
        if _is_source(view, node):
            found |= named_in(_text(node), programs)
    return frozenset(found | set(_in_packages(view, programs)))


def _is_source(view: ImageView, node: Node) -> bool:
    if (
        node.inode is None
        or node.size > _LONGEST
        or _NO_SOURCES.search(node.path)
        or _IN_PACKAGES.search(node.path)
    ):
        return False
    return (
        node.name.endswith(tuple(_SOURCES))
        or node.name in ("Makefile", "Procfile", "crontab")
        or bool(view.shebang(node))
    )


def _in_packages(view: ImageView, programs: frozenset[str]) -> Iterator[str]:
    """Literals of a language package that are a program's name, or a command line that begins with
    one."""
    choices = "|".join(re.escape(name) for name in sorted(programs))
    pattern = re.compile(
        rf"""(?P<quote>["'])(?P<name>{choices})(?:(?P=quote)\s*[,\])]|\s)""".encode()
    )
    read = 0
    for node in view.tree.files():
        if node.size <= _LONGEST and read < _MOST_BYTES and _IN_PACKAGES.search(node.path):
            if _TESTS.search(node.path) or node.layer < view.base_layers:
                continue
            read += node.size
            yield from (match["name"].decode() for match in pattern.finditer(node.read()))


def _text(node: Node) -> str:
    return node.read().decode("utf-8", "replace")
