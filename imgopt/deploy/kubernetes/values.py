"""Where a figure stands: in the object itself, or in a chart's values with a reference to it.

A reference is a token of private-use characters until the document is written, so no text of an
image can pretend to be one, and whatever a text has of a template's signs is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imgopt.deploy.yaml_tree import Noted, Raw, Tree, value_of

_OPEN, _CLOSE = "\ue000", "\ue001"
_TOKEN = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


@dataclass
class Values:
    """Objects with their figures in place."""

    is_chart: bool = False
    tree: dict[str, Any] = field(default_factory=dict)
    _written: list[str] = field(default_factory=list)

    def put(self, path: str, tree: Tree, indent: int = 0) -> Tree:
        """The figure, or the reference to `path` ("resources.limits.memory") of the values;
        `indent` is where a mapping or a list begins."""
        if not self.is_chart:
            return tree
        *above, last = path.split(".")
        place = self.tree
        for name in above:
            place = value_of(place.setdefault(name, {}))
        place[last] = tree
        value = value_of(tree)
        if isinstance(value, (Mapping, list, tuple)):
            return self.raw(f"{{{{- toYaml .Values.{path} | nindent {indent} }}}}")
        quote = " | quote" if isinstance(value, str) else ""
        return self.raw(f"{{{{ .Values.{path}{quote} }}}}")

    def named(self, name: str, suffix: str = "") -> Tree:
        """The service's name; of a chart, its release's."""
        text = f"{name}{suffix}"
        return self.raw(f"{{{{ .Release.Name }}}}{suffix}") if self.is_chart else text

    def raw(self, text: str) -> Raw:
        self._written.append(text)
        return Raw(f"{_OPEN}{len(self._written) - 1}{_CLOSE}")

    def finished(self, text: str) -> str:
        """A document with its references."""
        if not self.is_chart:
            return text
        shown = re.sub(r"\{\{|\}\}", lambda match: f"{{{{ `{match[0]}` }}}}", text)
        return _TOKEN.sub(lambda match: self._written[int(match[1])], shown)


def rule(value: Tree, note: str) -> Noted:
    """A value that is right for every image."""
    return Noted(value, f"rule: {note}")
