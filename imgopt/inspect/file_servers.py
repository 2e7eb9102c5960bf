"""A program that does nothing but hand out the files of one folder: which it is, of what folder, on what port."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start_words import plain_start
from imgopt.inspect.words import words

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


def file_server(side: ImageView) -> FileServer | NoFileServer:
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


def _usual(side: ImageView, known: Known) -> str:
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


def _says_more(side: ImageView, folder: str, known: Known) -> str:
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
