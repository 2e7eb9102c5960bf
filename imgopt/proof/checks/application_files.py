"""Application files: what the author put into the image is there, at its path, with the same
contents.

Application files are those that COPY and ADD brought, wherever they are, and those that RUN made in
places that belong to the application: working directories, folders outside the system's own,
/usr/local, /var/www, /etc. Files of system and language packages are judged by package, in checks
of their own.
"""

from __future__ import annotations

from collections import Counter

from imgopt.image.tree import Node
from imgopt.inspect.failures import Item
from imgopt.inspect.files.application_files import application_files, package_layers
from imgopt.inspect.files.contents import compare_contents, was_copied
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import SYSTEM
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, counted, judged
from imgopt.proof.example import EXPORT, SITE, File, Mutation
from imgopt.proof.installers_notes import notes, written_into
from imgopt.proof.picked_up import picked_up

NAME = "application files"


def check_application_files(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    *,
    opened: frozenset[str] | None = None,
) -> Outcome:
    """Every application file of the original; no rule excuses one that was opened."""
    used = opened or frozenset()
    items: list[Item] = []
    allowed: Counter[str] = Counter()
    files = size = 0
    for node in application_files(original):
        files += 1
        size += node.size
        problem, reason = _compare(original, node, candidate, allowances, node.path in used)
        if problem:
            items.append(problem)
        elif reason:
            allowed[reason] += 1
    items += picked_up(original, candidate, allowances)
    what = counted(files, "file or empty folder", "files and empty folders")
    detail = f"{what} that the author added, {size} bytes, compared by path and contents"
    return judged(
        NAME,
        detail,
        items,
        [f"{counted(count, 'file')}: {reason}" for reason, count in sorted(allowed.items())],
    )


def _compare(
    original: ImageView, node: Node, candidate: ImageView, allowances: Allowances, opened: bool
) -> tuple[Item | None, str | None]:
    if notes().search(node.path):
        return None, "a note of the package manager"
    for path, reason in allowances.places(node.path):
        other = candidate.tree.get(path)
        if other is None:
            continue
        problem, note = _same(original, node, candidate, other)
        intended = allowances.rewritten_reason(path, candidate.read(path)) if problem else None
        if intended:
            return None, intended
        if (
            problem
            and not opened
            and node.name in written_into()
            and not was_copied(original, node)
            and other.kind == "file"
        ):
            return None, "a lock file that the installation writes into"
        return (problem, None) if problem else (None, reason or note)
    target = original.tree.resolve(node.path) if node.kind == "symlink" else None
    if target is not None and allowances.drop_reason(target.path, opened=opened):
        return None, allowances.drop_reason(target.path, opened=opened)
    dropped = allowances.drop_reason(node.path, opened=opened)
    if not dropped and not opened and _of_lost_package(original, node, candidate):
        dropped = "made by the installation of a system package that is left out"
    return (None, dropped) if dropped else (Item("missing-file", node.path, node.path), None)


def _of_lost_package(original: ImageView, node: Node, candidate: ImageView) -> bool:
    """Below /etc or /var/lib, made in a step of the package manager, and named after a package that
    the candidate has not (`/var/lib/exim4/...` of exim4-config): what is configured is not
    there."""
    if not node.path.startswith(("/etc/", "/var/lib/")) or node.layer not in package_layers(
        original.image
    ):
        return False
    names = {part.partition(".")[0] for part in node.path.split("/")[2:]}
    before, after = _named_like(original, names), _named_like(candidate, names)
    return bool(before) and not after


def _named_like(view: ImageView, names: set[str]) -> set[str]:
    found = (package.name for package in view.packages if package.ecosystem in SYSTEM)
    return {
        each
        for each in found
        if each in names or any(each.startswith(f"{name}-") for name in names if name)
    }


def _same(
    original: ImageView, node: Node, candidate: ImageView, other: Node
) -> tuple[Item | None, str | None]:
    if node.kind == "dir":
        target = candidate.tree.resolve(other.path)
        problem = (
            None if target and target.kind == "dir" else Item("missing-file", node.path, node.path)
        )
        return problem, None
    if node.kind == "symlink":
        return _same_link(original, node, candidate, other), None
    found = candidate.file(other.path)
    if found is None:
        message = f"{node.path} is a {other.kind} that leads to no file"
        return Item("changed-file", node.path, node.path, message=message), None
    likeness = compare_contents(original, node, candidate, found)
    if likeness == "different":
        message = (
            f"{node.path} has other contents ({node.size} bytes, {found.size} in the candidate)"
        )
        return Item("changed-file", node.path, node.path, message=message), None
    return None, "built anew with the same contents" if likeness == "rebuilt" else None


def _same_link(original: ImageView, node: Node, candidate: ImageView, other: Node) -> Item | None:
    """A link may become the file that it led to; a link that dangles may dangle."""
    if other.kind == "symlink" and other.linkname == node.linkname:
        return None
    target, found = original.tree.resolve(node.path), candidate.tree.resolve(other.path)
    if target is None or (found is not None and target.kind == found.kind != "file"):
        return None
    both = target.inode is not None and found is not None and found.inode is not None
    if (
        found is not None
        and both
        and compare_contents(original, target, candidate, found) != "different"
    ):
        return None
    return Item(
        "changed-file", node.path, node.path, message=f"link {node.path} leads to something else"
    )


CHECK = Check(
    NAME,
    "every file that the author added, at its path and with its contents",
    lambda given: check_application_files(
        given.original, given.candidate, given.allowances, opened=given.files
    ),
    (
        Mutation("a template is left out", "index.html", without=("app/templates/index.html",)),
        Mutation("a source file is edited", "export.py", files={"app/export.py": EXPORT + "\n"}),
        Mutation(
            "a file that every start runs is new",
            "every start of Python",
            files={f"{SITE}/sitecustomize.py": "import os"},
        ),
        Mutation("an empty folder is left out", "/app/empty", without=("app/empty",)),
        Mutation(
            "data that a RUN fetched is lost",
            "/nltk_data/stopwords",
            without=("usr/share/nltk_data/stopwords",),
        ),
        Mutation(
            "a link leads elsewhere",
            "leads to something else",
            files={"app/page": File(link="main.py")},
        ),
        Mutation(
            "a link leads to nothing",
            "leads to",
            files={"app/templates/index.html": File(link="gone")},
        ),
    ),
)
