"""Named replacements that do the same job: another build of the same interpreter, and a web server
for a built site.

Each is derived from what both images hold, never from the wish of a Dockerfile; that the answers
are the same is the smoke check's business, which is why nothing here is used where the opened files
were not recorded.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from imgopt.image.tree import Node
from imgopt.inspect.files.contents import compare_contents
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import SYSTEM
from imgopt.inspect.sites.built_site import site_folder
from imgopt.inspect.sites.file_servers import FileServer, NoFileServer, file_server
from imgopt.inspect.start.start_words import plain_start
from imgopt.proof.allowances import Drop, DroppedPackage, Move

_PYTHON = re.compile(
    r"^(?P<home>(?P<prefix>/[^.]*)/lib/(?P<name>python3\.\d+))/(?!site-packages|dist-packages)"
)
_PREFIXES = ("/usr/local", "/usr", "/opt/python")
WEB_SERVERS = ("nginx", "httpd", "caddy", "lighttpd")
_FILE_SERVERS = ("static-server", *WEB_SERVERS)
_NODE_PLACES = ("/usr/local/bin/node", "/usr/bin/node", "/nodejs/bin/node", "/opt/nodejs/bin/node")


@dataclass(frozen=True)
class Replaced:
    """What a replacement explains; `configuration` as in Allowances."""

    moves: tuple[Move, ...] = ()
    drops: tuple[Drop, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[DroppedPackage, ...] = ()


def replaced(original: ImageView, candidate: ImageView, opened: frozenset[str] | None) -> Replaced:
    """All replacements that are seen in the two images."""
    if opened is None:
        return Replaced()
    parts = [
        *_python(candidate, opened),
        *_node(original, candidate),
        *_site(original, candidate, opened),
    ]
    configuration: dict[str, str] = {}
    for part in parts:
        configuration.update(part.configuration)
    return Replaced(
        tuple(move for part in parts for move in part.moves),
        tuple(drop for part in parts for drop in part.drops),
        configuration,
        tuple(package for part in parts for package in part.packages),
    )


def _python(candidate: ImageView, opened: frozenset[str]) -> Iterator[Replaced]:
    """The standard library at another prefix, of the same minor version (the version check reads
    the exact one)."""
    found = (_PYTHON.match(path) for path in opened)
    for match in {match["home"]: match for match in found if match}.values():
        home = match["home"]
        if candidate.is_file(f"{home}/os.py"):
            continue
        name = match["name"]
        prefix = next((p for p in _PREFIXES if candidate.is_file(f"{p}/lib/{name}/os.py")), None)
        if prefix is None:
            continue
        reason = f"another build of {name}, at {prefix}"
        moves = (
            Move(home, f"{prefix}/lib/{name}", reason),
            Move(f"{match['prefix']}/bin/{name}", f"{prefix}/bin/{name}", reason),
        )
        built_in = frozenset({f"{home}/lib-dynload/*.so", f"{match['prefix']}/lib/lib{name}*"})
        yield Replaced(
            moves, (Drop("built into the other interpreter", built_in, even_if_opened=True),)
        )


def _node(original: ImageView, candidate: ImageView) -> Iterator[Replaced]:
    before = next((place for place in _NODE_PLACES if original.is_file(place)), None)
    after = next((place for place in _NODE_PLACES if candidate.is_file(place)), None)
    if before and after and before != after and not candidate.is_file(before):
        yield Replaced((Move(before, after, f"Node.js at {after}"),))


def _site(original: ImageView, candidate: ImageView, opened: frozenset[str]) -> Iterator[Replaced]:
    """The built site, whole and unchanged at its place or at another one, and the program that
    served it."""
    before = site_folder(original, opened)
    if (
        before is None
        or not _only_serves_files(original)
        or not _is_web_server(original, candidate)
    ):
        return
    after = _same_folder(original, before, candidate)
    if after is None:
        return
    reason = "the built site is served by another server" + (
        f", from {after}" if after != before else ""
    )
    server = Drop(
        reason, matches=lambda path: not path.startswith(before + "/"), even_if_opened=True
    )
    keys = ("entrypoint", "command", "workdir", "stop-signal", "runtime:node", "runtime:python")
    moves = (Move(before, after, reason),) if after != before else ()
    packages = tuple(
        DroppedPackage(package.name, "a server of files starts no other program", package.ecosystem)
        for package in original.packages
        if package.ecosystem in SYSTEM and package.layer >= original.base_layers
    )
    yield Replaced(moves, (server,), dict.fromkeys(keys, reason), packages)


def _only_serves_files(view: ImageView) -> bool:
    """The start is a program that does nothing else; a service of one's own may answer more than
    was asked."""
    words = plain_start(view)
    names = [posixpath.basename(word) for word in words[:2]]
    found = file_server(view)
    if isinstance(found, NoFileServer) and found.reason:
        return False
    return isinstance(found, FileServer) or (
        bool(names) and (names[0] in _FILE_SERVERS or names[1:] == ["serve"])
    )


def _is_web_server(original: ImageView, candidate: ImageView) -> bool:
    """Another program than before, made to serve files."""
    words = plain_start(candidate)
    name = posixpath.basename(words[0]) if words else ""
    return name in WEB_SERVERS and words != plain_start(original)


def _same_folder(original: ImageView, before: str, candidate: ImageView) -> str | None:
    """A folder of the candidate that has every file of `before`, with the same contents; the same
    one if it has."""
    files = [node for node in original.tree.walk(before) if node.inode is not None]
    pages = {
        posixpath.dirname(node.path) for node in candidate.tree.files() if node.name == "index.html"
    }
    for folder in sorted(pages, key=lambda folder: (folder != before, folder)):
        if all(_is_there(original, node, before, candidate, folder) for node in files):
            return folder
    return None


def _is_there(
    original: ImageView, node: Node, before: str, candidate: ImageView, folder: str
) -> bool:
    found = candidate.file(folder + node.path.removeprefix(before))
    return found is not None and compare_contents(original, node, candidate, found) != "different"
