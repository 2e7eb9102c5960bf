"""bytecode: modules that every start compiles anew are compiled once, while the image is built."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from imgopt.context.facts.runs import Bytecode
from imgopt.image.tree import Tree
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.before_copy import made_early
from imgopt.rewrite.final.build_tools import removable_tools
from imgopt.rewrite.final.fates import is_below
from imgopt.rewrite.final.final_stage import FinalStage
from imgopt.rewrite.image_examples import (
    LARGE,
    MODULES,
    PATH,
    PYTHON_BUILD,
    SOURCE,
    WORKDIR,
    python_example,
)
from imgopt.rewrite.lines.quoting import folded, shell_word
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

LEAST_BYTES, LEAST_OF_A_FOLDER = 1_000_000, 100_000
"""Less source than this compiles in about a tenth, or a hundredth, of a second: not worth a layer,
or a line."""
MOST_OF_A_FOLDER = 0.6
"""A folder of whose source the run read this share is compiled whole: one word instead of many."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """The opened sources of the interpreter's library and of packages that the final stage has no
    bytecode for."""
    evidence, final = situation.evidence, situation.final
    if evidence is None or final is None:
        if evidence is None:
            yield Skip("needs `imgopt optimize`")
        return
    image = evidence.look_into(final.base) if evidence.look_into else None
    base = image.tree() if image is not None else None
    for facts in (
        item.bytecode for item in situation.project.ecosystems if item.bytecode is not None
    ):
        found = uncompiled(evidence, final, base, facts, removable_tools(situation).paths)
        size = sum(evidence.facts[path].size for path in found)
        variable = next(
            (name for name in facts.off_variables if name in evidence.config.environment), None
        )
        if size < LEAST_BYTES:
            continue
        if variable is not None:
            yield Skip(f"{variable} keeps bytecode at another place", situation.stage.line)
            continue
        because = (
            f"{len(found)} modules ({size / 1e6:.1f} MB of source) that every start would compile"
            " anew"
        )
        yield Change(
            because, situation.stage.line, final=_compiled(situation, final, base, found, facts)
        )


def uncompiled(
    evidence: Evidence, final: FinalStage, base: Tree | None, facts: Bytecode, gone: frozenset[str]
) -> tuple[str, ...]:
    """Sources that the smoke run read, directly or by their bytecode, and whose bytecode the final
    stage lacks; `gone` are paths that the builder removes."""
    kept = final.carved.fates
    return tuple(
        path
        for path in sorted(evidence.opened)
        if re.search(facts.sources, path)
        and path in evidence.facts
        and path not in gone
        and not any(
            kept[name].fate == "kept"
            for name in _bytecode(evidence.tree, path, facts)
            if name in kept
        )
        and not (base is not None and any(_bytecode(base, path, facts)))
    )


def _bytecode(tree: Tree, source: str, facts: Bytecode) -> Iterator[str]:
    """The bytecode files that a tree has of this source."""
    folder = posixpath.join(posixpath.dirname(source), facts.folder)
    name = posixpath.splitext(posixpath.basename(source))[0]
    pattern = re.compile(facts.cached.replace("{name}", re.escape(name)))
    node = tree.resolve(folder)
    children = (node.children or ()) if node is not None else ()
    return (posixpath.join(folder, child) for child in children if pattern.fullmatch(child))


def _compiled(
    situation: Situation,
    final: FinalStage,
    base: Tree | None,
    found: tuple[str, ...],
    facts: Bytecode,
) -> FinalStage:
    """In the final stage where its base brings the source and has a shell, else in the builder."""
    evidence = situation.evidence
    assert evidence is not None
    is_early = made_early(situation.dockerfile, situation.stage)
    places = [
        p
        for copy in final.copies
        for p in (copy.sources if copy.destination[-1] == "/" else [copy.destination])
    ]
    for root, paths in _by_root(found, facts).items():
        if sum(evidence.facts[path].size for path in paths) < LEAST_OF_A_FOLDER:
            continue
        enter, command = f"cd {shell_word(root)} \\\n && ", _command(evidence, root, paths, facts)
        if (
            final.shell
            and base is not None
            and all(base.resolve(path) is not None for path in paths)
        ):
            if any(is_below(path, places) for path in paths):
                continue  # what is copied over it later is another file
            final = replace(final, setup=(*final.setup, enter + command))
            continue
        if all(evidence.facts[path].layer < evidence.base_layers for path in paths):
            enter += f"{facts.clear} \\\n && "
        if is_early(root):
            final = replace(final, early=(*final.early, enter + command))
        else:
            final = replace(final, prepare=(*final.prepare, enter + command))
    return final


def _by_root(found: Iterable[str], facts: Bytecode) -> dict[str, list[str]]:
    roots: dict[str, list[str]] = {}
    for path in found:
        match = re.search(facts.sources, path)
        if match is not None:
            roots.setdefault(match[1], []).append(path)
    return roots


def _command(evidence: Evidence, root: str, paths: Iterable[str], facts: Bytecode) -> str:
    names = " ".join(
        shell_word(posixpath.relpath(path, root)) for path in _shortened(evidence, root, paths)
    )
    return facts.command.replace("{files}", "\\\n    " + folded(names))


def _shortened(evidence: Evidence, root: str, paths: Iterable[str]) -> list[str]:
    """Folders in the place of their files where the run read most of what is below."""
    wanted = set(paths)
    folders = {folder for path in wanted for folder in _folders(path, root)}
    below: dict[str, int] = dict.fromkeys(folders, 0)
    read: dict[str, int] = dict.fromkeys(folders, 0)
    for node in evidence.tree.files(root):
        for folder in _folders(node.path, root) if node.path.endswith(".py") else ():
            if folder in folders:
                below[folder] += node.size
                read[folder] += node.size if node.path in wanted else 0
    whole = {folder for folder in folders if read[folder] >= MOST_OF_A_FOLDER * below[folder]}
    highest = {folder for folder in whole if not whole.intersection(_folders(folder, root))}
    rest = {path for path in wanted if not highest.intersection(_folders(path, root))}
    return sorted(highest | rest)


def _folders(path: str, root: str) -> Iterator[str]:
    """The folders between a path and its root, the root left out."""
    folder = posixpath.dirname(path)
    while len(folder) > len(root):
        yield folder
        folder = posixpath.dirname(folder)


STRATEGY = Strategy(
    name="bytecode",
    does="Compiles the Python modules that a start reads.",
    why=(
        "Official Python images ship their library without bytecode, and a user other than root"
        " cannot write it: every container compiles the same modules at its start. The modules that"
        " the smoke run read are compiled in the build, no others, for bytecode of everything costs"
        " more to pull than it saves. It is bound to the source by its hash: a changed or mounted"
        " file is still compiled anew, and two builds give the same bytes."
    ),
    safety="evidence",
    doubt=82,
    references=(
        "https://peps.python.org/pep-0552/",
        "https://docs.python.org/3/library/compileall.html",
    ),
    rewrite=rewrite,
    refuses=(
        "Less than 1 MB of source to compile; bytecode is kept at another place"
        " (PYTHONPYCACHEPREFIX); the project's own files, which change most."
    ),
    evidence_examples=(
        python_example(
            "few modules",
            before=PYTHON_BUILD,
            layers=(WORKDIR, SOURCE, ("RUN make", {"/app/made": LARGE})),
        ),
        python_example(
            "kept at another place",
            before=PYTHON_BUILD,
            layers=(WORKDIR, SOURCE, MODULES),
            opened=frozenset(MODULES[1]),
            config={
                "Cmd": ["python", "app.py"],
                "WorkingDir": "/app",
                "Env": [*PATH["Env"], "PYTHONPYCACHEPREFIX=/tmp/p"],
            },
            refused="PYTHONPYCACHEPREFIX keeps bytecode at another place",
        ),
        python_example(
            "many modules",
            before=PYTHON_BUILD,
            layers=(WORKDIR, SOURCE, MODULES),
            opened=frozenset(MODULES[1]),
            after=(
                "FROM python:3.11 AS builder\nWORKDIR /app\nCOPY . .\nRUN make\n"
                "# hadolint ignore=DL3003\nRUN cd /usr/local/lib/python3.11/site-packages \\\n"
                " && python3 -m compileall -q --invalidation-mode checked-hash \\\n    a\n\n"
                "FROM python:3.11\n"
                "COPY --from=builder /usr/local/lib/python3.11 /usr/local/lib/python3.11\n"
                'COPY --from=builder /app /app\nWORKDIR /app\nCMD ["python", "app.py"]\n'
            ),
        ),
    ),
)
