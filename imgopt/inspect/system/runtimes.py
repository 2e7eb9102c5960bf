"""The language run times of an image and their versions, read from the interpreters' own files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView

_MOST = 256 << 20


@dataclass(frozen=True, slots=True)
class Runtime:
    """How to find a run time and its version; `parts` of the version are its interface, the rest
    are patches."""

    name: str
    program: re.Pattern[str]
    version: Callable[[ImageView, Node], str | None]
    parts: int


def used_runtimes(view: ImageView, opened: frozenset[str] | None) -> Iterator[tuple[Runtime, str]]:
    for runtime in RUNTIMES:
        node = _executed(view, runtime, opened)
        version = runtime.version(view, node) if node is not None else None
        if version:
            yield runtime, version


def _executed(view: ImageView, runtime: Runtime, opened: frozenset[str] | None) -> Node | None:
    if opened is not None:
        paths = sorted(path for path in opened if runtime.program.search(path))
    else:
        words = [*(view.config.entrypoint or ()), *(view.config.cmd or ())]
        named = (view.command(word) for text in words for word in text.split())
        interpreters = [
            view.command(w)
            for node in named
            if node
            for w in " ".join(view.shebang(node)).split()[-1:]
        ]
        started = (view.command(word) for text in words for word in text.split())
        paths = [
            n.path
            for n in (*started, *interpreters)
            if n is not None and runtime.program.search(n.path)
        ]
    return next((node for path in paths if (node := view.file(path)) is not None), None)


def version_of(view: ImageView, runtime: Runtime) -> str | None:
    """Of the program that the name leads to, or of any that is there."""
    nodes = (
        node
        for node in view.tree.files()
        if node.mode & 0o111 and runtime.program.search(node.path)
    )
    found = sorted(
        {version for node in nodes if (version := runtime.version(view, node))}, reverse=True
    )
    return found[0] if found else None


def _search(view: ImageView, path: str, pattern: bytes) -> str | None:
    data = view.read(path, _MOST) or b""
    match = re.search(pattern, data)
    return match[1].decode("ascii", "replace") if match else None


def _python(view: ImageView, node: Node) -> str | None:
    """PY_VERSION stands in the interpreter or in its library, which Py_GetVersion() puts before a
    build date."""
    elf = view.elf(node)
    if elf is None:
        return None
    minor = re.search(r"(\d+\.\d+)$", node.path)
    number = re.escape(minor[1]).encode() if minor else rb"[23]\.\d+"
    places = [node.path]
    for name in elf.needed:
        if name.startswith("libpython"):
            found = view.loader.find(
                name, elf.machine, node.path.rpartition("/")[0], elf.runpath, elf.rpath
            )
            places += [found] if found else []
    versions = (
        _search(view, place, rb"\0(" + number + rb"\.\d+(?:(?:a|b|rc)\d+)?\+?)\0")
        for place in reversed(places)
    )
    return next((version for version in versions if version), minor[1] if minor else None)


def _node(view: ImageView, node: Node) -> str | None:
    return _search(view, node.path, rb"node\.js/v(\d+\.\d+\.\d+)")


def _java(view: ImageView, node: Node) -> str | None:
    """`release` in the folder above bin, which every JDK and JRE since 8 has."""
    home = node.path.rsplit("/", 2)[0]
    return _search(view, f"{home}/release", rb'JAVA_VERSION="(?:1\.)?([^"]+)"') or _java_by_folder(
        home
    )


def _java_by_folder(home: str) -> str | None:
    match = re.search(r"java-(\d+)-", home)
    return match[1] if match else None


def _ruby(view: ImageView, node: Node) -> str | None:
    folders = (
        folder
        for prefix in ("/usr/local", "/usr")
        for folder in view.tree.walk(f"{prefix}/lib/ruby")
    )
    names = (
        re.fullmatch(r"\d+\.\d+\.\d+", folder.name) for folder in folders if folder.kind == "dir"
    )
    return next((match[0] for match in names if match), None) if node.kind == "file" else None


def _php(view: ImageView, node: Node) -> str | None:
    return _search(view, node.path, rb"X-Powered-By: PHP/(\d+\.\d+\.\d+)") or _search(
        view, node.path, rb"\0(\d\.\d+\.\d+)(?:-[\w.+~]+)?\0"
    )


RUNTIMES = (
    Runtime("python", re.compile(r"/bin/python\d\.\d+$"), _python, 2),
    Runtime("node", re.compile(r"/bin/(?:node|nodejs)$"), _node, 1),
    Runtime("java", re.compile(r"/bin/java$"), _java, 1),
    Runtime("ruby", re.compile(r"/bin/ruby[\d.]*$"), _ruby, 2),
    Runtime("php", re.compile(r"/(?:bin/php[\d.]*|sbin/php-fpm[\d.]*)$"), _php, 2),
)
