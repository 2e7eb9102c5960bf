"""multi-stage: the original's instructions become the builder; the final stage gets only what a run
needs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from imgopt.dockerfile import Edit, Stage
from imgopt.dockerfile.typed import From
from imgopt.image.config import is_root
from imgopt.image.image import Image
from imgopt.rewrite.as_root import as_root
from imgopt.rewrite.bases import family, read_base_name
from imgopt.rewrite.carving import Carving, carve_on, library_copies
from imgopt.rewrite.early import made_early
from imgopt.rewrite.few_layers import within_layers
from imgopt.rewrite.final_stage import LINKS, Copy, FinalStage
from imgopt.rewrite.owning import EMPTY, changed_folders, special_folders, with_owners
from imgopt.rewrite.quoting import folded, shell_word
from imgopt.rewrite.settings import complement, user_settings
from imgopt.rewrite.sonames import CACHE, found_by_cache
from imgopt.rewrite.start import idle_entry_script, paths_through_links, start_words
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy
from imgopt.rewrite.tables import table_copies
from imgopt.rewrite.tools import outdated_in_base, removable_tools
from imgopt.strategies.runtime_base import replaces_server


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Names the builder and carves a final stage on the base that the original has."""
    evidence = situation.evidence
    if evidence is None:
        yield Skip(
            "needs `imgopt optimize`: which files a run needs is measured on the built image"
        )
        return
    stage = situation.stage
    if not _builds_something(stage) and not _wanted_by_another(situation):
        yield Skip(
            "nothing is built or installed here: the final stage holds only what it copies",
            stage.line,
        )
        return
    if evidence.side.base is None:
        yield Skip(f"the base {stage.root.base} could not be looked into", stage.line)
        return
    carving = carve_on(situation, None, packages=True)
    builder, edits = _builder(situation, stage)
    settings = user_settings(situation.dockerfile, tuple(part.index for part in stage.chain))
    final = FinalStage(
        builder=builder,
        base=str(stage.root.base),
        shell=True,
        carved=carving.carved,
        settings=settings,
        start_words=start_words(situation),
        removed_tools=removable_tools(situation).names,
        workdir=evidence.config.workdir if evidence.config.workdir not in ("", "/") else "",
        user=evidence.config.user,
    )
    dropped = carving.carved.bytes("dropped")
    yield Change(
        f"the final stage copies only what a run needs; {dropped / 1e6:.1f} MB stay in the builder"
        + _told(final.removed_tools),
        stage.line,
        (*edits, *settings.edits, *_remove_tools(situation)),
        final=on_base(
            situation, final, carving, str(stage.root.base), evidence.side.base, same_family=True
        ),
    )


def _told(names: tuple[str, ...]) -> str:
    """The packages that the builder removes, in a clause."""
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f", without {', '.join(names[:3])}{more}, which the service does not use"


def on_base(
    situation: Situation,
    final: FinalStage,
    carving: Carving,
    name: str,
    base: Image,
    *,
    same_family: bool,
) -> FinalStage:
    """The final stage as a carving fills it, on one base."""
    evidence = situation.evidence
    assert evidence is not None
    system = evidence.system(situation.project.ecosystems)
    early, prepare = _prepare(situation, carving)
    early = (*early, *carving.accounts.commands())
    copied = with_owners(carving.plan.copies, evidence.facts)
    if any(copy.sources == (EMPTY,) for copy in copied):
        early = (*early, f"mkdir -p {EMPTY}")
    named = paths_through_links(evidence, final.start_words, base.tree())
    early = (*early, *(_link(path, target) for path, target in named.items()))
    links = (Copy((LINKS + "/",), "/"),) if carving.plan.links or named else ()
    wanted = (
        msgspec.structs.replace(evidence.config, entrypoint=None)
        if final.entry_script
        else evidence.config
    )
    cached = found_by_cache(evidence.side, carving.carved.paths("kept"))
    tables = [*carving.tables, *([CACHE] if cached and not final.shell else [])]
    copies = (
        *carving.foreign,
        *table_copies(tables, evidence),
        *library_copies(carving.libraries),
        *copied,
        *links,
    )
    copies, gather = within_layers(copies, evidence.facts, len(base.layers))
    return replace(
        final,
        base=name,
        workdir=final.workdir or ("/" if base.config.workdir not in ("", "/") else ""),
        carved=carving.carved,
        accounts=carving.accounts.copies(),
        copies=copies,
        packages=tuple(sorted(carving.packages)),
        install=system.install if system else "",
        complement=complement(final.settings, wanted, base.config, same_family=same_family),
        setup=tuple(filter(None, [outdated_in_base(situation, base) if final.shell else ""])),
        finish=("ldconfig",) if cached and final.shell else (),
        folders=special_folders(
            copied,
            evidence.facts,
            base.tree(),
            shell=final.shell,
            changed=changed_folders(evidence),
        ),
        early=early,
        prepare=(*prepare, *gather),
        links=carving.plan.links,
        user=final.user or ("" if is_root(base.config.user) else "0:0"),
        comments=_comments(carving),
    )


