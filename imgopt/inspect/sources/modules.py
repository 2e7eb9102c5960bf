"""Modules that are imported by name: Python's standard library and packages, and Node.js'
packages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from imgopt.image.tree import Node
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView

_PYTHON = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<from>\w+)|import[ \t]+(?P<names>[\w.]+[^\n#;]*))", re.MULTILINE
)
_BY_NAME = re.compile(r"\b(?:import_module|__import__)\(\s*[\"'](?P<name>\w+)")
_NODE = re.compile(
    r"""(?:\brequire\(|\bimport\(|\bfrom|\bimport)\s*["'](?P<name>[^"'\n]{1,200})["']"""
)
_JAVASCRIPT = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".tsx", ".mts", ".cts")
TYPED, MARKUP = (".ts", ".mts", ".cts"), (".jsx", ".tsx")
"""Sources that some runners start as they are, and those that are compiled before."""
SCRIPTS = "node"
"""The kind of modules that scripts load."""
_HOMES = ("/usr/lib", "/usr/local/lib", "/opt/python/lib")


def lost_modules(
    original: ImageView, candidate: ImageView, opened: frozenset[str] | None = None
) -> Mapping[str, Mapping[str, str]]:
    """Of "python" and "node": names that the original can import and the candidate cannot, with
    their place. Of several interpreters only that counts which the run used (`opened`): another
    one's library is no help to it."""
    ours = library_folders(original)
    used = [one for one in ours if any(path.startswith(f"{one}/") for path in opened or ())] or ours
    theirs = [one for one in used if candidate.exists(one)] or library_folders(candidate)
    can = _python_modules(candidate, theirs), _node_packages(candidate)
    could = _python_modules(original, used), _node_packages(original)
    return {
        kind: {name: path for name, path in before.items() if name not in after}
        for kind, before, after in zip(("python", "node"), could, can, strict=True)
    }


def library_modules(view: ImageView, without: Iterable[str] = ()) -> Mapping[str, str]:
    """Names of Python's modules and packages, with their place, but for those in these folders."""
    return _python_modules(view, library_folders(view), frozenset(without))


def modules_in(view: ImageView, folder: str) -> list[str]:
    """Names of the Python modules in a folder."""
    return [name for node in _children(view, folder) if (name := _module_name(node))]


def imported(
    original: ImageView,
    texts: Iterable[tuple[str, str]],
    lost: Mapping[str, Mapping[str, str]],
    opened: frozenset[str] | None,
) -> Iterator[Item]:
    """An item for each import of a lost module; of JavaScript only in files that a run can come
    to."""
    texts = list(texts)
    if lost["python"]:
        for path, text in texts:
            if path.endswith(".py"):
                names = (name for name in _python_names(text) if not _is_own(original, path, name))
                yield from _items(path, names, lost["python"])
    if lost["node"]:
        for path, text in reached(original, texts, opened):
            yield from _items(path, map(_package_of, _node_names(text)), lost["node"])


def reached(
    original: ImageView, texts: Iterable[tuple[str, str]], opened: frozenset[str] | None
) -> Iterator[tuple[str, str]]:
    """The texts in JavaScript that a run can come to."""
    scripts = {path: text for path, text in texts if path.endswith(_JAVASCRIPT)}
    return ((path, scripts[path]) for path in _reached(original, scripts, opened))


def _is_own(view: ImageView, source: str, name: str) -> bool:
    """A module of the application, which comes before the standard library's."""
    folders = (
        view.workdir,
        posixpath.dirname(source),
        posixpath.dirname(posixpath.dirname(source)),
    )
    return any(
        view.exists(posixpath.join(folder, name + end)) for folder in folders for end in ("", ".py")
    )


def _items(source: str, names: Iterable[str], lost: Mapping[str, str]) -> Iterator[Item]:
    for name in dict.fromkeys(names):
        if name in lost:
            message = f"module {name} ({lost[name]}) is left out, and {source} imports it"
            yield Item("missing-module", name, lost[name], source, message)


def _python_names(text: str) -> Iterator[str]:
    for match in _PYTHON.finditer(text):
        if match["from"]:
            yield match["from"]
            continue
        for part in match["names"].split(","):
            yield re.split(r"[.\s(]", part.strip(), maxsplit=1)[0]
    yield from (match["name"] for match in _BY_NAME.finditer(text))


def _node_names(text: str) -> Iterator[str]:
    return (match["name"] for match in _NODE.finditer(text))


def _package_of(name: str) -> str:
    parts = name.removeprefix("node:").split("/")
    return "/".join(parts[:2]) if name.startswith("@") else parts[0]


def library_folders(view: ImageView) -> list[str]:
    """Folders of Python's own library."""
    nodes = (node for home in _HOMES for node in _children(view, home))
    return [node.path for node in nodes if re.fullmatch(r"python3(?:\.\d+)?", node.name)]


def _python_modules(
    view: ImageView, libraries: Iterable[str], without: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Names of Python modules and where they are: the standard library, extension modules,
    site-packages."""
    folders: dict[str, None] = {}
    for library in libraries:
        places = ("", "lib-dynload", "site-packages", "dist-packages")
        folders.update(
            dict.fromkeys(posixpath.join(library, place).rstrip("/") for place in places)
        )
    metadata = (package.metadata for package in view.packages if package.ecosystem == "python")
    folders.update(dict.fromkeys(posixpath.dirname(posixpath.dirname(path)) for path in metadata))
    modules: dict[str, str] = {}
    for folder in folders:
        for node in _children(view, folder) if folder not in without else ():
            name = _module_name(node)
            if name:
                modules.setdefault(name, node.path)
    return modules


def _module_name(node: Node) -> str:
    """`a` for a.py, a.cpython-311-x86_64-linux-gnu.so and a folder a with Python files; "" for
    anything else."""
    name, dot, suffix = node.name.partition(".")
    if not name.isidentifier() or name in ("__pycache__", "site-packages", "dist-packages"):
        return ""
    if node.kind == "dir":
        return (
            name
            if not dot and any(child.endswith((".py", ".so")) for child in node.children or ())
            else ""
        )
    return name if suffix == "py" or suffix.endswith("so") else ""


def _node_packages(view: ImageView) -> dict[str, str]:
    """Folders of packages below node_modules of the working directory and of those above it."""
    found: dict[str, str] = {}
    folder = view.workdir
    while True:
        for node in _children(view, posixpath.join(folder, "node_modules")):
            if node.name.startswith("@"):
                found.update(
                    {
                        f"{node.name}/{child.name}": child.path
                        for child in _children(view, node.path)
                    }
                )
            elif not node.name.startswith("."):
                found.setdefault(node.name, node.path)
        if folder == "/":
            return found
        folder = posixpath.dirname(folder)


def _children(view: ImageView, folder: str) -> Iterable[Node]:
    node = view.tree.resolve(folder)
    return (node.children or {}).values() if node is not None else ()


def _reached(
    view: ImageView, scripts: Mapping[str, str], opened: frozenset[str] | None
) -> Iterator[str]:
    """Scripts that were opened, or that the start names, and those that they import by a relative
    name."""
    words = " ".join((*(view.config.entrypoint or ()), *(view.config.cmd or ()))).split()
    named = {posixpath.normpath(posixpath.join(view.workdir, word)) for word in words}
    queue = [path for path in scripts if opened is None or path in opened or path in named]
    seen: set[str] = set()
    while queue:
        path = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        yield path
        for name in _node_names(scripts[path]):
            if name.startswith("."):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
                stem = posixpath.splitext(target)[0]
                ways = (
                    target,
                    *(target + end for end in _JAVASCRIPT),
                    *(stem + end for end in _JAVASCRIPT),
                )
                queue += [
                    way
                    for way in (*ways, *(f"{target}/index{end}" for end in _JAVASCRIPT))
                    if way in scripts
                ]
