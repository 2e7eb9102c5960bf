"""health-check: a HEALTHCHECK that asks the service, with a program of the image."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.context.facts.builds import Asker
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.image_examples import answering
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.start.health import (
    OPTIONS,
    VARIABLE,
    Page,
    askers,
    has_one,
    has_shell,
    known_askers,
    own_probe,
    page_to_ask,
)
from imgopt.rewrite.start.placed import placed
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Where the image has no health check and is a service that can be asked."""
    evidence, line = situation.evidence, situation.stage.line
    if has_one(situation):
        return
    if evidence is None:
        yield Skip("needs `imgopt optimize`: which path the service answers is measured", line)
        return
    own = own_probe(situation, evidence)
    if own and evidence.seen.stop_code is not None:
        yield _said(situation, json_words(own), f"`{' '.join(own)}`, its program's own")
        return
    page = page_to_ask(situation, evidence)
    if isinstance(page, str):
        yield Skip(page, line)
        return
    tool = next(askers(situation, evidence), None)
    if tool is None:
        known = known_askers(situation.project.ecosystems)
        yield Skip(f"the image has no program that can ask: {known}", line)
        return
    command = _command(situation, evidence, tool, page)
    if not command:
        yield Skip(f"{tool.program} needs a shell to read the port from ${VARIABLE}", line)
        return
    yield _said(situation, command, f"GET {page.path} by {tool.program}, which is there")


def _said(situation: Situation, command: str, what: str) -> Change:
    because = f"an orchestrator sees a service that hangs: {what}"
    return placed(situation, f"HEALTHCHECK {OPTIONS} CMD {command}", because)


def _command(situation: Situation, evidence: Evidence, tool: Asker, page: Page) -> str:
    """The exec form; the shell form where only a shell can read the port."""
    if not page.by_variable:
        return json_words(_words(tool, page.port, page.path))
    if tool.variable:
        return json_words(_words(tool, tool.variable, page.path))
    shell = has_shell(situation, evidence)
    return " ".join(_words(tool, f"${{{VARIABLE}}}", page.path)) if shell else ""


def _words(tool: Asker, port: str, path: str) -> tuple[str, ...]:
    filled = (word.replace("{port}", port).replace("{path}", path) for word in tool.arguments)
    return (tool.program, *filled)


STRATEGY = Strategy(
    name="health-check",
    does="Adds a health check that the service has answered.",
    why=(
        "Docker and its orchestrators see that a process is there, not that it answers. A health"
        " check asks the service by its program's own flag or client where it has one, else for a"
        " page that it was seen to answer, with the interpreter or a tool that the image has"
        " already: nothing is installed for it. A page for which the service asks another one is"
        " not used: it would be started anew because that one is away. It changes what the image"
        " promises, so it is made only with `--allow health-check`, and the proof runs it in the"
        " image to be."
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
    evidence_examples=(
        answering("an error alone", {"/": 500}, refused="no path of one HTTP port"),
        answering("several ports", {"/": 200}, ports=(80, 81), refused="no path of one HTTP port"),
        answering(
            "a page that asks the database, and no other",
            {"/health": 200},
            reaches={"/health": ("db",)},
            companions=("db",),
            refused="asks another service",
        ),
        answering(
            "companions, and nobody saw who is asked",
            {"/health": 200, "/": 200},
            companions=("db",),
            refused="asks another service, or may do so (db)",
        ),
        answering(
            "no program that can ask",
            {"/": 200},
            without=("/usr/local/bin/python3", "/usr/local/bin/node"),
            refused="the image has no program that can ask",
        ),
        answering(
            "the interpreter is asked, though a tool is there",
            {"/health": 200, "/": 200},
            more=("/usr/bin/curl",),
            after=(
                'HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python3", "-c",'
                " \"import os,urllib.request as r;r.urlopen('http://127.0.0.1:'+str(8000)+'/health'"
                ',timeout=4)"]'
            ),
        ),
        answering(
            "a page that asks nobody, beside one that does",
            {"/health": 200, "/": 200},
            reaches={"/health": ("db",), "/": ()},
            companions=("db",),
            without=("/usr/local/bin/python3", "/usr/local/bin/node"),
            more=("/usr/bin/curl",),
            after=(
                'HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["curl", "-fsS",'
                ' "-o", "/dev/null", "http://127.0.0.1:8000/"]'
            ),
        ),
        answering(
            "a program that asks itself",
            {"/health": 200},
            start='CMD ["/app/serve"]',
            sources={"main.go": 'var check = flag.Bool("healthcheck", false, "ask and end")\n'},
            after=(
                "HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD"
                ' ["/app/serve", "-healthcheck"]'
            ),
        ),
    ),
    refuses=(
        "No path was answered with status 200, or only such that ask another service; more than one"
        " port; no program in the image that can ask (distroless static): `health-prober` brings"
        " one; a HEALTHCHECK of its own, NONE included."
    ),
)
