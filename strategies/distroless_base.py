"""distroless-base: the final stage on a base without shell and package manager."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from imgopt.image.image import Image
from imgopt.image.recipe import DEBIAN, PROGRAM, File
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.package_files import files_lacking
from imgopt.inspect.system.certificates import BUNDLED
from imgopt.rewrite.bases import NOT_CARVED, NOT_HAD, distroless_candidates
from imgopt.rewrite.evidence import Evidence, read_release
from imgopt.rewrite.final.carving import Carving, carve_on
from imgopt.rewrite.final.final_stage import ROOT, Copy, FinalStage, run_lines
from imgopt.rewrite.final.interpreter import start_programs
from imgopt.rewrite.final.library_step import program_step
from imgopt.rewrite.final.named_packages import asked_packages
from imgopt.rewrite.final.on_base import on_base, without_entry_script
from imgopt.rewrite.final.settings import complement
from imgopt.rewrite.final.smaller_runtime import SmallerRuntime, draws, smaller_runtime
from imgopt.rewrite.image_examples import PYTHON_TEXT, SOURCE, WORKDIR, python_example
from imgopt.rewrite.start.start_words import SHELLS, explained_by_start
from imgopt.rewrite.strategy import OWN_STAGE, Change, Situation, Skip, Strategy

CXX = ("libstdc++.so", "libgcc_s.so", "libgomp.so")


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Takes the smallest kind of distroless base that fits: static, base or cc."""
    evidence, final = situation.evidence, situation.final
    if evidence is None or final is None:
        yield Skip(NOT_CARVED if evidence else "needs `imgopt optimize`")
        return
    if final.server:
        yield _web_server(situation, final, evidence)
        return
    stage = situation.stage
    final = without_entry_script(situation, final)
    situation = replace(situation, final=final)
    refusal = _needs_shell(evidence, final)
    if refusal:
        yield Skip(refusal, stage.line)
        return
    probe = carve_on(situation, None, packages=False)
    runtime = (
        smaller_runtime(situation, probe.interpreter) if probe.interpreter is not None else None
    )
    if runtime is not None and probe.interpreter is not None:
        drawer = draws(evidence, probe.carved, probe.interpreter)
        if drawer:
            yield Skip(
                f"{drawer} may draw with the fonts of the system, which such a base lacks",
                stage.line,
            )
            return
    missing = []
    for kind in _kinds(probe):
        for name in distroless_candidates(kind, situation.project.ecosystems, evidence.os_release):
            image = evidence.look_into(name) if evidence.look_into else None
            if image is None:
                missing.append(Skip(f"{name} {NOT_HAD}", stage.line))
                continue
            new = _on(situation, final, name, image, runtime)
            if isinstance(new, Skip):
                yield new
                continue
            because = f"{name} has neither shell nor package manager; {_what(probe, runtime)}"
            yield Change(because, stage.line, final=new)
            return
    yield from missing
    if not distroless_candidates("base", situation.project.ecosystems, evidence.os_release):
        yield Skip(
            f"no distroless base of {evidence.os_release.get('PRETTY_NAME', 'this distribution')}",
            stage.line,
        )


def _web_server(situation: Situation, final: FinalStage, evidence: Evidence) -> Change | Skip:
    """The web server is carved out of its own image, with the libraries that it needs."""
    line = situation.stage.line
    facts = next(
        (item.web_server for item in situation.project.ecosystems if item.web_server is not None),
        None,
    )
    image = evidence.look_into(final.base) if evidence.look_into else None
    if facts is None or image is None or len(final.files) > 1:
        return Skip("the web server's settings are filled in at start by a shell", line)
    if evidence.config.healthcheck is not None and evidence.config.healthcheck.test[:1] != (
        "NONE",
    ):
        return Skip("the HEALTHCHECK needs a program that this base lacks", line)
    source = ImageView(image)
    for name in distroless_candidates(
        "base", situation.project.ecosystems, read_release(image.tree())
    ):
        base = evidence.look_into(name) if evidence.look_into else None
        if base is None:
            continue
        taken = {stage.name for stage in situation.dockerfile.stages}
        stage = next(one for one in ("server", "web-server", "server-files") if one not in taken)
        step = program_step(source, facts.program, name)
        copies = (
            Copy((facts.program,), facts.program, stage=stage),
            Copy((ROOT + "/",), "/", stage=stage),
        )
        start = tuple(facts.start)
        wanted = msgspec.structs.replace(
            evidence.config, entrypoint=start, cmd=(), stop_signal=facts.stop_signal
        )
        new = replace(
            final,
            base=name,
            shell=False,
            beside=(f"FROM {final.base} AS {stage}\n{run_lines([step])}",),
            copies=(*copies, *final.copies),
            complement=complement(final.settings, wanted, base.config, same_family=False),
            start_words=start,
        )
        return Change(
            f"{name} with {facts.program} of {final.base} and its libraries, without a shell",
            line,
            final=new,
        )
    return Skip(f"no distroless base can be had for {final.base}", line)


