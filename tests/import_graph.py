"""Who imports whom in imgopt, read from the sources; `python tests/import_graph.py` draws
docs/layers.svg from it.

A module's imports are all of its import statements, those inside of functions and for types alone
included: they tell what one has to know to understand it. `imgopt.strategies` is the folder
`strategies/` at the root.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
LAYERS = (
    ("collector", "errors"),
    ("endpoint", "results"),
    ("config", "context", "dockerfile", "engine", "image", "requests"),
    ("compose",),
    ("inspect",),
    ("run",),
    ("analysis", "cache", "proof"),
    ("bench",),
    ("rewrite",),
    ("strategies",),
    ("lives",),
    ("deploy", "fleet", "loop"),
    ("ci", "report"),
    ("cli",),
)
"""Packages and single modules from the lowest layer up: each imports only from its own layer and
those below."""

Graph = Mapping[str, frozenset[str]]


def sources() -> dict[str, Path]:
    """Name of a module (`imgopt.image.tree`; a package stands for its `__init__`) -> its file."""
    linked = ROOT / "imgopt" / "strategies"
    found = {}
    for folder, inside in ((ROOT / "imgopt", "imgopt"), (ROOT / "strategies", "imgopt.strategies")):
        for path in folder.rglob("*.py"):
            if folder.name == "strategies" or not path.is_relative_to(linked):
                parts = path.relative_to(folder).with_suffix("").parts
                found[".".join((inside, *(part for part in parts if part != "__init__")))] = path
    return dict(sorted(found.items()))


def module_graph() -> dict[str, frozenset[str]]:
    """Module -> the modules of imgopt that it imports."""
    modules = sources()
    return {name: frozenset(_imported(path, modules)) - {name} for name, path in modules.items()}


def _imported(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                name = whole if whole in modules else node.module
                yield from (name,) if name in modules else ()


def package(module: str) -> str:
    """`image` of `imgopt.image.tree`."""
    return [*module.split("."), ""][1]


def package_graph(modules: Graph) -> dict[str, frozenset[str]]:
    """Package -> the packages that its modules import."""
    found: dict[str, set[str]] = {}
    for name, imported in modules.items():
        found.setdefault(package(name), set()).update(package(other) for other in imported)
    return {name: frozenset(others - {name, ""}) for name, others in sorted(found.items()) if name}


def circles(graph: Graph) -> list[tuple[str, ...]]:
    """Groups in which everybody comes back to himself (strongly connected components of two or
    more), sorted."""
    reach = {name: _reached(graph, name) for name in graph}
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach[other])) for name in graph
    }
    return sorted(group for group in groups if len(group) > 1)


def _reached(graph: Graph, start: str) -> frozenset[str]:
    found: set[str] = set()
    queue = [start]
    while queue:
        for other in graph.get(queue.pop(), frozenset()) - found:
            found.add(other)
            queue.append(other)
    return frozenset(found)


def reduced(graph: Graph) -> dict[str, frozenset[str]]:
    """Only the imports that no other one implies; those inside of a circle all stay."""
    reach = {name: _reached(graph, name) for name in graph}

    def implied(name: str, other: str) -> bool:
        if name in reach[other]:
            return False
        ways = (
            way
            for way in graph[name] - {other}
            if name not in reach[way] and way not in reach[other]
        )
        return any(other in reach[way] for way in ways)

    return {
        name: frozenset(other for other in graph[name] if not implied(name, other))
        for name in graph
    }


def picture(graph: Graph) -> str:
    """The layers as SVG, the highest at the top, with an arrow for each import of `reduced`."""
    places = dict(_places())
    arrows = [
        _arrow(places[name], places[other])
        for name, others in reduced(graph).items()
        if name in places
        for other in sorted(others)
    ]
    boxes = [_box(name, *place) for name, place in places.items()]
    height = len(LAYERS) * _ROW
    return "\n".join((_HEAD.format(width=_WIDTH, height=height), *arrows, *boxes, "</svg>", ""))


_ROW, _WIDTH, _BOX = 76, 780, (116, 34)
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="14">\n'
    "<title>Layers of imgopt: each package imports only what lies below it</title>\n"
    '<marker id="tip" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L6 3L0 6z" fill="#678"/></marker>\n'
    '<rect width="{width}" height="{height}" fill="#fff"/>'
)


def _places() -> Iterator[tuple[str, tuple[int, int]]]:
    """Package -> the middle of its box, in pixels."""
    for row, names in enumerate(reversed(LAYERS)):
        step = _WIDTH // len(names)
        yield from (
            (name, (step * at + step // 2, row * _ROW + _ROW // 2)) for at, name in enumerate(names)
        )


def _box(name: str, x: int, y: int) -> str:
    width, height = _BOX
    box = (
        f'<rect x="{x - width // 2}" y="{y - height // 2}" width="{width}" height="{height}" rx="6"'
    )
    return f'{box} fill="#eef4fa" stroke="#456"/><text x="{x}" y="{y + 5}" text-anchor="middle">{name}</text>'


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    """From box to box: down from layer to layer, sideways inside of one."""
    (x, y), (to_x, to_y), half = start, end, _BOX[1] // 2
    if y == to_y:
        path = f"M{x} {y - half}C{x} {y - half - 18} {to_x} {y - half - 18} {to_x} {y - half}"
    else:
        path = f"M{x} {y + half}L{to_x} {to_y - half}"
    return f'<path d="{path}" fill="none" stroke="#678" marker-end="url(#tip)"/>'


if __name__ == "__main__":
    (ROOT / "docs" / "layers.svg").write_text(picture(package_graph(module_graph())))
