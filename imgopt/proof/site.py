"""A program that does nothing but hand out the files of one folder, and what has to be asked to know how it does.

Such a server may be replaced by another one when every kind of answer stays the same. What kinds there are lies in the
folder itself: one file of each ending, a page below another name, a folder with and without an index, a file without
an ending, and what is not there.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from imgopt.image.tree import Node
from imgopt.proof.model import words
from imgopt.proof.side import Side
from imgopt.proof.starts import plain_start

MOST_ENDINGS = 40
NO_FILE = "/imgopt/no-such-file.js"
INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Known:
    """The command line of a file server: what may stand in it without making it more than that."""

    flags: frozenset[str]
    values: frozenset[str]
    """Options that take a value."""
    port: tuple[str, ...]
    port_variable: str = ""
    """Environment variable that gives the port where no option does."""
    folder: tuple[str, ...] = ()
    """Options that give the folder; else it is the first argument."""
    usual: str = "."
    settings: tuple[str, ...] = ()
    """Files of its own that may say more: in the folder that is served, or the working directory."""
    harmless: re.Pattern[str] | None = None
    """Text of such a file that says nothing about answers; None: its being there decides."""


def _known(flags: str, values: str, port: str, **more: object) -> Known:
    return Known(frozenset(words(flags)), frozenset(words(values)), words(port), **more)  # type: ignore[arg-type]


_COMMENT = r"^[ \t]*//.*$|^[ \t]*/\*[\s\S]*?\*/|[ \t]//.*$"
"""A comment where no string can be meant, as one may hold `//` or `/*`."""
_VITE = re.compile(
    r"\A(?!.*(?:\bproxy\b|\bheaders\b|configurePreviewServer|\bmiddlewares\b|\bhttps\b(?!://)))", re.DOTALL
)
KNOWN: Mapping[str, Known] = {
    "serve": _known(
        "-s --single -n --no-clipboard -u --no-compression -L --no-request-logging --no-etag --no-port-switching",
        "-l --listen -p",
        "-l --listen -p",
        port_variable="PORT",
        settings=("serve.json", "now.json", "package.json"),
        harmless=re.compile(r'\A(?!.*"(?:now|static)"\s*:)', re.DOTALL),
    ),
    "http-server": _known(
        "-s --silent --no-dotfiles --no-showDir",
        "-p --port -a -c -t -d -i",
        "-p --port",
        port_variable="PORT",
        usual="public",
    ),
    "sirv": _known(
        "-s --single -q --quiet -e --etag -D --dotfiles -L --no-logs",
        "-p --port -H --host -m --maxage",
        "-p --port",
        port_variable="PORT",
    ),
    "vite preview": _known(
        "--host --strictPort",
        "--host --port --outDir -l --logLevel",
        "--port",
        folder=("--outDir",),
        usual="dist",
        settings=tuple(f"vite.config.{end}" for end in ("js", "ts", "mjs", "mts", "cjs")),
        harmless=_VITE,
    ),
}
"""By the words that the start begins with. Sources: `serve --help` 14, `http-server --help` 14, sirv-cli 3, Vite 5."""


DEVELOPMENT = frozenset(
    ["react-scripts start", "vue-cli-service serve", "ng serve", "webpack serve", "webpack-dev-server", "next dev"]
    + ["nuxt dev", "astro dev", "gatsby develop", "parcel serve", "vite", "vite dev", "vite serve", "craco start"]
)
"""Servers that compile what they serve while they run."""


@dataclass(frozen=True, slots=True)
class FileServer:
    """`folder` is absolute; `port` None: an environment variable of that name decides at start, or what is usual."""

    program: str
    folder: str
    port: int | None = None
    port_variable: str = ""


@dataclass(frozen=True, slots=True)
class NoFileServer:
    """The start is one of these programs, but does more; or it is none of them (`reason` is empty)."""

    reason: str = ""


@dataclass
class _Said:
    """A command line taken apart."""

    arguments: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    unknown: str = ""


def file_server(side: Side) -> FileServer | NoFileServer:
    """What the image starts, when that only serves files; else why not."""
    start = plain_start(side)
    names = [posixpath.basename(word) for word in start[:2]]
    program = next((name for name in (names[:1], names[:2]) if " ".join(name) in KNOWN), None)
    if program is None:
        return _other(start, names)
    name = " ".join(program)
    known = KNOWN[name]
    said = _read(start[len(program) :], known)
    if said.unknown:
        return NoFileServer(f"`{' '.join(start)}`: what {said.unknown} does is not known to be the same elsewhere")
    folder = next((said.values[option] for option in known.folder if option in said.values), "")
    folder = folder or (said.arguments[0] if said.arguments and not known.folder else _usual(side, known))
    path = posixpath.normpath(posixpath.join(side.workdir, folder))
    refusal = _says_more(side, path, known)
    if refusal:
        return NoFileServer(f"{name}: {refusal}")
    if not side.is_file(f"{path}/{INDEX}"):
        return NoFileServer(f"{name} serves {path}, which has no {INDEX}")
    return FileServer(name, path, _port(said, known), known.port_variable)


def _other(start: Sequence[str], names: Sequence[str]) -> NoFileServer:
    options_follow = len(start) < 2 or start[1].startswith("-")
    compiles = " ".join(names) in DEVELOPMENT or (options_follow and names[:1] == ["vite"])
    return NoFileServer(f"`{' '.join(start)}` compiles what it serves while it runs") if compiles else NoFileServer()


def _usual(side: Side, known: Known) -> str:
    return known.usual if side.exists(posixpath.join(side.workdir, known.usual)) else "."


def _read(rest: Sequence[str], known: Known) -> _Said:
    said = _Said()
    waiting = list(rest)
    while waiting and not said.unknown:
        word = waiting.pop(0)
        option, equals, value = word.partition("=")
        short = next((o for o in known.values if len(o) == 2 and word.startswith(o) and len(word) > 2), None)
        if not word.startswith("-"):
            said.arguments.append(word)
        elif option in known.values and (equals or (waiting and not waiting[0].startswith("-"))):
            said.values[option] = value if equals else waiting.pop(0)
        elif word in known.flags:
            continue
        elif short is not None and not word.startswith("--"):
            said.values[short] = word[2:]
        else:
            said.unknown = word
    if len(said.arguments) > 1:
        said.unknown = said.arguments[1]
    return said


def _port(said: _Said, known: Known) -> int | None:
    given = next((said.values[option] for option in known.port if option in said.values), "")
    match = re.fullmatch(r"(?:tcp://[\w.\[\]:-]*:)?(\d+)", given)
    return int(match[1]) if match else None


def _says_more(side: Side, folder: str, known: Known) -> str:
    for place in dict.fromkeys((folder, side.workdir)):
        for name in known.settings:
            text = side.read(posixpath.join(place, name))
            if text is None:
                continue
            harmless = known.harmless is not None and not name.startswith(("serve.", "now."))
            said = re.sub(_COMMENT, "", text.decode("utf-8", "replace"), flags=re.MULTILINE)
            if not (harmless and known.harmless and known.harmless.search(said)):
                return f"{posixpath.join(place, name)} may give answers of its own"
    return ""


def site_probes(side: Side) -> tuple[str, ...]:
    """Paths to ask of a file server, each another kind; none for any other image."""
    server = file_server(side)
    if not isinstance(server, FileServer):
        return ()
    return tuple(dict.fromkeys(kinds(side, server.folder).values()))


def kinds(side: Side, folder: str) -> dict[str, str]:
    """Kind -> path to ask. `.js` and the like stand for files of that ending, `bare` for one without; `hidden file` and
    `hidden name` begin with a dot; see `_pages` for the others."""
    found: dict[str, str] = {}
    files = sorted(_files(side, folder), key=lambda pair: (pair[1].size, pair[0]))
    for path, _ in files:
        ending = posixpath.splitext(path)[1].lower()
        kind = ending or "bare"
        if ending != ".html" and kind not in found and len(found) < MOST_ENDINGS:
            found[kind] = path
    found.update(_pages([path for path, _ in files]))
    hidden = [path for path in _paths(side, folder) if "/." in path and not path.startswith("/.well-known/")]
    for path in sorted(hidden):
        found.setdefault("hidden file" if posixpath.splitext(path)[1] else "hidden name", path)
    found["missing file"] = NO_FILE
    return found


def _pages(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`index`, `index name`; `page` (/about for about.html), `page file`, `page folder`; `folder` (with an index, with
    and without the slash), `empty folder` (without one)."""
    yield "index", f"/{INDEX}"
    yield "index name", "/index"
    special = ("/" + INDEX, "/404.html", "/200.html")
    page = next((path for path in files if path.endswith(".html") and not path.endswith(special)), "")
    if page:
        yield "page file", page
        yield "page", page.removesuffix(".html")
        yield "page folder", page.removesuffix(".html") + "/"
    folders = {posixpath.dirname(path) for path in files} - {"/"}
    with_index = {posixpath.dirname(path) for path in files if path.endswith("/" + INDEX)} - {"/"}
    if with_index:
        yield "folder", min(with_index) + "/"
        yield "folder name", min(with_index)
        yield "folder index", f"{min(with_index)}/{INDEX}"
    if folders - with_index:
        yield "empty folder", min(folders - with_index) + "/"
        yield "empty folder name", min(folders - with_index)


def _files(side: Side, folder: str) -> Iterator[tuple[str, Node]]:
    """Files below the folder that a URL can name as they are; what begins with a dot is a kind of its own."""
    for path, node in _paths(side, folder).items():
        if "/." not in path:
            yield path, node


def _paths(side: Side, folder: str) -> dict[str, Node]:
    nodes = {node.path.removeprefix(folder): node for node in side.tree.walk(folder) if node.inode is not None}
    return {path: node for path, node in nodes.items() if re.fullmatch(r"(?:/[\w.@~+-]+)+", path, re.ASCII)}
