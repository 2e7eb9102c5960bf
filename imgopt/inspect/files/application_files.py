"""Which files are the application's: what its author put into the image, not a tool and not a
package.

Application files are those that COPY and ADD brought, wherever they are, and those that RUN made in
places that belong to the application: working directories, folders outside the system's own,
/usr/local, /var/www, /etc. Files of system and language packages belong to their packages.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.image import Image
from imgopt.image.tree import Node
from imgopt.inspect.files.tool_state import is_state
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered

_SYSTEM = re.compile(
    r"^/(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|media|mnt|proc|run|sbin|sys|tmp|usr|var|root)(?:/|$)"
)
_OWN = re.compile(r"^/(?:usr/local|usr/src|usr/share/nginx|var/www|srv|root)/")
_GENERATED = re.compile(
    r"^/etc/(?:passwd|group|shadow|gshadow|subuid|subgid|ld\.so\.cache|mtab|hosts|hostname|resolv\.conf|\.pwd\.lock|"
    r"mailcap|mailname|aliases|apparmor\.d/.*|runit(?:/.*)?|environment|shells|machine-id|[^/]*-|alternatives/.*|apt/.*|dpkg/.*|ssl/certs/.*|"
    r"networks|inputrc|papersize|xml/.*|sgml/.*|ca-certificates(?:\.conf.*|/.*)|rc[S0-9]\.d/.*|init\.d/.*|fonts/conf\.d/.*|systemd/.*|pam\.d/.*|java[^/]*/.*)$"
)
_COPY = re.compile(r"^(?:/bin/sh -c #\(nop\) )?(?:COPY|ADD)\s", re.IGNORECASE)


def application_files(view: ImageView) -> Iterator[Node]:
    """Files, links and empty folders above the base that belong to the application, not to a
    tool."""
    workdirs = _workdirs(view)
    copied = copied_layers(view)
    if not view.base_known:
        yield from (node for node in _surely_own(view, workdirs) if not is_state(view, node.path))
        return
    installed = package_layers(view.image) - copied
    made = made_by_author(view)
    for node in view.tree.root.nodes():
        if node.layer < view.base_layers or not node.path or view.owner(node.path) is not None:
            continue
        if node.kind not in ("file", "symlink") and (node.kind != "dir" or node.children):
            continue  # a folder counts where it is empty: something is meant to be put there
        if (
            node.kind == "dir"
            and node.path not in made
            and node.layer in installed
            and node.path.startswith(_FOLDERS_OF_PACKAGES)
        ):
            continue  # packages leave empty folders, and their databases do not say whose they are
        if (node.kind == "dir" and MADE_BY_TOOLS.match(node.path)) or is_state(view, node.path):
            continue
        if (
            node.path in made
            or node.layer in copied
            or is_application_path(node.path, workdirs)
            or _is_alone(view, node.path)
        ):
            yield node


def _surely_own(view: ImageView, workdirs: tuple[str, ...]) -> Iterator[Node]:
    """Where nobody can tell which files are the base's: what lies where no base has any."""
    for node in view.tree.root.nodes():
        if node.layer < view.base_layers or not node.path or view.owner(node.path) is not None:
            continue
        if node.kind not in ("file", "symlink") or _ENGINES.match(node.path):
            continue
        own = re.match(r"^/(?:usr/src|var/www|srv)/", node.path) is not None
        if own or _is_below(node.path, workdirs) or not _SYSTEM.match(node.path):
            yield node


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(folder + "/") for folder in folders)


_MAKES = re.compile(
    r"\b(?:update-alternatives|mkdir|touch|ln|tee|install|mkfifo|cp|mv|tar|curl|wget|unzip|git|chown|chmod)\b|>"
)
_MAKES_FOLDER = re.compile(
    r"\bmkdir\b|\binstall\b[^;&|]*\s(?:-\w*d|--directory)\b|\bWORKDIR\b|\bVOLUME\b"
)
_FOR_DATA = re.compile(r"^/(?:var/(?:log|spool|opt|data|mail)|mnt|media)/")
_OF_TOOLS = re.compile(r"^/(?:tmp|run|var/(?:tmp|cache|run))/|^/(?:root|home/[^/]+)/\.")
"""Where tools leave empty folders of their own."""
_ENGINES = re.compile(r"^/(?:proc|sys|dev)(?:/|$)")


