"""One build: what is asked for, what comes back, and how a failure is told."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from imgopt.engine.faults import disk_failure, full_disk, gone, no_network
from imgopt.engine.rawjson import BuildEvent, Progress, Step
from imgopt.errors import EnvironmentFailure, FindingsError, ImgoptError, InputError, Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgopt.config import Config

Listener = Callable[[BuildEvent], None]
FailureKind = Literal["step", "syntax", "base", "context", "stage", "other"]
_SYNTAX = re.compile(
    r"(?im)^(?P<mark>\ufeff?(?:#|//)[ \t]*)syntax(?P<rest>[ \t]*=[ \t]*(?P<image>\S+)[ \t]*\r?)$"
)
_CACHE_KEY = re.compile(r"failed to compute cache key: |failed to calculate checksum of ref \S+: ")
"""What BuildKit puts before `"/path": not found`; the reference is another one in every run."""
_DIRECTIVE = re.compile(r"\ufeff?(?:#|//)[ \t]*[A-Za-z][\w.-]*[ \t]*=")


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What `docker buildx build` is asked for.

    `dockerfile` is text, or a path; None is the context's own `Dockerfile`. `ignore` replaces the
    .dockerignore; None leaves the one that BuildKit would find (beside the Dockerfile path, else in
    the context). Neither is ever written into the context. `bases` maps names in FROM and COPY
    --from to other images. `secrets`, `ssh` and `extra` are buildx's own arguments (`id=x,src=y`).
    `name` is the image's short name; a session makes the tag from it. `output` "cacheonly" builds
    every step and exports nothing.
    """

    context: Path
    dockerfile: str | Path | None = None
    ignore: str | None = None
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    platform: str | None = None
    network: str | None = None
    bases: Mapping[str, str] = field(default_factory=dict)
    name: str = "image"
    tag: str | None = None
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    output: Literal["load", "cacheonly"] = "load"
    extra: tuple[str, ...] = ()
    file: str = "Dockerfile"
    """The Dockerfile's name in messages."""


def configured(context: Path, config: Config) -> BuildRequest:
    """The build of a context as the configuration, with the command line in it, says."""
    section = config.build
    return BuildRequest(
        context,
        target=section.target,
        build_args=section.args,
        secrets=tuple(section.secrets),
        ssh=tuple(section.ssh),
        platform=section.platform,
        network=section.network,
        bases=config.bases,
        extra=(
            *(f"--build-context={name}={place}" for name, place in section.contexts.items()),
            *section.arguments,
        ),
    )


@dataclass(frozen=True, slots=True)
class Build:
    """What a build gave. `image_id` and `reference` are None for output "cacheonly"; `notes` say
    what was done differently from the request (an unreachable `# syntax=` image)."""

    image_id: str | None
    reference: str | None
    steps: tuple[Step, ...]
    seconds: float
    export_seconds: float
    notes: tuple[str, ...] = ()


class BuildFailure(FindingsError):
    """A build that failed by what its Dockerfile says (exit code 1), or for want of a base image
    (3). `log` is the step's last output."""

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind,
        step: Step | None,
        steps: tuple[Step, ...],
        location: Location | None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, location=location, hint=hint)
        self.kind = kind
        self.exit_code = 3 if kind == "base" else 1
        self.step = step
        self.steps = steps
        self.log: tuple[str, ...] = step.log if step else ()


def run_build(
    request: BuildRequest,
    command: Sequence[str],
    environment: Mapping[str, str],
    syntax_known: Callable[[str], bool],
    on_event: Listener | None = None,
    on_process: Callable[[subprocess.Popen[str]], None] | None = None,
    scratch: str = "imgopt-dockerfile-",
) -> tuple[Progress, float, tuple[str, ...]]:
    """Runs `command build ...` (a buildx command line) to its end; its progress, seconds and notes.

    Raises BuildFailure, InputError for a missing context or Dockerfile, EnvironmentFailure for a
    full disk or a lost engine.
    """
    if not request.context.is_dir():
        raise InputError(
            f"the build context {request.context} is not a directory",
            hint="name an existing directory",
        )
    progress = Progress(on_event)
    with prepared(request, syntax_known, scratch) as (dockerfile, notes):
        started = time.monotonic()
        code = _follow(
            [*command, *_arguments(request, dockerfile)], environment, progress, on_process
        )
        seconds = time.monotonic() - started
        if code != 0:
            raise failure(request, progress, dockerfile.read_text(errors="replace"))
    return progress, seconds, notes


