"""Shared libraries for a base without a package manager: one step of the builder finds what is
needed there, so that another release, another architecture or one more dependency brings its own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from imgopt.image.tree import Tree
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.libraries import library_endings, may_be_linked, unresolved
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import PathFact, is_below
from imgopt.rewrite.final.final_stage import ROOT, Copy
from imgopt.rewrite.final.runtime import has_path, is_shared_library, runtime_needs
from imgopt.rewrite.lines.quoting import folded, shell_word

_OF_THE_SYSTEM = re.compile(r"^(?:/usr)?/lib(?:/([\w]+-linux-gnu\w*))?/[^/]+$")
"""A library where the loader of every base looks for it; group 1 is the architecture."""
MOST_ROOTS = 8
"""Places in which the step looks for programs and modules, as a reader of it can take in."""


@dataclass(frozen=True)
class LibraryStep:
    """A shell command of the builder, and which files it brings."""

    command: str = ""
    early: bool = True
    """Whether it may stand in front of the source."""
    brought: frozenset[str] = frozenset()


def library_step(
    evidence: Evidence,
    wanted: Mapping[str, str],
    copies: Iterable[Copy],
    base: tuple[str, Tree],
    is_early: Callable[[str], bool],
    removed: Iterable[str] = (),
) -> LibraryStep:
    """Of the files `wanted`, the libraries of the system, by what asks for them in the folders that
    `copies` take from the builder; `base`: the new base's name and what it has; `removed`: what is
    no more in the folders."""
    view = evidence.view
    libraries = [path for path in wanted if is_library_of_system(path)]
    if not libraries:
        return LibraryStep()
    sources = (path for copy in copies if not copy.stage for path in copy.sources)
    found = _elf_files_by_place(evidence, sources)
    ahead = tuple(place for place in found if is_early(place))
    chosen: tuple[str, ...] = ()
    named = tuple(libraries)
    for places in dict.fromkeys((ahead, tuple(found))):
        if len(places) > MOST_ROOTS:
            continue
        files = [path for place in places for path in found[place]]
        left = _not_found(evidence, libraries, files, base[1])
        if places == ahead or not left:
            chosen, named = places, left
        if not left:
            break
    if not chosen:
        return LibraryStep(_named_step(evidence.tree, named), brought=frozenset(libraries))
    removed = tuple(removed)
    files = [path for place in chosen for path in found[place] if not is_below(path, removed)]
    strict = not any(True for file in files for _ in _lacks(view, file))
    command = _step(evidence.tree, chosen, files, named, base[0], strict=strict)
    return LibraryStep(command, all(map(is_early, chosen)), frozenset(libraries))


_CHECKS_WITH = ("/usr/bin/ldd", "/usr/bin/find", "/bin/grep")


def check_step(
    evidence: Evidence,
    copies: Iterable[Copy],
    base: Tree,
    is_early: Callable[[str], bool],
    removed: Iterable[str],
) -> tuple[str, str]:
    """The shell command of the final stage that fails where a library of what is copied is not
    found, and behind the copy to which place it stands: none of those that an edit of the source
    makes anew. Two empty texts where the original lacks some itself, or the base has not what it
    takes."""
    removed = tuple(removed)
    whole = (
        copy.destination
        for copy in copies
        if copy.sources == (copy.destination,) and is_early(copy.destination)
    )
    added = {
        place: [
            path
            for path in files
            if not is_below(path, removed) and evidence.facts[path].layer >= evidence.base_layers
        ]
        for place, files in _elf_files_by_place(evidence, whole).items()
    }
    found = {place: files for place, files in added.items() if files}
    lacking = any(
        True for files in found.values() for path in files for _ in _lacks(evidence.view, path)
    )
    can = all(has_path(base, program) for program in _CHECKS_WITH)
    if not found or lacking or not can or len(found) > MOST_ROOTS:
        return "", ""
    command = (
        "# Fails where a library is missing: its package belongs to those above\n"
        f"! find {' '.join(map(shell_word, found))} {_linked()} -exec ldd {{}} + 2>/dev/null"
        " | grep 'not found'"
    )
    return command, list(found)[-1]


def program_step(view: ImageView, program: str, base: str) -> str:
    """The shell command of a stage on an image that has this program: its libraries, without those
    that the new base has."""
    return _step(view.tree, (program,), (program,), (), base, strict=True)


def is_library_of_system(path: str) -> bool:
    return is_shared_library(path) and _OF_THE_SYSTEM.match(path) is not None


def any_architecture(path: str) -> str:
    """The path as a shell finds it on every architecture."""
    found = _OF_THE_SYSTEM.match(path)
    word = shell_word(path)
    return word.replace(found[1], "*", 1) if found is not None and found[1] else word


def _elf_files_by_place(evidence: Evidence, places: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Those of the places that hold programs or libraries, folders whole: with the files of each
    that `find` would hand to `ldd`, and that are such files."""
    candidates = [path for path, fact in evidence.facts.items() if _is_candidate(path, fact)]
    found = {
        place: tuple(
            path for path in candidates if is_below(path, (place,)) and _is_elf(evidence, path)
        )
        for place in dict.fromkeys(places)
    }
    return {place: files for place, files in found.items() if files}


