"""Files that a system package brings, with those of packages that only it brought along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from imgopt.image.packages import Package
from imgopt.inspect.image_view import ImageView

_NOT_RUN = re.compile(
    r"^/usr/share/(?:doc|man|info|locale|lintian|bug|doc-base|menu)/|^/var/lib/dpkg/|\.(?:gz|a|la|pc|h)$"
)


def files_lacking(
    original: ImageView, package: Package, has: Callable[[str], bool]
) -> Iterator[str]:
    """Files of the package, and of those that only it brought along, that a program could read and
    that are gone."""
    for each in (package, *_brought_along(original, package)):
        yield from (path for path in each.files if not _NOT_RUN.search(path) and not has(path))


def _brought_along(view: ImageView, package: Package) -> list[Package]:
    """Packages above the base that it depends on, directly or not."""
    by_name = {each.name: each for each in view.packages if each.ecosystem == package.ecosystem}
    for each in list(by_name.values()):
        for name in each.provides:
            by_name.setdefault(name, each)
    found: dict[str, Package] = {}
    queue = [package]
    while queue:
        for choices in queue.pop().depends:
            other = next((by_name[name] for name in choices if name in by_name), None)
            if (
                other
                and other.name not in found
                and other is not package
                and other.layer >= view.base_layers
            ):
                found[other.name] = other
                queue.append(other)
    return list(found.values())
