"""How a service may be asked whether it is well: by which path, which port, and which program of
the image to be."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.builds import Asker
from imgopt.context.facts.tuning import OwnProbe
from imgopt.inspect.sources.texts import is_foreign
from imgopt.rewrite.effects import other_base
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.settings import keyword_of
from imgopt.rewrite.strategy import Situation

PATHS = ("/health", "/healthz", "/actuator/health", "/ready", "/")
"""Of the paths that were asked, the one that says most about the service."""
OPTIONS = "--interval=30s --timeout=5s --start-period=30s"
VARIABLE = "PORT"


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked for; `by_variable`: the image's variable PORT says the port."""

    path: str
    port: str
    by_variable: bool


def has_one(situation: Situation) -> bool:
    """Whether the stage says a health check, NONE among it, or has one of its base."""
    said = situation.final
    texts = (*said.complement.start, *said.settings.start) if said is not None else ()
    if any(keyword_of(text) == "HEALTHCHECK" for text in texts):
        return True
    items = (item for part in situation.stage.chain for item in part.instructions)
    if any(item.keyword == "HEALTHCHECK" for item in items):
        return True
    evidence = situation.evidence
    return evidence is not None and evidence.config.healthcheck is not None


def page_to_ask(situation: Situation, evidence: Evidence) -> Page | str:
    """The reason where there is none. A page that another service is asked for tells how that one
    is: it would have this one started anew for the other's sake."""
    seen = evidence.seen
    good = [path for path in PATHS if path in seen.pages and seen.pages[path].status == 200]
    if not good or len(seen.ports) != 1:
        return "no path of one HTTP port was answered with status 200"
    alone = [path for path in good if _asks_nobody(path, seen.reaches, seen.companions)]
    if not alone:
        others = ", ".join(seen.companions)
        return f"every page that was answered asks another service, or may do so ({others})"
    port = str(seen.ports[0])
    return Page(alone[0], port, _port_by_variable(situation, evidence, port))


def _asks_nobody(
    path: str, reaches: Mapping[str, Sequence[str]] | None, companions: Sequence[str]
) -> bool:
    if reaches is None:
        return not companions
    return path in reaches and not reaches[path]


def askers(situation: Situation, evidence: Evidence) -> Iterator[Asker]:
    """Programs of the image to be that can ask: one that the service runs on, another
    interpreter, another tool."""
    tools = [tool for ecosystem in situation.project.ecosystems for tool in ecosystem.asker]

    def rank(tool: Asker) -> tuple[bool, bool]:
        node = evidence.view.command(tool.program)
        runs = node is not None and node.path in evidence.seen.executed
        return not runs, not tool.variable  # an interpreter reads its environment by itself

    return (tool for tool in sorted(tools, key=rank) if has(situation, evidence, tool.program))


def known_askers(ecosystems: Sequence[Ecosystem]) -> str:
    return ", ".join(tool.program for ecosystem in ecosystems for tool in ecosystem.asker)


def own_probe(situation: Situation, evidence: Evidence) -> tuple[str, ...]:
    """The command by which the program that is started asks itself; () where it has none."""
    start = (*(evidence.config.entrypoint or ()), *(evidence.config.cmd or ()))
    final = situation.final
    words = final.start_words if final is not None else start
    names = {posixpath.basename(word): word for word in words[:3]}
    for fact in (fact for one in situation.project.ecosystems for fact in one.own_probe):
        for called, word in names.items():
            if fact.programs and any(fnmatchcase(called, glob) for glob in fact.programs):
                filled = _filled(fact, word, "")
                if has(situation, evidence, filled[0]):
                    return filled
        if not fact.programs and words:
            name = _in_sources(situation, fact)
            if name and _is_own_program(evidence, words[0]):
                return _filled(fact, words[0], name)
    return ()


def _filled(fact: OwnProbe, program: str, name: str) -> tuple[str, ...]:
    return tuple(word.replace("{program}", program).replace("{name}", name) for word in fact.words)


def _in_sources(situation: Situation, fact: OwnProbe) -> str:
    context = situation.project.context
    for path in context.ordered:
        if path.endswith(tuple(fact.source_endings)) and not is_foreign(f"/{path}"):
            match = re.search(fact.sources, context.text(path)) if "_test." not in path else None
            if match:
                return match["name"]
    return ""


def _is_own_program(evidence: Evidence, word: str) -> bool:
    """A program that was compiled of the project's sources."""
    node = evidence.view.command(word)
    return (
        node is not None
        and not evidence.view.in_base(node)
        and evidence.view.head(node).startswith(b"\x7fELF")
    )


def _port_by_variable(situation: Situation, evidence: Evidence, port: str) -> bool:
    said = situation.final.complement.environment if situation.final is not None else ()
    return evidence.config.environment.get(VARIABLE) == port or f"ENV {VARIABLE}={port}" in said


def has_shell(situation: Situation, evidence: Evidence) -> bool:
    final = situation.final
    return final.shell if final is not None else evidence.view.has_shell


def has(situation: Situation, evidence: Evidence, program: str) -> bool:
    """Whether the image to be holds it, where its search path leads."""
    final = situation.final
    folders = [""] if "/" in program else evidence.view.search_path
    places = [posixpath.join("/", folder, program) for folder in folders]
    name = final.base if final is not None else other_base(situation.effects)
    if not name:
        return evidence.view.command(program) is not None
    base = evidence.look_into(name) if evidence.look_into is not None else None
    if base is not None and any(base.tree().resolve(place) is not None for place in places):
        return True
    if final is None:
        return False
    copied = {copy.destination.rstrip("/") for copy in final.copies}
    copied |= {
        source for copy in final.copies if copy.destination.endswith("/") for source in copy.sources
    }
    return any(
        place == there or place.startswith(there + "/") for place in places for there in copied
    )
