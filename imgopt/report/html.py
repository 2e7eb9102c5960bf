"""The page: one file that explains itself offline, without JavaScript, and lets no text in it
become anything else.

The Content-Security-Policy names the one style and the one script by their hashes; all charts are
SVG made here; all coordinates are percentages, so that text keeps its size on a telephone. The same
views give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from imgopt import __version__
from imgopt.report import answers_chart, sidebyside
from imgopt.report.common import safe_html, safe_terminal, seconds_text
from imgopt.report.treemap import Box, nested, outlines
from imgopt.report.view import Bars, Dots, Fall, Map, View
from imgopt.results.path_tree import Node
from imgopt.results.size_text import delta_text, size_text

_TINY = (5, 4)
"""Percent of the map below which a tile has no room for a name."""
_CHARS = 1.6
"""Characters per percent of the map's width, on a page as wide as it gets."""
_NAME = 40
_UNIT = re.compile(
    r"(?<=\d) (?=(?:h|min|s|ms|B|kB|MB|GB|TB|%)(?!\w))|(?<=\d min) (?=\d)|(?<=\d h) (?=\d)|(?<=≈) "
)


def page(views: Sequence[View], title: str | None = None) -> str:
    """HTML of one or several results; several begin with an index."""
    style, script = _asset("style.css"), _asset("script.js")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            views=views,
            title=title or (views[0].title if len(views) == 1 else f"imgopt: {len(views)} results"),
            version=__version__,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
        )
    )


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@lru_cache
def _asset(name: str) -> str:
    return (files("imgopt.report") / "templates" / name).read_text(encoding="utf-8")


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("imgopt.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shown=safe_html,
        lines=_lines,
        figures=_figures,
        kind=lambda block: type(block).__name__,
        share=_share,
        scale=_scale,
        figure=_figure,
        seconds=seconds_text,
        listed=lambda values, unit: (
            ", ".join(_figure(value, unit) for value in values) or "no values"
        ),
        falling=_falling,
        tiles=_tiles,
        folders=_folders,
        seconds_drawn=answers_chart.drawn,
        marks_drawn=answers_chart.marks,
        told=answers_chart.told,
        side_by_side=sidebyside.rows,
        base64=lambda text: base64.b64encode(text.encode("utf-8", "surrogateescape")).decode(),
    )
    return environment


def _figures(text: str) -> Markup:
    """A headline whose figures keep their units on the same line."""
    return Markup(_UNIT.sub("\u00a0", safe_html(text)))


def _lines(text: str) -> Markup:
    return Markup("\n").join(safe_html(line) for line in text.splitlines())


def _share(value: float, top: float) -> str:
    """A length as a percentage of the scale; short numbers keep the file small."""
    return f"{(100 * value / top if top else 0):.4g}%"


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return size_text(round(value)) if unit == "bytes" else seconds_text(value)


def _scale(block: Bars | Dots) -> float:
    """The largest value shown, the end of the common scale."""
    if isinstance(block, Bars):
        values = [value or 0 for row in block.rows for value in row[1:]]
    else:
        values = [value for row in block.rows for value in (*row[1], row[4] or 0)]
    return max(values, default=0) * (1.0 if isinstance(block, Bars) else 1.04)


def _falling(block: Fall) -> list[dict[str, Any]]:
    """The rows of a waterfall: where each bar begins and how long it is, on a scale that holds
    every level."""
    levels, level = [block.start], block.start
    for _, change, _ in block.causes:
        level += change
        levels.append(level)
    top, bottom = max(*levels, block.end, 0), min(*levels, 0)
    rows = [_fall_row("before", 0, block.start, bottom, top, edge=True)]
    level = block.start
    for name, change, detail in block.causes:
        rows.append(_fall_row(name, level, level + change, bottom, top, detail=detail))
        level += change
    return [*rows, _fall_row("after", 0, block.end, bottom, top, edge=True)]


def _fall_row(
    name: str, start: int, end: int, bottom: int, top: int, *, detail: str = "", edge: bool = False
) -> dict[str, Any]:
    return {
        "name": name,
        "detail": detail,
        "edge": edge,
        "kind": "edge" if edge else "less" if end < start else "more",
        "left": _share(min(start, end) - bottom, top - bottom),
        "width": _share(abs(end - start), top - bottom),
        "bytes": end - start,
        "text": size_text(end) if edge else delta_text(start, end),
    }


def _tiles(block: Map) -> list[dict[str, Any]]:
    compared = block.after_name is not None
    result = []
    for node, box in nested(block.leaves):
        change = _change(node.before, node.after) if compared else "same"
        figures = (
            f"{size_text(node.before)} → {size_text(node.after)}"
            if compared
            else size_text(node.before)
        )
        tiny = " tiny" if box.width < _TINY[0] or box.height < _TINY[1] else ""
        result.append(
            _placed(box)
            | {
                "classes": change + tiny,
                "path": node.path,
                "rest": node.rest,
                "name": _short(node, int(box.width * _CHARS)),
                "size": size_text(node.weight) if box.width > 8 and box.height > 8 else "",
                "title": f"{leaf_name(node.path, node.rest)}: {figures}",
            }
        )
    return result


def _folders(block: Map) -> list[dict[str, Any]]:
    """Outlines of the folders at the root: the eye finds /usr before it reads a name."""
    return [_placed(box) | {"path": path} for path, box in outlines(nested(block.leaves))]


def _placed(box: Box) -> dict[str, Any]:
    return {
        "x": f"{box.x:.5g}",
        "y": f"{box.y:.5g}",
        "width": f"{box.width:.4g}",
        "height": f"{box.height:.4g}",
    }


def leaf_name(path: str, rest: int) -> str:
    """What a reader calls a node of the tree."""
    return f"[{rest:,} more in {path}]" if rest else path


def _short(node: Node, room: int) -> str:
    """As much of the end of its path as a tile has room for; the script does the same when it
    zooms."""
    more = f" +{node.rest:,}" if node.rest else ""
    parts = safe_terminal(node.path).strip("/").split("/")
    shown = parts.pop()
    while parts and len(parts[-1]) + len(shown) + len(more) + 1 <= room:
        shown = f"{parts.pop()}/{shown}"
    most = max(min(room, _NAME) - len(more), 1)
    shown = shown if len(shown) <= most else f"{shown[: most - 1]}…"
    return f"{shown}{more}" or "/"


def _change(before: int, after: int) -> str:
    if before == after:
        return "same"
    if not after:
        return "gone"
    if not before:
        return "new"
    return "less" if after < before else "more"