def without_entry_script(situation: Situation, final: FinalStage) -> FinalStage:
    """The stage without the base's entry script, where that does nothing for a service."""
    evidence = situation.evidence
    if evidence is None or "ENTRYPOINT" in final.settings.keywords or final.entry_script:
        return final
    found = family(read_base_name(str(situation.stage.root.base)), situation.project.ecosystems)
    script = idle_entry_script(evidence, found[1].entry_scripts if found else ())
    if not script:
        return final
    return replace(
        final,
        entry_script=script,
        start_words=final.start_words[len(evidence.config.entrypoint or ()) :],
    )


def _prepare(situation: Situation, carving: Carving) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Shell commands of the builder: those that can come before the source is copied, and those at
    its end."""
    is_early = made_early(situation.dockerfile, situation.stage)
    removals = carving.plan.removals
    early = _removal(path for path in removals if is_early(path))
    late = _removal(path for path in removals if not is_early(path))
    links = carving.plan.links
    if links:
        listed = " ".join(shell_word(path) for path in links)
        # coreutils' cp fails to give the parents their modes from any other folder (seen with 9.1)
        gather = folded(f"cd / && mkdir -p {LINKS} && cp --parents -dp {listed} {LINKS}")
        if all(is_early(path) for path in links):
            early = (*early, gather)
        else:
            late = (*late, gather)
    return early, late


def _link(path: str, target: str) -> str:
    place = LINKS + path
    return (
        f"mkdir -p {shell_word(posixpath.dirname(place))} && ln -s {shell_word(target)}"
        f" {shell_word(place)}"
    )


def _removal(paths: Iterable[str]) -> tuple[str, ...]:
    words = " ".join(shell_word(path) for path in paths)
    return (folded(f"rm -rf {words}"),) if words else ()


def _comments(carving: Carving) -> dict[str, str]:
    comments = {}
    if carving.packages:
        first = sorted(carving.packages.items())[:3]
        comments["packages"] = "Needed at run time: " + ", ".join(
            f"{name} ({_short(why)})" for name, why in first
        )
        if len(carving.packages) > 3:
            comments["packages"] += ", ..."
    return comments


def _short(path: str) -> str:
    return path.rpartition("/")[2] if path.startswith("/") else path


def _remove_tools(situation: Situation) -> tuple[Edit, ...]:
    """Right behind the last installation, so that an edit of the source does not run it again."""
    tools = removable_tools(situation)
    if tools.after is None:
        return ()
    at = tools.after.extent.end
    text = situation.dockerfile.text
    lead = "" if text[at - 1 : at] == "\n" else situation.dockerfile.eol
    eol = situation.dockerfile.eol
    step = f"RUN {folded(tools.command)}\n"
    facts = situation.evidence.facts if situation.evidence is not None else {}
    if any(facts[path].uid == 0 for path in tools.paths if path in facts):
        step = as_root(step, situation.dockerfile, tools.after, situation.evidence)
    return (Edit(at, at, lead + step.replace("\n", eol)),)


def _builds_something(stage: Stage) -> bool:
    return any(item.keyword == "RUN" for part in stage.chain for item in part.instructions)


def _wanted_by_another(situation: Situation) -> bool:
    """Whether another strategy writes a stage of its own, which the original's instructions are the
    builder for."""
    return "distroless-base" not in situation.project.off or replaces_server(situation)


def _builder(situation: Situation, stage: Stage) -> tuple[str, tuple[Edit, ...]]:
    """The builder's name, and the edit that gives it one where it has none."""
    if stage.name:
        return stage.name, ()
    taken = {item.name for item in situation.dockerfile.stages}
    name = next(name for name in ("builder", "build-stage", "imgopt-builder") if name not in taken)
    typed = stage.start.typed
    assert isinstance(typed, From)
    keyword = "as" if stage.start.source[:4].islower() else "AS"
    return name, (Edit(typed.image.span.end, typed.image.span.end, f" {keyword} {name}"),)


STRATEGY = Strategy(
    name="multi-stage",
    does="Ships a second stage with only what a run needs.",
    why=(
        "What a build needs (compilers, headers, caches, sources) is not needed to run. The"
        " original's own instructions stay as the builder; a second stage copies what a run needs,"
        " found by evidence: every path that the image adds over its base is kept, reinstalled,"
        " replaced or dropped, each with a reason. Python's installers, and packages that the"
        " project lists for its development alone, go where the run opened nothing of them."
    ),
    safety="evidence",
    makes=("slim",),
    doubt=10,
    references=(
        "https://docs.docker.com/build/building/multi-stage/",
        "Chen et al., Automating Dockerfile Refactoring to Multi-stage Builds",
    ),
    rewrite=rewrite,
    refuses=(
        "Without an engine; where the final stage runs nothing, and no other base needs a stage of"
        " its own; where the base cannot be looked into."
    ),
)
