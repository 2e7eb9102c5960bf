"""Installed packages in a stage of their own, which reads the manifests alone: an edit of the
source neither tidies them up again nor ships them again."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from imgopt.analysis.steps import read_created_by
from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.typed import From
from imgopt.rewrite.final.fates import drop_reason, drop_rules, is_below
from imgopt.rewrite.lines.quoting import shell_word
from imgopt.rewrite.lines.steps import source_copy, workdir_at
from imgopt.rewrite.strategy import Situation


@dataclass(frozen=True)
class OwnStage:
    """Edits that divide the stage where the source comes: what it installs, a stage that tidies up,
    and the rest."""

    name: str
    """The stage that has `folder` as the service needs it."""
    folder: str
    edits: tuple[Edit, ...]


def own_stage(
    situation: Situation, install: Instruction, folder: str, mounts: str, prune: str
) -> OwnStage | None:
    """`install` fills `folder`, in front of the source; `prune` is the command that tidies it up,
    from the folder above. None where the stage has another shape, or where a later step
    writes into the folder too."""
    stage = situation.stage
    if stage is not situation.dockerfile.stages[-1] or not isinstance(stage.start.typed, From):
        return None
    place = stage.instructions.index(install)
    source = next(
        (item for item in stage.instructions[place:] if item.keyword in ("COPY", "ADD")), None
    )
    if source is None or any(_is_root(situation, item) for item in stage.instructions[:place]):
        return None
    project = posixpath.dirname(folder)
    if not _is_filled_by(situation, install, folder):
        return None
    command = (
        f"RUN {mounts}{going_to(project, workdir_at(situation.dockerfile.scope_at(source)))}{prune}"
    )
    packages, tidy = stage_names(situation)
    division = _division(situation, source, packages, tidy, command)
    return OwnStage(tidy, folder, (renamed(stage.start.typed, packages), division))


def going_to(folder: str, here: str) -> str:
    """The beginning of a command that runs in `folder` and not `here`."""
    return "" if folder == here else f"cd {shell_word(folder)} && "


def _is_root(situation: Situation, item: Instruction) -> bool:
    copy = source_copy(situation.dockerfile, item, situation.project.context)
    return copy is not None and not copy.source


def _is_filled_by(situation: Situation, install: Instruction, folder: str) -> bool:
    """Whether this step alone made all that the folder holds in the original. What came behind it
    in one step may have written there too: then files lack in the proof, which asks for them, and
    the stage stays whole."""
    evidence, project = situation.evidence, situation.project
    if evidence is None or any(is_below(path, [folder]) for path in project.repairs.paths):
        return False
    drops = drop_rules(project.ecosystems, evidence.homes, compiled=False)
    layers = {
        fact.layer
        for path, fact in evidence.facts.items()
        if path.startswith(folder + "/") and fact.kind != "dir"
        if drop_reason(path, drops, opened=path in evidence.opened) is None
    }
    if len(layers) != 1:
        return False
    step = evidence.view.image.layer_history[layers.pop()]
    made, said = _plain(read_created_by(step)[1] if step is not None else ""), _plain(install.value)
    return made == said or made.startswith(said + " && ")


def _plain(text: str) -> str:
    return " ".join(text.replace("\\\n", " ").split())


def stage_names(situation: Situation) -> tuple[str, str]:
    """Names of the stages that install and that tidy up, which the file does not use."""
    taken = {stage.name for stage in situation.dockerfile.stages}
    names = ("packages", "installed-packages", "package-install")
    tidied = ("production", "production-packages", "tidied-packages")
    return (
        next(name for name in names if name not in taken),
        next(name for name in tidied if name not in taken),
    )


def renamed(start: From, packages: str) -> Edit:
    if start.name is not None:
        return Edit(start.name.span.start, start.name.span.end, packages)
    return Edit(start.image.span.end, start.image.span.end, f" AS {packages}")


def _division(
    situation: Situation, source: Instruction, packages: str, tidy: str, command: str
) -> Edit:
    eol, text = situation.dockerfile.eol, situation.dockerfile.text
    at = source.comments[0].start if source.comments else source.extent.start
    name = situation.stage.name
    lead = "" if text[:at].endswith(eol * 2) else eol
    lines = [
        f"FROM {packages} AS {tidy}",
        command,
        "",
        f"FROM {packages} AS {name}" if name else f"FROM {packages}",
    ]
    return Edit(at, at, lead + "".join(line + eol for line in lines))