@remembered
def made_by_author(view: ImageView) -> frozenset[str]:
    """What a RUN made on purpose in folders of the system: empty folders anywhere (`mkdir -p
    /var/spool/app`), files and links where programs keep data (`/var/log/app.log`). In a step that
    installs packages only what the step names."""
    packages = package_layers(view.image)
    steps = dict(enumerate(view.image.layer_history))
    found = set()
    for node in view.tree.root.nodes():
        step = steps.get(node.layer)
        if node.layer < view.base_layers or not node.path or step is None:
            continue
        text, folder = step.created_by, node.kind == "dir"
        wanted = _FOR_DATA.match(node.path) or _is_alternative(node, text)
        if _ENGINES.match(node.path) or (node.children if folder else not wanted):
            continue
        if not (_MAKES_FOLDER if folder else _MAKES).search(text):
            continue
        of_tools = (
            node.layer in packages
            or _OF_TOOLS.match(node.path)
            or any(part in f"{node.path}/" for part in _foreign())
        )
        if of_tools and not (_is_named(node.path, text) or _is_alternative(node, text)):
            continue
        if view.owner(node.path) is None:
            found.add(node.path)
    return frozenset(found)


@cache
def _foreign() -> tuple[str, ...]:
    return tuple(part for ecosystem in builtin_ecosystems() for part in ecosystem.foreign)


def _is_alternative(node: Node, text: str) -> bool:
    """A link that the author chose by `update-alternatives`, or the one that leads to it."""
    if node.kind != "symlink" or "update-alternatives" not in text:
        return False
    there = "/etc/alternatives/"
    return (node.path.startswith(there) or node.linkname.startswith(there)) and re.search(
        rf"(?<![\w.-]){re.escape(node.name)}(?![\w.-])", text
    ) is not None


def _is_named(path: str, text: str) -> bool:
    """By its whole path, or by its last name behind something that is only known to the shell."""
    name = re.escape(posixpath.basename(path))
    return (
        re.search(rf"(?<![\w/]){re.escape(path)}(?![\w.-])", text) is not None
        or re.search(rf"[$}}{{,][^\s]*\b{name}(?![\w.-])", text) is not None
    )


def copied_layers(view: ImageView) -> frozenset[int]:
    """The layers that COPY and ADD made, counted from 0."""
    steps = enumerate(view.image.layer_history)
    return frozenset(index for index, step in steps if step and _COPY.match(step.created_by))


_DATABASES = (
    "/var/lib/dpkg/status",
    "/lib/apk/db/installed",
    "/usr/lib/sysimage/rpm",
    "/var/lib/rpm",
)
_FOLDERS_OF_PACKAGES = (
    "/etc/",
    "/usr/bin/",
    "/usr/lib/",
    "/usr/local/",
    "/usr/share/",
    "/var/cache/",
    "/var/lib/",
)


@lru_cache(maxsize=16)
def package_layers(image: Image) -> frozenset[int]:
    """Layers in which the system's package database was written."""
    return frozenset(
        layer.index
        for layer in image.layers
        if _writes_database(entry.path for entry in layer.entries())
    )


def _writes_database(paths: Iterable[str]) -> bool:
    return any(path.startswith(_DATABASES) for path in paths)


MADE_BY_TOOLS = re.compile(r"/(?:root|home/[^/]+)/\.(?:local|cache|config)(?:/|$)")
"""Where an empty folder is what a tool of the build left behind, not a place for files to come."""
_SHARED = re.compile(
    r"^/(?:usr/(?:share|lib|libexec)|var/lib)/(?!python3|dpkg/|apt/|systemd/|ucf/|pam/|misc/)"
)


def _is_alone(view: ImageView, path: str) -> bool:
    """Below /usr/share, /usr/lib or /var/lib in a folder where no system package has anything: data
    that a RUN put there, not a list that a package's installation makes."""
    if not _SHARED.match(path):
        return False
    return posixpath.join("/", *path.split("/")[1:4]) not in view.package_folders


def is_application_path(path: str, workdirs: tuple[str, ...] = ()) -> bool:
    """Is this a place where a RUN instruction makes files of the application?"""
    if any(path.startswith(folder + "/") for folder in workdirs) or _OWN.match(path):
        return True
    if path.startswith("/etc/"):
        return not _GENERATED.match(path)
    return not _SYSTEM.match(path)


def _workdirs(view: ImageView) -> tuple[str, ...]:
    """The working directory, and those that WORKDIR named on the way."""
    steps = (
        re.match(r"^(?:/bin/sh -c #\(nop\) )?WORKDIR\s+(\S+)", step.created_by)
        for step in view.image.history
    )
    named = {posixpath.normpath(match[1]) for match in steps if match and match[1].startswith("/")}
    return tuple(sorted({*named, view.workdir} - {"/", "/usr", "/etc", "/var", "/tmp", "/root"}))
