"""The final stage on one base: what a carving found becomes its lines. Strategies that choose a
base share it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

import msgspec

from imgopt.image.config import is_root
from imgopt.image.image import Image
from imgopt.inspect.system.looked_up import matching
from imgopt.rewrite.bases import family, read_base_name
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.before_copy import made_early
from imgopt.rewrite.final.build_tools import outdated_in_base
from imgopt.rewrite.final.carving import Carving, library_copies
from imgopt.rewrite.final.few_layers import within_layers
from imgopt.rewrite.final.final_stage import ROOT, Copy, FinalStage
from imgopt.rewrite.final.library_step import LibraryStep, check_step, library_step
from imgopt.rewrite.final.owning import EMPTY, changed_folders, special_folders, with_owners
from imgopt.rewrite.final.runtime import is_shared_library
from imgopt.rewrite.final.settings import complement
from imgopt.rewrite.final.sonames import CACHE, found_by_cache
from imgopt.rewrite.final.tables import table_copies
from imgopt.rewrite.final.versioned import version_patterns
from imgopt.rewrite.lines.quoting import folded, shell_word
from imgopt.rewrite.start.start_words import idle_entry_script, paths_through_links
from imgopt.rewrite.strategy import Situation


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
    copied = with_owners(carving.plan.copies, evidence.facts)
    step = _library_step(situation, final, carving, copied, name, base)
    named = paths_through_links(evidence, final.start_words, base.tree())
    early, prepare = _prepare(situation, carving)
    early = (
        *early,
        *carving.accounts.commands(),
        *([f"mkdir -p {EMPTY}"] if any(copy.sources == (EMPTY,) for copy in copied) else []),
        *(_link(path, target) for path, target in named.items()),
        *([step.command] if step.command and step.early else []),
    )
    prepare = (*prepare, *([step.command] if step.command and not step.early else []))
    cached = found_by_cache(evidence.view, carving.carved.paths("kept"))
    tables = [*carving.tables, *([CACHE] if cached and not final.shell else [])]
    gathered = (Copy((ROOT + "/",), "/"),) if carving.plan.links or named or step.command else ()
    of_the_system = step.early and not carving.plan.links  # which an edit of the source leaves
    copies, gather = within_layers(
        (
            *carving.foreign,
            *table_copies(tables, evidence),
            *library_copies(carving.libraries.keys() - step.brought),
            *(gathered if of_the_system else ()),
            *copied,
            *(() if of_the_system else gathered),
        ),
        evidence.facts,
        len(base.layers),
    )
    wanted = evidence.config
    if final.entry_script:
        wanted = msgspec.structs.replace(wanted, entrypoint=None)
    return replace(
        final,
        base=name,
        workdir=final.workdir or ("/" if base.config.workdir not in ("", "/") else ""),
        carved=carving.carved,
        accounts=carving.accounts.copies(),
        copies=copies,
        patterns=version_patterns(evidence, copies, situation.dockerfile.text),
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
        check=_check(situation, final, carving, copied, base),
        user=final.user or ("" if is_root(base.config.user) else "0:0"),
        comments=_comments(carving),
    )


def _library_step(
    situation: Situation,
    final: FinalStage,
    carving: Carving,
    copied: tuple[Copy, ...],
    name: str,
    base: Image,
) -> LibraryStep:
    """Where the base cannot install packages, and the run time is not of another image."""
    if final.shell or carving.foreign or situation.evidence is None:
        return LibraryStep()
    return library_step(
        situation.evidence,
        carving.libraries,
        copied,
        (name, base.tree()),
        made_early(situation.dockerfile, situation.stage),
        carving.plan.removals,
    )


def _check(
    situation: Situation,
    final: FinalStage,
    carving: Carving,
    copied: tuple[Copy, ...],
    base: Image,
) -> tuple[str, str]:
    """Where packages of the system are installed, one of which may lack later."""
    if not (final.shell and carving.packages) or situation.evidence is None:
        return "", ""
    return check_step(
        situation.evidence,
        copied,
        base.tree(),
        made_early(situation.dockerfile, situation.stage),
        carving.plan.removals,
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
    spelled = _as_named(situation, carving)
    early = _removal(spelled[path] for path in removals if is_early(path))
    late = _removal(spelled[path] for path in removals if not is_early(path))
    links = carving.plan.links
    if links:
        listed = " ".join(shell_word(path) for path in links)
        # told to preserve more, coreutils' cp fails on parents outside of / (seen with 9.1)
        gather = folded(f"mkdir -p {ROOT} && cp --parents -d {listed} {ROOT}")
        if all(is_early(path) for path in links):
            early = (*early, gather)
        else:
            late = (*late, gather)
    return early, late


def _link(path: str, target: str) -> str:
    place = ROOT + path
    return (
        f"mkdir -p {shell_word(posixpath.dirname(place))} && ln -s {shell_word(target)}"
        f" {shell_word(place)}"
    )


def _as_named(situation: Situation, carving: Carving) -> dict[str, str]:
    """Each removal as a word of the shell: by the pattern of the ecosystem that leaves it out,
    which holds for the next version too, where the pattern names nothing that stays."""
    evidence = situation.evidence
    assert evidence is not None
    left_out = carving.interpreter.runtime.unneeded if carving.interpreter is not None else ()
    words = {}
    for path in carving.plan.removals:
        globs = (
            glob
            for glob in left_out
            if fnmatchcase(path, glob)
            and path.count("/") == glob.count("/")
            and frozenset(matching(evidence.tree, glob)) <= frozenset(carving.plan.removals)
        )
        words[path] = next(globs, _by_ending(evidence, path, carving.plan.removals))
    return words


def _by_ending(evidence: Evidence, path: str, removals: Iterable[str]) -> str:
    """A pattern where all files of an ending go from a folder, so that the next one goes, too."""
    folder, name = posixpath.split(path)
    ending = posixpath.splitext(name)[1]
    gone = frozenset(removals)
    node = evidence.tree.get(folder)
    alike = [
        posixpath.join(folder, one)
        for one, other in ((node.children or {}).items() if node is not None else ())
        if ending and one.endswith(ending) and other.kind != "dir"
    ]
    if len(alike) < 2 or not gone.issuperset(alike):
        return shell_word(path)
    return f"{shell_word(folder)}/*{ending}"


def _removal(words_of_paths: Iterable[str]) -> tuple[str, ...]:
    words = " ".join(dict.fromkeys(words_of_paths))
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
    """The name of a file, that of a library without its version and architecture."""
    if not path.startswith("/"):
        return path
    name = path.rpartition("/")[2]
    return name.partition(".")[0] if is_shared_library(name) else name
