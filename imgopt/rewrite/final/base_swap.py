"""Another base under the author's own lines: for a file that is one stage and stays one.

Where nothing is built there is nothing to carve: the base alone is what is too large. Its name is
changed where the author wrote it, with the variables in it, and what a run needs of the old base is
added behind FROM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imgopt.dockerfile import Dockerfile, Edit, Instruction, Stage
from imgopt.dockerfile.stages import find_stage, from_words
from imgopt.dockerfile.typed import Arg, From
from imgopt.image.config import is_root
from imgopt.image.image import Image
from imgopt.rewrite.final.as_root import as_root
from imgopt.rewrite.final.carving import Carving, library_copies
from imgopt.rewrite.final.final_stage import Copy, install_lines
from imgopt.rewrite.final.settings import complement, user_settings
from imgopt.rewrite.final.tables import table_copies
from imgopt.rewrite.gather import system_packages
from imgopt.rewrite.lines.base_name import image_text, spelled, variables_of, words_of
from imgopt.rewrite.strategy import Situation


def swap_refusal(situation: Situation) -> str:
    """Why the base of this file's stage cannot be another one by itself; empty where it can."""
    dockerfile, stage = situation.dockerfile, situation.stage
    chain = {part.index for part in stage.chain}
    for other in dockerfile.stages:
        if other.index in chain:
            continue
        if other.parent is not None and other.parent.index in chain:
            return f"the stage {other} is built on it too"
        used = _used_by(dockerfile, other) & chain
        if used:
            return f"the stage {other} takes files of it"
    given = variables_of(stage) & set(situation.project.args)
    if given:
        return f"--build-arg {min(given)} names the base: give another one there"
    return ""


def _used_by(dockerfile: Dockerfile, stage: Stage) -> set[int]:
    words = (word for item in stage.instructions for word in from_words(item))
    found = (find_stage(dockerfile.stages, word.word, numbers=word.number) for word in words)
    return {used.index for used in found if used is not None}


def swap_edits(situation: Situation, name: str) -> tuple[Edit, ...] | str:
    """The edits that put the base `name` under the stage; else why there are none."""
    dockerfile, root = situation.dockerfile, situation.stage.root
    typed = root.start.typed
    assert isinstance(typed, From)
    text = spelled(dockerfile, root, name, situation.project.args)
    if text is not None:
        return (Edit(typed.image.span.start, typed.image.span.end, text),)
    variables = variables_of(root)
    source = image_text(root)
    if len(variables) != 1 or source not in words_of(source):
        return f"its name is made of variables: {source}"
    return _default(dockerfile, root, next(iter(variables)), name)


def lines_behind(
    situation: Situation, carving: Carving, image: Image, *, same_family: bool
) -> tuple[Edit, ...]:
    """What the old base gave and the new one does not: packages, settings of the system, variables,
    and the start."""
    evidence, stage = situation.evidence, situation.stage
    assert evidence is not None
    settings = user_settings(situation.dockerfile, tuple(part.index for part in stage.chain))
    extra = complement(settings, evidence.config, image.config, same_family=same_family)
    head = [
        *_packages(situation, carving),
        *_tables(situation, carving),
        *_copies(situation, carving.libraries),
        *extra.environment,
    ]
    if not is_root(image.config.user) and is_root(evidence.config.user):
        head.append("USER 0:0")
    if image.config.workdir not in ("", "/") and evidence.config.workdir in ("", "/"):
        head.append("WORKDIR /")
    root, last = stage.root.start, stage.instructions[-1]
    eol = situation.dockerfile.eol
    return (*_insert(root, head, eol), *_insert(last, list(extra.start), eol))


def _insert(after: Instruction, lines: list[str], eol: str) -> Iterator[Edit]:
    if lines:
        at = after.extent.end
        lead = "" if after.text[at - 1 : at] == "\n" else eol
        yield Edit(at, at, lead + "".join(f"{line}\n" for line in lines).replace("\n", eol))


def _packages(situation: Situation, carving: Carving) -> list[str]:
    """Packages that came with the old base; those that the author's own lines install are installed
    by them."""
    evidence = situation.evidence
    assert evidence is not None
    base = evidence.view.base
    old = system_packages(base.tree()).installed if base is not None else carving.packages
    wanted = sorted(name for name in carving.packages if name in old)
    system = evidence.system(situation.project.ecosystems)
    if not wanted or system is None:
        return []
    text = as_root(
        install_lines(system.install, wanted),
        situation.dockerfile,
        situation.stage.root.start,
        evidence,
    )
    return text.splitlines()


def _tables(situation: Situation, carving: Carving) -> list[str]:
    """Tables of the old base that a run may look up; those that the author's own lines make are
    made by them."""
    evidence = situation.evidence
    assert evidence is not None
    base = evidence.view.base
    old = [path for path in carving.tables if base is None or base.tree().resolve(path) is not None]
    name = str(situation.stage.root.base)
    return [copy.render(name) for copy in table_copies(old, evidence, name)]


def _copies(situation: Situation, files: Mapping[str, str]) -> list[str]:
    """Single files of settings of the old base, whose packages bring nothing else that is
    needed."""
    name = str(situation.stage.root.base)
    return [
        Copy(copy.sources, copy.destination, stage=name).render(name)
        for copy in library_copies(files)
    ]


def _default(
    dockerfile: Dockerfile, root: Stage, variable: str, name: str
) -> tuple[Edit, ...] | str:
    """`ARG BASE=python:3.11` with `FROM $BASE`: the default is the name."""
    others = [
        stage
        for stage in dockerfile.stages
        if stage.index != root.index and variable in variables_of(stage)
    ]
    if others:
        return f"ARG {variable} names the base of the stage {others[0]} too"
    for item in reversed(dockerfile.instructions):
        if item.stage >= 0 or not isinstance(item.typed, Arg):
            continue
        for pair in item.typed.pairs:
            if pair.key == variable and pair.value_span is not None:
                return (Edit(*pair.value_span, name),)
    return f"ARG {variable} has no default"