def _kinds(carving: Carving) -> tuple[str, ...]:
    if carving.interpreter is not None:
        return ("cc",)
    if not carving.needs.dynamic:
        return ("static", "base", "cc")
    return (
        ("cc",) if any(name.startswith(CXX) for name in carving.needs.sonames) else ("base", "cc")
    )


def _on(
    situation: Situation, final: FinalStage, name: str, image: Image, runtime: SmallerRuntime | None
) -> FinalStage | Skip:
    evidence = situation.evidence
    assert evidence is not None
    stage = situation.stage
    carving = carve_on(situation, image, packages=False, runtime=runtime)
    if carving.missing:
        path, why = next(iter(carving.missing.items()))
        return Skip(f"{name} lacks {path} ({why})", stage.line)
    programs = [path for path in carving.libraries if _is_program(path)]
    if programs:
        return Skip(f"{name} lacks {programs[0]} ({carving.libraries[programs[0]]})", stage.line)
    lacking = _lacks_asked(situation, carving, image)
    if lacking:
        return Skip(
            f"{name} cannot install {lacking}, which the Dockerfile installs by name", stage.line
        )
    bare = replace(final, shell=False)
    new = on_base(situation, bare, carving, name, image, same_family=False)
    return replace(new, packages=(), install="", setup=())


def _lacks_asked(situation: Situation, carving: Carving, image: Image) -> str:
    """A package that the author asked for and of which not all is there or copied; "" for none."""
    evidence = situation.evidence
    assert evidence is not None
    tree, view = image.tree(), evidence.view
    copied = {posixpath.basename(path) for path in carving.libraries}

    def has(path: str) -> bool:
        node = view.file(path)
        elf = view.elf(node) if node is not None else None
        return (
            path in carving.libraries
            or tree.resolve(path) is not None
            or (elf is not None and elf.soname in copied)
        )

    for name in asked_packages(situation.project, evidence, situation.dockerfile):
        package = view.packages.named(name)
        bundled = name in BUNDLED and tree.resolve(BUNDLED[name]) is not None
        if bundled and package is not None and not evidence.opened & set(package.files):
            continue
        if package is not None and any(files_lacking(view, package, has)):
            return name
    return ""


def _is_program(path: str) -> bool:
    """A program of the system, not a library and not the dynamic loader."""
    return posixpath.dirname(path) in ("/bin", "/sbin", "/usr/bin", "/usr/sbin")


def _needs_shell(evidence: Evidence, final: FinalStage) -> str:
    """Why this service cannot do without a shell; empty when it can."""
    config = evidence.config
    words = final.start_words
    explained = explained_by_start(evidence, words, final.entry_script)
    for path in start_programs(evidence, words):
        name = posixpath.basename(path)
        if explained(path):
            continue
        if name in SHELLS:
            seen = path in evidence.seen.executed
            return f"{path} is {'executed in the smoke run' if seen else 'what the image starts'}"
        node = evidence.view.file(path)
        shebang = evidence.view.shebang(node) if node is not None else ()
        if (
            shebang
            and posixpath.basename(shebang[0]) in SHELLS
            and not _is_handed_to(path, shebang, words, evidence)
        ):
            return f"{path} is a script for {shebang[0]}"
    if config.healthcheck is not None and config.healthcheck.test[:1] in (("CMD-SHELL",), ("CMD",)):
        check = config.healthcheck.test
        if check[0] == "CMD-SHELL":
            return "the HEALTHCHECK runs in a shell"
    if not words:
        return "the image starts nothing by itself"
    if evidence.seen.opened is None:
        return "not measured which programs the service runs, and a shell could be among them"
    return ""