def _is_elf(evidence: Evidence, path: str) -> bool:
    node = evidence.view.file(path)
    return node is not None and evidence.view.elf(node) is not None


def _is_candidate(path: str, fact: PathFact) -> bool:
    return fact.kind == "file" and may_be_linked(posixpath.basename(path), fact.mode)


def _not_found(
    evidence: Evidence, libraries: Iterable[str], files: Iterable[str], base: Tree
) -> tuple[str, ...]:
    """The libraries that none of these files asks for: the run loads them by name."""
    files = tuple(files)
    needs = runtime_needs(
        evidence.view, [(path, "") for path in files], base, frozenset(files), lambda _: False
    )
    found = {_real(evidence.view, path) for path in needs.files}
    return tuple(path for path in libraries if _real(evidence.view, path) not in found)


def _real(view: ImageView, path: str) -> str:
    node = view.file(path)
    return node.path if node is not None else path


def _lacks(view: ImageView, path: str) -> Iterable[str]:
    node = view.file(path)
    elf = view.elf(node) if node is not None else None
    if node is not None and elf is not None:
        yield from (one.library for one in unresolved(view, node, elf))


def _named_step(tree: Tree, libraries: Iterable[str]) -> str:
    """Without anything in the builder that asks for them: by name."""
    listed = " ".join(map(any_architecture, _merged(tree, libraries)))
    return folded(f"mkdir -p {ROOT} && cp --parents -L {listed} {ROOT}")


def _merged(tree: Tree, paths: Iterable[str]) -> list[str]:
    """Where a merged /usr has them: a folder /lib in the copy would not fit on a link."""
    merged = _is_merged(tree)
    return sorted(f"/usr{path}" if merged and path.startswith("/lib") else path for path in paths)


def _is_merged(tree: Tree) -> bool:
    node = tree.get("/lib")
    return node is not None and node.kind == "symlink"


def _linked(endings: Iterable[str] = ()) -> str:
    """What `find` is told to look for: programs, libraries, and files of these endings."""
    kinds = ["-perm -100", "-name '*.so*'", *(f"-name '*{ending}'" for ending in endings)]
    return f"-type f \\( {' -o '.join(kinds)} \\)"


def _step(
    tree: Tree,
    places: tuple[str, ...],
    found: Sequence[str],
    named: tuple[str, ...],
    base: str,
    *,
    strict: bool,
) -> str:
    """In the words that a careful author uses: `ldd` over what is `found` in the places, and `cp
    --parents`."""
    more = [any_architecture(path) for path in _merged(tree, named)]
    where = " ".join([*map(shell_word, places), *more])
    endings = (one for one in library_endings() if any(path.endswith(one) for path in found))
    search = f"find {where} {_linked(endings)} -exec ldd {{}} + 2>/dev/null || true"
    if set(places) <= set(found):  # no folder to look through
        search = f"ldd {where}"
    loud = ["if echo \"$needed\" | grep 'not found'; then exit 1; fi; \\"] if strict else []
    merged = _is_merged(tree)
    file = "${file#/usr}" if merged else "$file"
    taken = f"/usr{file}" if merged else file
    lines = [
        f"mkdir -p {ROOT}; needed=$({search}); \\",
        *loud,
        'for file in $(echo "$needed" | awk \'$3 ~ "^(/usr)?/lib" { print $3 }\' | sort -u)'
        + "".join(f" {word}" for word in more)
        + "; do \\",
        f'    [ -e "/base{file}" ] || [ -e "/base/usr{file}" ]'
        f' || cp --parents -L "{taken}" {ROOT} || exit 1; \\',
        "done",
    ]
    comment = f"# The shared libraries that these need and {base} lacks"
    mount = f"--mount=type=bind,from={base},target=/base \\"
    return "\n".join([comment, mount, *(f"    {line}" for line in lines)])
