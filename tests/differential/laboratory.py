"""Builds many generated files at once with the real engine, and reports what is in each stage and what was logged.

One call of `docker buildx bake` builds a batch: the bases, every job's stages, and a probe that has all of them mounted
and writes down what they hold. No image is loaded, nothing is pulled, and no step has a network.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from differential.system import family
from imgopt.dockerfile import Dockerfile, Edit, apply_edits, parse
from imgopt.dockerfile import Stage as StageOf
from imgopt.dockerfile.typed import Command
from imgopt.engine import Engine

MANAGERS = Path(__file__).parent / "managers"
_OWN_BASES = {"golang": "golang", "rust": "rust", "maven": "maven"}
_FAMILIES = {"apt": "debian", "apk": "alpine", "yum": "centos", "dnf": "fedora", "microdnf": "minimal"}
_FAILED = re.compile(r"(?: > \[|ERROR: target )(\w+)[: ]")
"""How buildx names the target of a step that failed."""
_SLIPS = 5
_SLIP = re.compile(r"no such job|context deadline exceeded|connection reset|transport is closing")
"""What the engine says where it had too much to do; the next try goes on where this one ended."""
_ID = re.compile(r"^ID:\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Job:
    """A Dockerfile to build. `name` is a word of letters and digits."""

    name: str
    dockerfile: str
    ignore: str | None
    context: Path


@dataclass(frozen=True, slots=True)
class Stage:
    log: tuple[str, ...]
    files: Mapping[str, tuple[str, str]]
    """Path -> kind, mode and owner; digest, or target of a link."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build gave, or why it failed. `stages` by their number, the last one ships."""

    error: str = ""
    stages: Mapping[int, Stage] = field(default_factory=dict)
    start: tuple[str, ...] = ()
    """What the start command said and logged."""
    variables: tuple[str, ...] = ()
    """The environment that the image gives its processes."""
    child: str = ""
    """Why no image can be built on this one: what ONBUILD does there fails."""


class Laboratory:
    """`tools` is an image with apt, for the static shell; `run` a word that keeps this run's cache mounts apart."""

    def __init__(self, engine: Engine, tools: str, run: str, folder: Path) -> None:
        self._engine, self._tools = engine, tools
        self._run, self._folder = run, folder

    def build(self, jobs: Sequence[Job]) -> dict[str, Built]:
        """Every job by its name. A job that fails is set aside, and the others go on where they were."""
        waiting, done = {job.name: job for job in jobs}, dict[str, Built]()
        slips = 0
        while waiting:
            failed, message = self._bake(list(waiting.values()))
            if not message:
                found = self._folder / "out"
                return {**done, **{name: _read(found / name) for name in waiting}}
            for name in failed & set(waiting):
                done[name] = Built(error=message)
                del waiting[name]
            slips = 0 if failed else slips + 1
            assert slips < _SLIPS, message
        return done

    def close(self) -> None:
        """Removes the cache mounts of this run; steps stay in the build cache, where they save time."""
        known = self._buildx("du", "--verbose", "--filter=type=exec.cachemount").stdout.split("\n\n")
        own = [match[1] for text in known if f'"{self._run}' in text for match in [_ID.search(text)] if match]
        for at in range(0, len(own), 100):
            self._buildx("prune", "--force", f"--filter=id={'|'.join(own[at : at + 100])}")

    def _buildx(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**self._engine.environment, "BUILDX_GIT_INFO": "false"}
        command = [*self._engine.buildx(words[0]), *words[1:]]
        return subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)

    def _bake(self, jobs: Sequence[Job]) -> tuple[set[str], str]:
        """The names of jobs that failed, and what was said."""
        for name in ("jobs", "out"):
            shutil.rmtree(self._folder / name, ignore_errors=True)
            (self._folder / name).mkdir(parents=True)
        targets = {**_bases(self._tools), **{job.name: self._target(job) for job in jobs}}
        file = self._folder / "bake.json"
        file.write_text(json.dumps({"target": targets}))
        done = self._buildx("bake", "--progress=plain", "--provenance=false", f"--file={file}", "--allow=network.host",
                            "--allow=fs=/", *(job.name for job in jobs))  # fmt: skip
        return (set(), "") if done.returncode == 0 else _failures(done.stderr, jobs)

    def _target(self, job: Job) -> dict[str, object]:
        """The job's file, with a probe behind it that has all stages mounted."""
        folder = self._folder / "jobs" / job.name
        folder.mkdir()
        dockerfile = parse(job.dockerfile)
        stages = sorted(dockerfile.reachable(None), key=lambda one: one.index)
        (folder / "Dockerfile").write_bytes(_probed(dockerfile, stages).encode())
        if job.ignore is not None:
            (folder / "Dockerfile.dockerignore").write_text(job.ignore if job.ignore.strip() else "# nothing\n")
        bases = {str(stage.root.base): f"target:base-{_base(str(stage.root.base))}" for stage in stages}
        return {
            "context": str(job.context),
            "dockerfile": str(folder / "Dockerfile"),
            "contexts": bases,
            "network": "none",
            "args": {
                "BUILDKIT_CACHE_MOUNT_NS": f"{self._run}{job.name}",
                "BUILDKIT_DOCKERFILE_CHECK": "skip=all",
            },
            "output": [f"type=local,dest={self._folder / 'out' / job.name}"],
        }


