"""The settings of a web server that answers as a server of files was seen to answer: every kind of
path was asked.

Nothing that can be asked is taken from what a server is said to do. Endings get the media type that
the original gave, those that no file has today the one that it is known to give; and each of the
questions (is there an index for what is not there? what of a page without its ending?) was put to
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from imgopt.inspect.sites.file_servers import INDEX
from imgopt.inspect.sites.site_paths import NO_FILE
from imgopt.rewrite.evidence import Page
from imgopt.run.probes import UNKNOWN_PATH

COMPRESSED = ("text/", "javascript", "json", "xml", "svg")
HIDDEN = {
    "hidden file": r"/\.(?!well-known/).*[^/]\.[^./]+$",
    "hidden name": r"/\.(?!well-known/)[^.]*$",
}
"""What begins with a dot, with an ending of its own and without."""
FOLDERS = ("folder name", "empty folder name")


class Refused(Exception):
    """The fact why a web server's settings cannot answer the same."""


@dataclass(frozen=True)
class Manners:
    """How files are served: what is tried, in order, for a name with an ending and for one without;
    redirections."""

    types: Mapping[str, tuple[str, ...]]
    """Media type, as it was sent -> endings."""
    default_type: str
    files: tuple[str, ...]
    names: tuple[str, ...]
    caching: str = ""
    clean: bool = False
    """`/about.html` leads to `/about`."""
    slash: int = 0
    """Status of the redirection from a folder's name to its name with a slash; 0: there is none."""
    not_found: str = ""
    front: str = ""
    """The media type of the index where it is not asked for by its name, if that is another one."""
    hides: tuple[str, ...] = ()
    """Which kinds of names that begin with a dot are answered as if they were not there."""


def manners(
    kinds: Mapping[str, str],
    pages: Mapping[str, Page],
    has_404: bool,
    later: Mapping[str, Iterable[str]] | None = None,
) -> Manners:
    """From the answers to `kinds` (kind -> path); `later`: media types -> endings that the server
    is known to give them to, for files that the site gets later. Raises Refused."""
    seen = {kind: pages[path] for kind, path in kinds.items() if path in pages}
    root, unknown = pages.get("/"), pages.get(UNKNOWN_PATH)
    if root is None or unknown is None or root.status != 200:
        raise Refused("its front page was not answered with status 200")
    missing = next((path for kind, path in kinds.items() if kind not in seen), None)
    if missing:
        raise Refused(f"it gave no answer for {missing}")
    single = _is_single(unknown, root, "what is not there")
    single_files = _is_single(seen["missing file"], root, f"{NO_FILE}")
    clean = _is_clean(kinds, seen)
    front = _front(seen, root, unknown if single else None, clean)
    last = "@front" if front else f"/{INDEX}"
    return Manners(
        types=_with_later(_types(kinds, seen, root, clean), later or {}),
        default_type=(
            seen["bare"].type if "bare" in seen and seen["bare"].digest != root.digest else ""
        ),
        files=("$uri", last if single_files else "=404"),
        names=(*_names(kinds, seen, root, single), last if single else "=404"),
        front=front,
        caching=_caching(seen.values()),
        clean=clean,
        slash=_slash(kinds, seen),
        not_found="/404.html" if has_404 and not single else "",
        hides=tuple(kind for kind in HIDDEN if kind in seen and _is_hidden(seen[kind], root)),
    )


def _is_single(answer: Page, root: Page, what: str) -> bool:
    if answer.status == 404:
        return False
    if answer.status == 200 and answer.digest == root.digest:
        return True
    raise Refused(f"it answers {what} with status {answer.status} and a page of its own")


def _front(seen: Mapping[str, Page], root: Page, unknown: Page | None, clean: bool) -> str:
    """The front page's media type where `/index.html` has another one (vite preview sends a charset
    there only)."""
    index = seen["index"]
    if clean or not root.type or index.type == root.type:
        return ""
    inner = next(
        (kind for kind in ("folder", "page") if kind in seen and seen[kind].digest != root.digest),
        None,
    )
    if inner is not None or (unknown is not None and unknown.type != root.type):
        raise Refused("it gives the same page several media types")
    return root.type


