"""runtime-base: a built site is served by a web server's own image, not by the image that built
it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from imgopt.context.facts.runs import WebServer
from imgopt.dockerfile import Edit
from imgopt.dockerfile.typed import Run
from imgopt.image.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sites.file_servers import FileServer, known_servers
from imgopt.inspect.sites.site_paths import kinds
from imgopt.rewrite.bases import NOT_CARVED, NOT_HAD, SUITES
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import Carved, Verdict, is_below
from imgopt.rewrite.final.final_stage import Copy, FinalStage, TextFile
from imgopt.rewrite.final.settings import complement, without_start
from imgopt.rewrite.final.site_server import site_server
from imgopt.rewrite.final.web_server import SCRATCH, Manners, Refused, manners, server_block, whole
from imgopt.rewrite.strategy import SERVER, Change, Example, Situation, Skip, Strategy
from imgopt.run.what_to_ask import health_words

OLD_SYNTAX = ("1.0", "1.1", "1.2", "1.3", "experimental")
"""Versions of the Dockerfile syntax without here-documents."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Where the image starts a known server of files, whose every kind of answer was seen."""
    evidence, line = situation.evidence, situation.stage.line
    if evidence is None:
        yield from _static(situation)
        return
    server = site_server(situation.project)
    if not isinstance(server, FileServer):
        if server:
            yield Skip(server, line)
        return
    facts = next(
        (item.web_server for item in situation.project.ecosystems if item.web_server is not None),
        None,
    )
    if situation.final is None or facts is None:
        yield Skip(NOT_CARVED, line)
        return
    try:
        manner = manners(
            kinds(evidence.view, server.folder),
            evidence.seen.pages,
            evidence.view.is_file(f"{server.folder}/404.html"),
            known_servers()[server.program].types,
        )
    except Refused as refused:
        yield Skip(f"{server.program}: {refused}", line)
        return
    yield from _on_an_image(situation, situation.final, server, facts, manner)


def _static(situation: Situation) -> Iterator[Skip]:
    commands = [
        item for item in situation.stage.instructions if item.keyword in ("CMD", "ENTRYPOINT")
    ]
    for item in commands:
        names = {posixpath.basename(word.strip('"[],')) for word in item.value.split()}
        if not names.isdisjoint({name.partition(" ")[0] for name in known_servers()}):
            yield Skip(
                "needs `imgopt optimize`: how each kind of path is answered is measured", item.line
            )


def _on_an_image(
    situation: Situation, final: FinalStage, server: FileServer, facts: WebServer, manner: Manners
) -> Iterator[Change | Skip]:
    evidence, line = situation.evidence, situation.stage.line
    assert evidence is not None
    syntax = next(
        (item.value for item in situation.dockerfile.directives if item.name == "syntax"), ""
    )
    if syntax.rpartition(":")[2].startswith(OLD_SYNTAX):
        yield Skip(
            f"the syntax {syntax} has no here-documents, in which the web server's settings are"
            " written",
            line,
        )
        return
    missing = []
    for name in _candidates(facts, evidence):
        image = evidence.look_into(name) if evidence.look_into else None
        if image is None:
            missing.append(Skip(f"{name} {NOT_HAD}", line))
            continue
        refusal = _misfit(evidence, image, facts)
        if refusal:
            yield Skip(f"{name} {refusal}", line)
            continue
        new = _stage(evidence, final, server, facts, manner, name, image)
        dropped = new.carved.bytes("dropped")
        because = (
            f"{server.program} only hands out the files of {server.folder}: {name} answers every"
            f" kind of path in the same way; {dropped / 1e6:.1f} MB stay in the builder"
        )
        yield Change(because, line, _unneeded_steps(situation, server.folder), final=new)
        return
    yield from missing


def _unneeded_steps(situation: Situation, folder: str) -> tuple[Edit, ...]:
    """The last steps of the builder whose layers hold nothing of the site: those that install its
    server."""
    evidence = situation.evidence
    assert evidence is not None
    last = max(
        (fact.layer for path, fact in evidence.facts.items() if is_below(path, [folder])),
        default=-1,
    )
    history = evidence.view.image.layer_history[last + 1 :]
    later = [step.created_by.removesuffix(" # buildkit") for step in history if step is not None]
    edits: list[Edit] = []
    for item in reversed(situation.stage.instructions):
        if item.keyword in ("COPY", "ADD", "WORKDIR", "FROM"):
            break
        if item.keyword != "RUN":
            continue
        typed = item.typed
        text = str(typed.shell or "") if isinstance(typed, Run) and not item.heredocs else ""
        if not text or not any(step.endswith(f"-c {text}") for step in later):
            break
        edits.append(
            Edit(
                item.comments[0].start if item.comments else item.extent.start, item.extent.end, ""
            )
        )
    return tuple(reversed(edits))


