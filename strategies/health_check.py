"""health-check: a HEALTHCHECK that asks a path which the service was seen to answer, with a program
of the image."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from imgopt.context.facts.builds import Asker
from imgopt.dockerfile import Edit
from imgopt.rewrite.effects import other_base
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

PATHS = ("/health", "/healthz", "/actuator/health", "/ready", "/")
"""Of the paths that were asked, the one that says most about the service."""
OPTIONS = "--interval=30s --timeout=5s --start-period=30s"
VARIABLE = "PORT"


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Where the image has no health check and answered a path with status 200."""
    evidence, line = situation.evidence, situation.stage.line
    if any(
        item.keyword == "HEALTHCHECK"
        for part in situation.stage.chain
        for item in part.instructions
    ):
        return
    if evidence is None:
        yield Skip("needs `imgopt optimize`: which path the service answers is measured", line)
        return
    if evidence.config.healthcheck is not None:
        return
    path = next(
        (
            path
            for path in PATHS
            if path in evidence.seen.pages and evidence.seen.pages[path].status == 200
        ),
        "",
    )
    if not path or len(evidence.seen.ports) != 1:
        yield Skip("no path of one HTTP port was answered with status 200", line)
        return
    tools = [tool for ecosystem in situation.project.ecosystems for tool in ecosystem.asker]
    tool = next((tool for tool in tools if _has(situation, evidence, tool.program)), None)
    if tool is None:
        known = ", ".join(tool.program for tool in tools)
        yield Skip(f"the image has no program that can ask: {known}", line)
        return
    command = _command(situation, evidence, tool, path)
    if not command:
        yield Skip(f"{tool.program} needs a shell to read the port from ${VARIABLE}", line)
        return
    yield _placed(
        situation,
        f"HEALTHCHECK {OPTIONS} CMD {command}",
        f"GET {path} by {tool.program}, which is there",
    )


def _command(situation: Situation, evidence: Evidence, tool: Asker, path: str) -> str:
    """The exec form; the shell form where only a shell can read the port."""
    port = str(evidence.seen.ports[0])
    if not _port_by_variable(situation, evidence, port):
        return json_words(_words(tool, port, path))
    if tool.variable:
        return json_words(_words(tool, tool.variable, path))
    shell = situation.final.shell if situation.final is not None else evidence.view.has_shell
    return " ".join(_words(tool, f"${{{VARIABLE}}}", path)) if shell else ""


def _words(tool: Asker, port: str, path: str) -> tuple[str, ...]:
    filled = (word.replace("{port}", port).replace("{path}", path) for word in tool.arguments)
    return (tool.program, *filled)


def _port_by_variable(situation: Situation, evidence: Evidence, port: str) -> bool:
    said = situation.final.complement.environment if situation.final is not None else ()
    return evidence.config.environment.get(VARIABLE) == port or f"ENV {VARIABLE}={port}" in said


def _has(situation: Situation, evidence: Evidence, program: str) -> bool:
    """Whether the image to be holds it, where its search path leads."""
    final = situation.final
    places = [posixpath.join(folder, program) for folder in evidence.view.search_path]
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


def _placed(situation: Situation, text: str, what: str) -> Change:
    because = f"an orchestrator sees a service that hangs: {what}"
    final, stage = situation.final, situation.stage
    if final is not None:
        extra = replace(final.complement, start=(*final.complement.start, text))
        return Change(because, stage.line, final=replace(final, complement=extra))
    start = next(
        (item for item in stage.instructions if item.keyword in ("CMD", "ENTRYPOINT")), None
    )
    eol = situation.dockerfile.eol
    if start is None:
        at = stage.instructions[-1].extent.end
        lead = "" if situation.dockerfile.text[at - 1 : at] == "\n" else eol
        return Change(because, stage.line, (Edit(at, at, f"{lead}{text}{eol}"),))
    at = start.comments[0].start if start.comments else start.extent.start
    return Change(because, start.line, (Edit(at, at, f"{text}{eol}"),))


STRATEGY = Strategy(
    name="health-check",
    does="Adds a health check that the service has answered.",
    why=(
        "Docker and its orchestrators see that a process is there, not that it answers. A health"
        " check asks a path that the service was seen to answer, with a program that the image has"
        " already: nothing is installed for it. It changes what the image promises, so it is made"
        " only with `--allow health-check`, and the proof runs it."
    ),
    safety="suggestion",
    doubt=90,
    references=("https://docs.docker.com/reference/dockerfile/#healthcheck",),
    rewrite=rewrite,
    examples=(
        Example(
            "there is one already",
            before="FROM node:20\nHEALTHCHECK CMD curl -f localhost\nCMD node a\n",
            after=None,
        ),
        Example(
            "switched off by its author",
            before="FROM node:20\nHEALTHCHECK NONE\nCMD node a\n",
            after=None,
        ),
        Example(
            "needs the answers of a run",
            before="FROM node:20\nCMD node a\n",
            after=None,
            refused="which path the service answers is measured",
        ),
    ),
    refuses=(
        "No path was answered with status 200; more than one port; no program in the image that can"
        " ask (distroless static); a HEALTHCHECK of its own, NONE included."
    ),
)