def _is_hidden(answer: Page, root: Page) -> bool:
    return answer.status != 200 or answer.digest == root.digest


def _is_clean(kinds: Mapping[str, str], seen: Mapping[str, Page]) -> bool:
    """Every page's own name leads to the name without its ending, or none does."""
    found = {kind: seen[kind] for kind in ("index", "page file", "folder index") if kind in seen}
    clean = {
        page.status == 301 and page.location == kinds[kind].removesuffix(".html")
        for kind, page in found.items()
    }
    if clean == {True} and seen["index name"].status == 301 and seen["index name"].location == "/":
        return True
    other = next((kind for kind, page in found.items() if page.status != 200), None)
    if other is not None:
        raise Refused(f"it answers {kinds[other]} with status {found[other].status}")
    return False


def _types(
    kinds: Mapping[str, str], seen: Mapping[str, Page], root: Page, clean: bool
) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    html = root.type if clean or not root.type else seen["index"].type
    if html:
        found[html] = ["html"]
    for kind in sorted(kind for kind in seen if kind.startswith(".")):
        if seen[kind].status != 200:
            raise Refused(
                f"it answers {kinds[kind]}, which is there, with status {seen[kind].status}"
            )
        if seen[kind].type:
            found.setdefault(seen[kind].type, []).append(kind[1:])
    page = seen.get("page file")
    if page is not None and not clean and page.type != html:
        raise Refused(f"it gives {kinds['page file']} another media type than its front page")
    return {media: tuple(endings) for media, endings in sorted(found.items())}


def _with_later(
    seen: Mapping[str, tuple[str, ...]], later: Mapping[str, Iterable[str]]
) -> dict[str, tuple[str, ...]]:
    """With endings that nothing has today, as the server is known to answer them: only where it is
    known to do what it was seen to do."""
    by_ending = {ending: media for media, endings in seen.items() for ending in endings}
    known = {ending: media for media, endings in later.items() for ending in endings}
    if any(known.get(ending, media) != media for ending, media in by_ending.items()):
        return dict(seen)
    found: dict[str, list[str]] = {media: list(endings) for media, endings in seen.items()}
    for ending, media in known.items():
        if ending not in by_ending:
            found.setdefault(media, []).append(ending)
    return {media: tuple(endings) for media, endings in sorted(found.items())}


def _names(
    kinds: Mapping[str, str], seen: Mapping[str, Page], root: Page, single: bool
) -> Iterator[str]:
    """What is tried for a name without an ending, before what stands for all that is not there."""
    bare, page, folder = (seen.get(kind) for kind in ("bare", "page", "folder"))
    if bare is None or bare.digest != root.digest:
        yield "$uri"
    if (folder is None and not single) or (folder is not None and folder.digest != root.digest):
        yield f"$uri/{INDEX}"
    if page is not None and page.status == 200 and page.digest != root.digest:
        yield "$uri.html"
    behind = seen.get("page folder")
    if (
        page is not None
        and behind is not None
        and page.digest == behind.digest != root.digest
        and behind.status == 200
    ):
        raise Refused(f"it answers {kinds['page folder']} with the page of that name")
    for kind in ("empty folder", "empty folder name"):
        answer = seen.get(kind)
        if answer is not None and answer.status == 200 and answer.digest != root.digest:
            raise Refused(f"it answers {kinds[kind]} with a list of the folder's files")


def _slash(kinds: Mapping[str, str], seen: Mapping[str, Page]) -> int:
    found = {
        seen[kind].status if seen[kind].location == kinds[kind] + "/" else 0
        for kind in FOLDERS
        if kind in seen
    }
    odd = next((kind for kind in FOLDERS if kind in seen and 300 <= seen[kind].status < 400), None)
    if len(found) > 1 or (found == {0} and odd is not None) or not found <= {0, 301, 302}:
        raise Refused(f"it leads {kinds[odd or FOLDERS[0]]} elsewhere")
    return next(iter(found), 0)