def _candidates(facts: WebServer, evidence: Evidence) -> list[str]:
    suite = evidence.os_release.get("VERSION_CODENAME", "")
    filled = [
        name.replace("{suite}", suite)
        for name in facts.images
        if suite in SUITES or "{suite}" not in name
    ]
    return list(dict.fromkeys(filled))


def _misfit(evidence: Evidence, image: Image, facts: WebServer) -> str:
    view = ImageView(image)
    if not view.is_file(facts.program):
        return f"has no {facts.program}"
    words = (
        health_words(evidence.config.healthcheck.test)
        if evidence.config.healthcheck is not None
        else None
    )
    if words and view.command(words[0]) is None:
        return f"has no {words[0]}, which the health check needs"
    return ""


def _stage(
    evidence: Evidence,
    final: FinalStage,
    server: FileServer,
    facts: WebServer,
    manner: Manners,
    name: str,
    image: Image,
) -> FinalStage:
    config, own = image.config, evidence.view.identity
    settings = without_start(final.settings)
    wanted = msgspec.structs.replace(
        evidence.config,
        entrypoint=config.entrypoint,
        cmd=config.cmd,
        stop_signal=config.stop_signal,
    )
    extra = complement(settings, wanted, config, same_family=False)
    user = f"{own.uid}:{own.gid}" if own is not None and not own.is_root else ""
    port = evidence.seen.ports[0]
    by_variable = server.port is None and bool(server.port_variable)
    if by_variable:
        said = [f"ENV {facts.templates_go_to}={SCRATCH}"]
        if server.port_variable not in evidence.config.environment:
            said.append(f"ENV {server.port_variable}={port}")
        extra = replace(extra, environment=(*extra.environment, *said))
    listen = f"${{{server.port_variable}}}" if by_variable else str(port)
    return FinalStage(
        builder=final.builder,
        base=name,
        shell=True,
        carved=_carved(final.carved, server.folder),
        copies=(Copy((server.folder,), server.folder),),
        files=_files(facts, server_block(manner, server.folder, listen), by_variable=by_variable),
        server=facts.program,
        server_user=facts.user,
        settings=settings,
        complement=extra,
        start_words=(*(config.entrypoint or ()), *(config.cmd or ())),
        workdir=final.workdir,
        user=user,
        comments={
            "files": f"Every kind of path is answered as {server.program} was seen to answer it"
        },
    )


def _files(facts: WebServer, block: str, *, by_variable: bool) -> tuple[TextFile, ...]:
    if not by_variable:
        return (TextFile(facts.settings, whole(block)),)
    main = TextFile(facts.settings, whole(f"include {SCRATCH}/*.conf;"))
    return (main, TextFile(f"{facts.templates}/default.conf.template", block))


def _carved(carved: Carved, folder: str) -> Carved:
    """The site is kept whole; nothing else can be asked for."""
    left = Verdict("dropped", "not served: only the files of the built site are")
    fates = {
        path: Verdict("kept", "") if is_below(path, [folder]) else left for path in carved.fates
    }
    return Carved(fates, carved.facts)


STRATEGY = Strategy(
    name="runtime-base",
    does="Hands out a built site by a web server alone.",
    why=(
        "A front end is built once and then only handed out. The server that does this from the"
        " image that built it brings a language, a package manager and hundreds of packages for it."
        " A web server's own image has none of them; its settings are written from what the"
        " original was seen to answer: media types, pages without their ending, what is not there."
    ),
    safety="evidence",
    promises=frozenset([SERVER]),
    makes=("slim",),
    doubt=85,
    references=(
        "https://nginx.org/en/docs/http/ngx_http_core_module.html#try_files",
        "https://github.com/vercel/serve-handler#options",
        "https://create-react-app.dev/docs/deployment/",
    ),
    rewrite=rewrite,
    examples=(
        Example(
            "needs the answers of a run",
            before=(
                'FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm run build\nCMD ["serve", "-s",'
                ' "build"]\n'
            ),
            after=None,
            refused="how each kind of path is answered is measured",
        ),
        Example(
            "a program of one's own",
            before='FROM node:20\nCOPY . .\nCMD ["node", "server.js"]\n',
            after=None,
        ),
    ),
    refuses=(
        "A server that compiles while it runs; one with settings of its own (serve.json, a proxy,"
        " headers); lists of folders; pages of its own for what is not there; a web server's image"
        " that cannot be had."
    ),
)
