"""bytecode: modules that every start compiles anew are compiled once, while the image is built."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
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
from imgopt.rewrite.lines.quoting import shell_word
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

LEAST_BYTES = 1_000_000
"""Less source than this compiles in about a tenth of a second: not worth a layer."""
LEAST_SHARE = 0.5
"""A folder of whose source the run read less is not compiled: all of its bytecode would cost more
to pull than it saves, and a list of modules would be that of one release."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """The folders of the interpreter's library and of packages of which the run read most, and that
    the final stage has no bytecode for."""
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
        size = _bytes(evidence, found)
        variable = next(
            (name for name in facts.off_variables if name in evidence.config.environment), None
        )
        if size < LEAST_BYTES:
            continue
        if variable is not None:
            yield Skip(f"{variable} keeps bytecode at another place", situation.stage.line)
            continue
        roots = _by_root(found, facts)
        whole = {root: each for root, each in roots.items() if _is_worth_it(evidence, root, each)}
        if whole:
            count = sum(map(len, whole.values()))
            because = (
                f"{count} modules of {' and '.join(whole)} that every start would compile anew"
            )
            yield Change(
                because, situation.stage.line, final=_compiled(situation, final, base, whole, facts)
            )
            continue
        yield Skip(
            f"the run read {size / 1e6:.1f} MB of source without bytecode, less than half of"
            f" {' and of '.join(roots)}: all of its bytecode would cost more to pull than it saves",
            situation.stage.line,
        )
        cleared = _cleared(situation, final, base, roots, facts)
        if cleared is not None:
            yield cleared


def _cleared(
    situation: Situation,
    final: FinalStage,
    base: Tree | None,
    roots: Iterable[str],
    facts: Bytecode,
) -> Change | None:
    """Without what installers left of it beside the interpreter's library, which is copied."""
    evidence = situation.evidence
    assert evidence is not None
    for root in roots:
        packages = posixpath.join(root, "site-packages")
        left = [
            path
            for path, fact in evidence.facts.items()
            if fact.layer >= evidence.base_layers
            and posixpath.basename(posixpath.dirname(path)) == facts.folder
            and is_below(path, (root,))
            and not is_below(path, (packages,))
        ]
        size = _bytes(evidence, left)
        if size < LEAST_BYTES or root.endswith("/site-packages"):
            continue
        if base is not None and base.resolve(root) is not None:
            continue
        command = facts.clear.replace("{folder}", shell_word(root))
        early = made_early(situation.dockerfile, situation.stage)(root)
        return Change(
            f"{size / 1e6:.1f} MB of bytecode that installers left in {root}",
            situation.stage.line,
            final=_in_builder(final, command, early=early),
        )
    return None


def _bytes(evidence: Evidence, paths: Iterable[str]) -> int:
    return sum(evidence.facts[path].size for path in paths)


def _is_worth_it(evidence: Evidence, root: str, read: list[str]) -> bool:
    inside = posixpath.join(root, "site-packages")
    every = sum(
        node.size
        for node in evidence.tree.files(root)
        if node.name.endswith(".py") and not is_below(node.path, (inside,))
    )
    size = _bytes(evidence, read)
    return size >= LEAST_BYTES and size >= LEAST_SHARE * every


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
    roots: Mapping[str, list[str]],
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
    for root, paths in roots.items():
        folder = shell_word(root)
        command = facts.command.replace("{folder}", folder)
        if (
            final.shell
            and base is not None
            and all(base.resolve(path) is not None for path in paths)
        ):
            if any(is_below(path, places) for path in paths):
                continue  # what is copied over it later is another file
            final = replace(final, setup=(*final.setup, command))
            continue
        if all(evidence.facts[path].layer < evidence.base_layers for path in paths):
            command = f"{facts.clear.replace('{folder}', folder)} \\\n && {command}"
        final = _in_builder(final, command, early=is_early(root))
    return final


def _in_builder(final: FinalStage, command: str, *, early: bool) -> FinalStage:
    if early:
        return replace(final, early=(*final.early, command))
    return replace(final, prepare=(*final.prepare, command))


def _by_root(found: Iterable[str], facts: Bytecode) -> dict[str, list[str]]:
    roots: dict[str, list[str]] = {}
    for path in found:
        match = re.search(facts.sources, path)
        if match is not None:
            roots.setdefault(match[1], []).append(path)
    return roots


STRATEGY = Strategy(
    name="bytecode",
    does="Compiles the Python modules that a start reads.",
    why=(
        "Official Python images ship their library without bytecode, and a user other than root"
        " cannot write it: every container compiles the same modules at its start. A folder of"
        " which the smoke run read most is compiled in the build, as a whole, so that the line"
        " holds for the next release too; another one is not, for bytecode of everything costs"
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
        "Less than 1 MB of source to compile, or less than half of a folder; bytecode is kept at"
        " another place (PYTHONPYCACHEPREFIX); the project's own files, which change most."
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
                "RUN python3 -m compileall -q --invalidation-mode checked-hash"
                " -x /usr/local/lib/python3.11/site-packages/site-packages"
                " /usr/local/lib/python3.11/site-packages || true\n\n"
                "FROM python:3.11\n"
                "COPY --from=builder /usr/local/lib /usr/local/lib\n"
                'COPY --from=builder /app /app\nWORKDIR /app\nCMD ["python", "app.py"]\n'
            ),
        ),
    ),
)