def _caching(pages: Iterable[Page]) -> str:
    said = {page.caching for page in pages if page.status == 200}
    if len(said) > 1:
        raise Refused("it gives some files another Cache-Control than others")
    return next(iter(said), "")


MAIN = """\
worker_processes auto;
pid {scratch}/nginx.pid;
error_log stderr warn;
events {{
    worker_connections 1024;
}}
http {{
    access_log /dev/stdout;
    sendfile on;
    client_body_temp_path {scratch}/client_body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
{inside}}}
"""
"""nginx.conf around its server blocks."""
SCRATCH = "/dev/shm"
"""What nginx writes lies where every user may write, also in a container whose root is
read-only."""


def whole(inside: str) -> str:
    """nginx.conf with a server block, or an include of one, in it."""
    indented = "".join(f"    {line}\n" if line else "\n" for line in inside.splitlines())
    return MAIN.format(scratch=SCRATCH, inside=indented)


def server_block(manner: Manners, folder: str, listen: str) -> str:
    """The server block. `listen` is a port, or a variable that the image's entry script fills
    in."""
    lines = [
        "server {",
        f"    listen {listen};",
        f"    listen [::]:{listen};",
        f"    root {_word(folder)};",
    ]
    lines += ["    absolute_redirect off;", "", *_media(manner)]
    if manner.caching:
        lines.append(f"    add_header Cache-Control {_word(manner.caching)} always;")
    if manner.not_found:
        lines.append(f"    error_page 404 {manner.not_found};")
    if manner.clean:
        lines += [
            '    if ($request_uri ~ "^/index(?:\\?|$)") { return 301 /; }',
            (
                '    if ($request_uri ~ "^(/[^/?][^?]*?)(?:\\.html|/index)(?:\\?|$)") { return 301'
                " $1; }"
            ),
        ]
    if manner.slash:
        word = "permanent" if manner.slash == 301 else "redirect"
        lines.append(f'    if (-d $request_filename) {{ rewrite "^(.*[^/])$" $1/ {word}; }}')
    names = manner.names if len(manner.names) > 1 else (*manner.names, "=404")
    lines += ["", "    location / {", f"        try_files {' '.join(names)};", "    }"]
    if manner.front:
        page = ["types { }", f"default_type {_word(manner.front)};", f"try_files /{INDEX} =404;"]
        inside = [f"        {line}" for line in page]
        lines += ["    location = / {", *inside, "    }", "    location @front {", *inside, "    }"]
    for kind in manner.hides:
        last = (manner.files if kind == "hidden file" else manner.names)[-1]
        there = (
            f"try_files {last} =404;" if last.startswith("/") else f"try_files {NO_FILE} {last};"
        )
        said = "return 404;" if last == "=404" else there
        lines += [f"    location ~ {HIDDEN[kind]} {{", f"        {said}", "    }"]
    lines += [
        "    location ~ [^/]\\.[^./]+$ {",
        f"        try_files {' '.join(manner.files)};",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _media(manner: Manners) -> Iterator[str]:
    yield "    types {"
    for media, endings in manner.types.items():
        yield f"        {_word(media)} {' '.join(endings)};"
    yield "    }"
    yield f"    default_type {_word(manner.default_type)};"
    compressed = [
        media
        for media in manner.types
        if any(sign in media for sign in COMPRESSED) and media != "text/html"
    ]
    if compressed:
        yield "    gzip on;"
        yield "    gzip_vary on;"
        yield "    gzip_min_length 1024;"
        yield f"    gzip_types {' '.join(map(_word, compressed))};"


def _word(text: str) -> str:
    if text and not set(text) & set(" \t;{}\"'$\\#~"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