def _is_handed_to(
    path: str, shebang: Sequence[str], words: Sequence[str], evidence: Evidence
) -> bool:
    """Whether the new start gives this script to the interpreter that its first line looks for
    (`node vite.js`)."""
    interpreter = posixpath.basename(words[0]) if words else ""
    named = {node.path for word in words[1:] if (node := evidence.view.command(word)) is not None}
    return path in named and any(
        posixpath.basename(part) == interpreter for word in shebang for part in word.split()
    )


def _what(carving: Carving, runtime: SmallerRuntime | None) -> str:
    if runtime is not None and carving.interpreter is not None:
        return f"{runtime.tree} comes from {runtime.image}, with the libraries that it needs"
    if carving.interpreter is not None:
        return (
            f"the {carving.interpreter.name} of the original is copied with the libraries that it"
            " needs"
        )
    return (
        "the program needs no system library"
        if not carving.needs.dynamic
        else "the C library is all it needs"
    )


_BARE = {path: DEBIAN[path] for path in ("/etc/os-release", "/etc/passwd", "/etc/group")}
STRATEGY = Strategy(
    name="distroless-base",
    does="Moves to a base without shell and package manager.",
    why=(
        "A base without shell and package manager is smaller and leaves an intruder less to work"
        " with. An interpreter is taken from the original itself, so its version never differs,"
        " together with the shared libraries that it and the kept files need."
    ),
    safety="evidence",
    promises=frozenset([OWN_STAGE]),
    variants=("distroless",),
    makes=("distroless",),
    doubt=55,
    references=("https://github.com/GoogleContainerTools/distroless",),
    rewrite=rewrite,
    refuses=(
        "A shell or a system program that was executed, a shell-form CMD or HEALTHCHECK, an entry"
        " script; another distribution than Debian; opened files not measured."
    ),
    evidence_examples=(
        python_example(
            "started by a script of the shell",
            variant="distroless",
            before='FROM python:3.11\nWORKDIR /app\nCOPY . .\nENTRYPOINT ["/app/run.sh"]\n',
            layers=(WORKDIR, ("COPY . .", {"/app/run.sh": File("#!/bin/sh\necho 1\n", 0o755)})),
            config={"Entrypoint": ["/app/run.sh"], "WorkingDir": "/app"},
            opened=frozenset(["/app/run.sh", "/bin/sh"]),
            executed=frozenset(["/app/run.sh", "/bin/sh"]),
            bases={"gcr.io/distroless/cc-debian12:nonroot": _BARE},
            refused="/app/run.sh is a script for /bin/sh",
        ),
        python_example(
            "none can be had",
            variant="distroless",
            before=PYTHON_TEXT,
            layers=(WORKDIR, SOURCE),
            refused="cannot be had here",
        ),
        python_example(
            "a program by itself",
            variant="distroless",
            before='FROM golang:1.22\nWORKDIR /app\nCOPY . .\nRUN make\nCMD ["/app/server"]\n',
            layers=(WORKDIR, SOURCE, ("RUN make", {"/app/server": PROGRAM})),
            config={"Cmd": ["/app/server"], "WorkingDir": "/app"},
            opened=frozenset(["/app/server"]),
            executed=frozenset(["/app/server"]),
            bases={"gcr.io/distroless/static-debian12:nonroot": _BARE},
            after=(
                "FROM golang:1.22 AS builder\nWORKDIR /app\nCOPY . .\nRUN make\n\n"
                "FROM gcr.io/distroless/static-debian12:nonroot\nCOPY --from=builder /app /app\n"
                'WORKDIR /app\nCMD ["/app/server"]\n'
            ),
        ),
    ),
)
