"""Data that a system package only recommends, and that its programs find by themselves: fonts,
languages, certificates.

The final stage installs without recommended packages, as a good engineer would. What is data must
come all the same: no library names it, no probe may have asked for it, and a page is rendered
without its letters where it is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered

STATUS = "/var/lib/dpkg/status"
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")


def recommended_data(
    view: ImageView, wanted: Iterable[str], installed: Mapping[str, str], data: list[str]
) -> dict[str, str]:
    """Installed packages of data (glob patterns) that the wanted ones, or what those need, depend
    on or recommend -> who wants them."""
    edges = _edges(view)
    by: dict[str, str] = {}
    queue = [(name, name) for name in wanted]
    while queue:
        name, root = queue.pop()
        if name in by or name not in installed:
            continue
        by[name] = root
        queue += [(other, root) for other in edges.get(name, ())]
    found = {
        name: root
        for name, root in sorted(by.items())
        if any(fnmatchcase(name, glob) for glob in data)
    }
    return {name: f"data for {root}" for name, root in found.items() if name != root}


@remembered
def _edges(view: ImageView) -> Mapping[str, frozenset[str]]:
    """Package -> what it depends on or recommends, by Debian's own record; empty for other
    distributions."""
    text = (view.read(STATUS) or b"").decode("utf-8", "replace")
    found: dict[str, frozenset[str]] = {}
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.MULTILINE))
        if "Package" in fields:
            lists = ",".join(
                fields.get(key, "") for key in ("Pre-Depends", "Depends", "Recommends")
            )
            names = (
                _NAME.match(choice.strip())
                for item in lists.split(",")
                for choice in item.split("|")
            )
            found[fields["Package"]] = frozenset(match[0] for match in names if match)
    return found