def _probed(dockerfile: Dockerfile, stages: Sequence[StageOf]) -> str:
    text, eol, last = dockerfile.text, dockerfile.eol, stages[-1]
    name = last.name or "differential-last"
    if last.name is None:
        text = apply_edits(text, [Edit(last.start.span.end, last.start.span.end, f" AS {name}")])
    mounts = [f"--mount=type=bind,from={stage.name or name},target=/images/{stage.index},rw" for stage in stages]
    words = ["/bin/busybox", "sh", "/usr/libexec/fakes/probe", str(last.index), _start_script(dockerfile)]
    lines = [
        f"FROM {name} AS differential-look",
        "USER 0",
        f"RUN {' '.join(mounts)} {json.dumps(words)}",
        "FROM scratch",
        "COPY --from=differential-look /out /",
    ]
    return text + "".join(eol + line for line in lines) + eol


def _bases(tools: str) -> dict[str, dict[str, object]]:
    made = ("debian", "alpine", "centos", "fedora", "minimal", "golang", "rust", "maven")
    common = {"context": str(MANAGERS), "args": {"TOOLS": tools}, "network": "host"}
    return {f"base-{name}": {**common, "target": name} for name in made}


def _base(image: str) -> str:
    own = next((made for name, made in _OWN_BASES.items() if image.startswith(name) and "alpine" not in image), None)
    return own or _FAMILIES[family(image)]


def _failures(said: str, jobs: Sequence[Job]) -> tuple[set[str], str]:
    """The jobs whose step failed, or whose file could not be read, and the end of what was said."""
    lines = [line for line in said.splitlines() if line.strip()]
    if _SLIP.search("\n".join(lines[-3:])):
        return set(), lines[-1]
    found = {match[1] for line in lines for match in [_FAILED.match(line)] if match}
    return found & {job.name for job in jobs}, "\n".join(lines[-40:])


def _read(found: Path) -> Built:
    failed = "".join(path.read_text() for path in found.glob("*.state"))
    if failed:
        return Built(error=failed)
    stages = {int(log.stem): Stage(tuple(_lines(log)), dict(map(_fact, _lines(log.with_suffix(".files")))))
              for log in sorted(found.glob("*.log"))}  # fmt: skip
    start = tuple(line for said in found.glob("*.start") for line in _lines(said))
    variables = tuple(
        line for line in sorted(_lines(found / "env")) if not line.startswith(("HOME=", "PWD=", "SHLVL="))
    )
    return Built("", stages, start, variables, (found / "child").read_text())


_OF_A_SHELL = ("HOME", "PWD", "SHLVL")


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="surrogateescape").splitlines()


def _fact(line: str) -> tuple[str, tuple[str, str]]:
    path, facts, what = line.split("\t")
    return path[1:], (facts, what.partition("->")[2].strip() if "->" in what else what.removeprefix(path))


_START = """\
cd {workdir}
{exports}
set -- {words}
case $1 in
  */*) program=$1 ;;
  *) IFS=:; for folder in $PATH; do [ -x "$folder/$1" ] && program=$folder/$1 && break; done; unset IFS ;;
esac
[ -f "$program" ] || {{ echo "no such program"; exit 127; }}
[ -x "$program" ] || {{ echo "permission denied"; exit 126; }}
case $(head -c 4 "$program" | tr -d '\\0\\177') in '#!'*|ELF*) ;; *) echo "exec format error"; exit 126 ;; esac
exec "$@"
"""
"""As a container's start: execve() runs no file without a first line; busybox would."""


def _start_script(dockerfile: Dockerfile) -> str:
    """What the engine would execute: ENTRYPOINT and CMD as it stores them, in the folder and with the variables of the
    last instruction."""
    stage = dockerfile.target(None)
    words: dict[str, list[str]] = {}
    for part in stage.chain:
        for item in part.instructions:
            typed = item.typed
            if isinstance(typed, Command) and item.keyword in ("CMD", "ENTRYPOINT"):
                shell = dockerfile.scope_at(item).shell
                words[item.keyword] = list(typed.json) if typed.json is not None else [*shell, str(typed.shell)]
    found = [*words.get("ENTRYPOINT", []), *words.get("CMD", [])]
    if not found:
        return ""
    scope = dockerfile.scope_at(stage.instructions[-1])
    return _START.format(
        workdir=shlex.quote("/" + (scope.workdir or "").lstrip("/")),
        exports="\n".join(f"export {name}={shlex.quote(value)}" for name, value in scope.env.items()),
        words=" ".join(map(shlex.quote, found)),
    )