@contextmanager
def prepared(
    request: BuildRequest, syntax_known: Callable[[str], bool], scratch: str
) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The Dockerfile to give to buildx: the user's own where nothing differs, else a copy outside
    the context."""
    own = (
        request.dockerfile
        if isinstance(request.dockerfile, Path)
        else request.context / "Dockerfile"
    )
    text = request.dockerfile if isinstance(request.dockerfile, str) else _read(own, request.file)
    usable, notes = _without_unreachable_syntax(text, syntax_known)
    if usable == text and request.ignore is None and not isinstance(request.dockerfile, str):
        yield own, notes
        return
    with tempfile.TemporaryDirectory(prefix=scratch) as folder:
        copy = Path(folder, "Dockerfile")
        copy.write_bytes(usable.encode(errors="surrogateescape"))
        ignore = request.ignore
        if ignore is None and not isinstance(request.dockerfile, str):
            ignore = _beside(own)
        if (
            ignore is not None
        ):  # BuildKit takes an empty file for a missing one, and would read the context's own
            Path(folder, "Dockerfile.dockerignore").write_text(
                ignore if ignore.strip() else "# nothing\n"
            )
        yield copy, notes


def _beside(dockerfile: Path) -> str | None:
    own = dockerfile.with_name(dockerfile.name + ".dockerignore")
    return own.read_text(errors="surrogateescape") if own.is_file() else None


def _read(dockerfile: Path, name: str) -> str:
    try:
        return dockerfile.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise InputError(
            f"cannot read the Dockerfile: {error.strerror}",
            location=Location(name),
            hint="name it with --file",
        ) from None


def _without_unreachable_syntax(
    text: str, known: Callable[[str], bool]
) -> tuple[str, tuple[str, ...]]:
    """Where the frontend image of `# syntax=` cannot be had, the engine's own frontend reads the
    file: the directive gets a name that BuildKit does not know, so that all else keeps its
    place."""
    match = _SYNTAX.search(text)
    if match is None or not _only_directives(text[: match.start()]) or known(match["image"]):
        return text, ()
    changed = f"{text[: match.start()]}{match['mark']}not-used{match['rest']}{text[match.end() :]}"
    return changed, (
        f"{match['image']} cannot be pulled: the engine's own Dockerfile frontend was used",
    )


def _only_directives(text: str) -> bool:
    return all(_DIRECTIVE.match(line) for line in text.splitlines())


def _arguments(request: BuildRequest, dockerfile: Path) -> list[str]:
    arguments = ["--progress=rawjson", "--provenance=false", "--sbom=false", f"--file={dockerfile}"]
    arguments += ["--load"] if request.output == "load" else ["--output=type=cacheonly"]
    for option, value in (
        ("tag", request.tag),
        ("target", request.target),
        ("platform", request.platform),
    ):
        arguments += [f"--{option}={value}"] if value else []
    arguments += [f"--network={request.network}"] if request.network else []
    arguments += ["--no-cache"] if request.no_cache else []
    arguments += [f"--no-cache-filter={stage}" for stage in request.no_cache_filter]
    arguments += [f"--build-arg={name}={value}" for name, value in request.build_args.items()]
    arguments += [
        f"--build-context={name}=docker-image://{image}" for name, image in request.bases.items()
    ]
    arguments += [f"--label={name}={value}" for name, value in request.labels.items()]
    arguments += [f"--secret={secret}" for secret in request.secrets]
    arguments += [f"--ssh={ssh}" for ssh in request.ssh]
    return [*arguments, *request.extra, "--", str(request.context)]


def _follow(
    command: Sequence[str],
    environment: Mapping[str, str],
    progress: Progress,
    on_process: Callable[[subprocess.Popen[str]], None] | None,
) -> int:
    # a group of its own: the terminal's Ctrl-C reaches us alone, and we end buildx once, in order
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=dict(environment),
        start_new_session=True,
    )
    try:
        if on_process is not None:
            on_process(process)
        assert process.stderr is not None
        for line in process.stderr:
            progress.feed(line)
        return process.wait()
    finally:
        end_process(process)


def end_process(process: subprocess.Popen[str], grace: float = 3.0) -> None:
    """Ends a child and its children: SIGTERM, so that BuildKit hears of it, then SIGKILL after
    `grace` seconds."""
    for number, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 2.0)):
        if process.poll() is not None:
            break
        try:
            os.killpg(process.pid, number)
            process.wait(wait)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    if process.stderr is not None:
        process.stderr.close()


def failure(request: BuildRequest, progress: Progress, text: str) -> ImgoptError:
    """What to raise for a build that ended badly."""
    message, step = progress.message, progress.failed()
    lost = _environment_failure(message, step)
    if lost is not None:
        return lost
    line = progress.place or _line_in_message(message) or (_line_of(step, text) if step else None)
    kind = _kind(message, step)
    said = step.error if step and step.error and kind == "step" else _CACHE_KEY.sub("", message)
    return BuildFailure(
        f"the build fails: {said or 'buildx gave no reason'}",
        kind=kind,
        step=step,
        steps=progress.steps(),
        location=Location(request.file, line),
        hint=_base_hint(message) if kind == "base" else _HINTS.get(kind),
    )


_HINTS: dict[FailureKind, str] = {
    "context": (
        "the file is not in the build context: is the right directory given, does .dockerignore"
        " hide it?"
    ),
    "stage": "the stage or image that --from names has no such file: does an earlier step make it?",
}


def _kind(message: str, step: Step | None) -> FailureKind:
    if re.search(
        r"failed to resolve source metadata|pull access denied|manifest unknown|no match for"
        r" platform",
        message,
    ):
        return "base"
    if (
        step is not None
        and "--from=" in step.name
        and re.search(r"not found|no such file", f"{message} {step.error}")
    ):
        return "stage"
    if re.search(
        r"failed to (?:calculate checksum|compute cache key)|not found in build context", message
    ):
        return "context"
    if "parse error" in message or (step is None and "dockerfile" in message.lower()):
        return "syntax"
    return "step" if step else "other"


def _environment_failure(message: str, step: Step | None) -> EnvironmentFailure | None:
    said = [*(step.log if step else ()), step.error if step else "", message]
    line = full_disk(said, step.name if step else "")
    if line:
        return disk_failure(line, f"in {step.name[:80]}" if step else "during a build")
    if gone(message):
        return EnvironmentFailure(
            f"the engine went away during a build: {message}", hint="is it still running?"
        )
    return None


def _base_hint(message: str) -> str:
    """How to name another image for the base that was not found, ready to paste."""
    match = re.search(
        r"(?:resolve source metadata for|pull access denied for|for)"
        r" (?:docker\.io/(?:library/)?)?(\S+?):? ",
        message,
    )
    name = match[1] if match else "NAME"
    away = "is the network there? else " if no_network([message]) else ""
    option = shlex.join(["--base", f"{name}=IMAGE"])
    return (
        f"{away}say which image this engine has for it: {option}, or in imgopt.toml under [bases]:"
        f' "{name}" = "IMAGE"'
    )


def _line_in_message(message: str) -> int | None:
    match = re.search(r"parse error (?:on )?line (\d+)", message)
    return int(match[1]) if match else None


def _line_of(step: Step, text: str) -> int | None:
    """By the first words of the step's name: BuildKit's vertex name is the instruction as it was
    expanded."""
    words = step.name.split()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        own = line.split()
        if not own or not words or own[0].upper() != words[0].upper():
            continue
        same = sum(1 for a, b in zip(own, words, strict=False) if a == b)
        if best is None or same > best[0]:
            best = (same, number)
    return best[1] if best else None
