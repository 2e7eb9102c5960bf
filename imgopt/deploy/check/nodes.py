"""What a file says, as a tree in which every value knows its file and line.

Asking is forgiving: what is not there, or is of another kind, is a node without a value that stands
where one would look for it. So a rule reads as what it asks, and no file can make it fail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
_VARIABLE = re.compile(r"\{\{|\$\{|\$\(|\$[A-Za-z_]|\{%|<%|<[A-Za-z][\w -]*>|@@|%[A-Z_]+%")


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place. `filled`: a variable was filled in, so that it may be another one
    elsewhere."""

    value: Scalar | dict[str, Node] | list[Node] = None
    file: str = ""
    line: int = 1
    filled: bool = False

    def __getitem__(self, key: str) -> Node:
        return self.table.get(key) or Node(None, self.file, self.line)

    def find(self, *keys: str) -> Node:
        node = self
        for key in keys:
            node = node[key]
        return node

    @property
    def there(self) -> bool:
        return self.value is not None

    @property
    def table(self) -> dict[str, Node]:
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        return self.value if isinstance(self.value, list) else []

    @property
    def varies(self) -> bool:
        """Whether what stands here is decided elsewhere: by a variable or a template."""
        return self.filled or (
            isinstance(self.value, str) and _VARIABLE.search(self.value) is not None
        )

    @property
    def text(self) -> str:
        """A scalar as text; "" for everything else."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return "" if self.value is None or isinstance(self.value, (dict, list)) else str(self.value)

    @property
    def number(self) -> float | None:
        if isinstance(self.value, bool):
            return None
        try:
            return float(self.text)
        except ValueError:
            return None

    @property
    def whole(self) -> int | None:
        number = self.number
        return int(number) if number is not None and abs(number) < 1e15 else None

    @property
    def flag(self) -> bool | None:
        """A truth as Kubernetes and Compose read it; None where none is said."""
        known = {"true": True, "false": False}
        return known.get(self.text.lower())

    @property
    def words(self) -> tuple[str, ...] | None:
        """A list of texts; None where there is none."""
        if not isinstance(self.value, list):
            return None
        return tuple(item.text for item in self.value)

    def texts(self) -> dict[str, str]:
        """A table of texts, as labels are."""
        return {key: item.text for key, item in self.table.items()}

    def at(self, line: int) -> Node:
        return replace(self, line=line)
