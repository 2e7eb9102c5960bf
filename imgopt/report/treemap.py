"""A nested treemap: every folder a box in its parent's box, areas as near to squares as they go.

Squarified layout: Bruls, Huizing, van Wijk, "Squarified Treemaps" (2000). Coordinates are percent
of the whole map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from imgopt.results.path_tree import Node

ASPECT = 2.2
"""Width / height that the map is made for; it is stretched to what the reader's window has."""


@dataclass(frozen=True, slots=True)
class Box:
    """Left, top, width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class _Group:
    weight: int = 0
    leaf: Node | None = None
    children: dict[str, _Group] = field(default_factory=dict)


def nested(leaves: Sequence[Node]) -> list[tuple[Node, Box]]:
    """A box in percent for each leaf that weighs something; leaves of one folder lie together."""
    placed: list[tuple[Node, Box]] = []
    waiting = [(_grouped(leaves), Box(0, 0, ASPECT, 1))]
    while waiting:
        group, box = waiting.pop()
        if group.leaf is not None:
            placed.append(
                (
                    group.leaf,
                    Box(
                        box.x / ASPECT * 100,
                        box.y * 100,
                        box.width / ASPECT * 100,
                        box.height * 100,
                    ),
                )
            )
            continue
        children = sorted(group.children.items(), key=lambda item: (-item[1].weight, item[0]))
        shown = [child for _, child in children if child.weight > 0]
        waiting += zip(shown, squarify([child.weight for child in shown], box), strict=True)
    return sorted(placed, key=lambda item: item[0].path)


def outlines(placed: Sequence[tuple[Node, Box]]) -> list[tuple[str, Box]]:
    """The folders at the root that hold several boxes; the boxes of one folder fill a box of their
    own."""
    folders: dict[str, list[Box]] = {}
    for node, box in placed:
        folders.setdefault(f"/{node.path.strip('/').partition('/')[0]}/", []).append(box)
    return [(path, _around(boxes)) for path, boxes in folders.items() if len(boxes) > 1]


def _around(boxes: Sequence[Box]) -> Box:
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = (
        max(box.x + box.width for box in boxes),
        max(box.y + box.height for box in boxes),
    )
    return Box(left, top, right - left, bottom - top)


def _grouped(leaves: Sequence[Node]) -> _Group:
    root = _Group()
    for leaf in leaves:
        group = root
        group.weight += leaf.weight
        for part in (*leaf.path.strip("/").split("/"), "" if leaf.path.endswith("/") else "\0"):
            group = group.children.setdefault(part, _Group())
            group.weight += leaf.weight
        group.leaf = leaf
    return root


def squarify(weights: Sequence[int], box: Box) -> list[Box]:
    """Boxes that fill `box`, areas in proportion to the weights, which are positive and sorted,
    heaviest first."""
    boxes: list[Box] = []
    total = sum(weights)
    x, y, width, height = box.x, box.y, box.width, box.height
    start = 0
    while start < len(weights):
        scale = width * height / total
        side = min(width, height)
        end = _row_end(weights, start, side, scale)
        row = weights[start:end]
        thickness = min(sum(row) * scale / side, max(width, height)) if side else 0.0
        boxes += _row(row, Box(x, y, width, height), thickness)
        if width >= height:
            x, width = x + thickness, max(width - thickness, 0.0)
        else:
            y, height = y + thickness, max(height - thickness, 0.0)
        total -= sum(row)
        start = end
    return boxes


def _row(weights: Sequence[int], box: Box, thickness: float) -> list[Box]:
    """One row along the shorter side of the box."""
    total, offset, boxes = sum(weights), 0.0, []
    for weight in weights:
        length = min(box.width, box.height) * weight / total
        if box.width >= box.height:
            boxes.append(Box(box.x, box.y + offset, thickness, length))
        else:
            boxes.append(Box(box.x + offset, box.y, length, thickness))
        offset += length
    return boxes


def _row_end(weights: Sequence[int], start: int, side: float, scale: float) -> int:
    """Weights join a row for as long as its worst proportion gets no worse."""
    area, best = 0.0, float("inf")
    largest = weights[start] * scale
    for end in range(start, len(weights)):
        smallest = weights[end] * scale
        area += smallest
        if not side or not smallest:
            return len(weights)
        worst = max(side * side * largest / (area * area), area * area / (side * side * smallest))
        if worst > best:
            return end
        best = worst
    return len(weights)
