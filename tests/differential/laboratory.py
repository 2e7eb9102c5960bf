"""Builds many generated files at once with the real engine, and reports what is in each stage and
what was logged.

One call of `docker buildx bake` builds a batch: the bases, and every job's stages, each with a
probe as its last step that prints what the stage holds. The engine's progress brings it here:
nothing is mounted, copied or exported for it, no image is loaded, nothing is pulled, and no step
has a network.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from differential.system import family
from imgopt.dockerfile import Dockerfile, Edit, apply_edits, parse
from imgopt.dockerfile import Stage as StageOf
from imgopt.dockerfile.typed import Command
from imgopt.engine import Engine

MANAGERS = Path(__file__).parent / "managers"
_OWN_BASES = {"golang": "golang", "rust": "rust", "maven": "maven"}
_FAMILIES = {
    "apt": "debian",
    "apk": "alpine",
    "yum": "centos",
    "dnf": "fedora",
    "microdnf": "minimal",
}
_FAILED = re.compile(r"ERROR: target (\w+):", re.MULTILINE)
"""How buildx names the target that failed."""
_STEP = re.compile(r"\[(\w+) ")
"""How the name of a step begins: with its target."""
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
    """`tools` is an image with apt, for the static shell; `run` a word that keeps this run's cache
    mounts apart.

    It may be used by several threads.
    """

    def __init__(self, engine: Engine, tools: str, run: str, folder: Path) -> None:
        self._engine, self._tools = engine, tools
        self._run, self._folder = run, folder
        self._numbers = count()

    def build(self, jobs: Sequence[Job]) -> dict[str, Built]:
        """Every job by its name. A job that fails is set aside, and the others go on where they
        were."""
        waiting, done = {job.name: job for job in jobs}, dict[str, Built]()
        slips = 0
        while waiting:
            found, message = self._bake(list(waiting.values()))
            done.update(found)
            waiting = {name: job for name, job in waiting.items() if name not in found}
            slips = 0 if found else slips + 1
            assert slips < _SLIPS, message
        return done

    def close(self) -> None:
        """Removes the cache mounts of this run; steps stay in the build cache, where they save
        time."""
        known = self._buildx("du", "--verbose", "--filter=type=exec.cachemount").stdout.split(
            "\n\n"
        )
        own = [
            match[1]
            for text in known
            if f'"{self._run}' in text
            for match in [_ID.search(text)]
            if match
        ]
        for at in range(0, len(own), 100):
            self._buildx("prune", "--force", f"--filter=id={'|'.join(own[at : at + 100])}")

    def _buildx(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**self._engine.environment, "BUILDX_GIT_INFO": "false"}
        command = [*self._engine.buildx(words[0]), *words[1:]]
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", env=environment
        )

    def _bake(self, jobs: Sequence[Job]) -> tuple[dict[str, Built], str]:
        """What is known of the jobs that were built and of those that failed, and the end of what
        was said."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        number = f"{self._run}-{next(self._numbers)}"
        targets = {
            **_bases(self._tools),
            **{job.name: self._target(job, folder, number) for job in jobs},
        }
        file = folder / "bake.json"
        file.write_text(json.dumps({"target": targets}))
        done = self._buildx(
            "bake",
            "--progress=rawjson",
            "--provenance=false",
            f"--file={file}",
            "--allow=network.host",
            "--allow=fs=/",
            *(job.name for job in jobs),
        )
        shutil.rmtree(folder)
        said = Said.of(done.stderr)
        found = {job.name: made for job in jobs for made in [said.built(job)] if made is not None}
        return {**(said.failures(jobs) if done.returncode else {}), **found}, said.end

    def _target(self, job: Job, folder: Path, number: str) -> dict[str, object]:
        """The job's file, with its probes."""
        dockerfile = parse(job.dockerfile)
        stages = _stages(dockerfile)
        file = folder / job.name
        file.write_bytes(_probed(dockerfile, stages, (number, job.name)).encode())
        if job.ignore is not None:
            file.with_suffix(".dockerignore").write_text(
                job.ignore if job.ignore.strip() else "# nothing\n"
            )
        bases = {
            str(stage.root.base): f"target:base-{_base(str(stage.root.base))}" for stage in stages
        }
        return {
            "context": str(job.context),
            "dockerfile": str(file),
            "contexts": bases,
            "network": "none",
            "args": {
                "BUILDKIT_CACHE_MOUNT_NS": f"{self._run}{job.name}",
                "BUILDKIT_DOCKERFILE_CHECK": "skip=all",
            },
            "output": ["type=cacheonly"],
        }


def _stages(dockerfile: Dockerfile) -> list[StageOf]:
    """Those that are built, the one that ships last."""
    return sorted(dockerfile.reachable(None), key=lambda one: one.index)


_CHILD = "differential-child"


def _probed(dockerfile: Dockerfile, stages: Sequence[StageOf], names: tuple[str, str]) -> str:
    """A probe at the end of each stage, as root; what is built on a stage has the stage's user.
    Where there is ONBUILD, an image is built on the last one, and looked at."""
    text, eol, last = dockerfile.text, dockerfile.eol, stages[-1]
    edits, child = [], ""
    if _has_child(last):
        name = last.name or "differential-last"
        if last.name is None:
            edits.append(Edit(last.start.span.end, last.start.span.end, f" AS {name}"))
        child = eol.join([f"FROM {name} AS {_CHILD}", _probe(*names, _CHILD), ""])
    for stage in stages:
        start = [_start_script(dockerfile)] if stage is last else []
        users = [
            item.source
            for part in stage.chain
            for item in part.instructions
            if item.keyword == "USER"
        ]
        lines = ["", "USER 0", _probe(*names, str(stage.index), *start), *users[-1:]]
        edits.append(Edit(stage.span.end, stage.span.end, eol.join(lines)))
    return apply_edits(text, edits) + eol + child


def _has_child(stage: StageOf) -> bool:
    return any(item.keyword == "ONBUILD" for part in stage.chain for item in part.instructions)


def _probe(*words: str) -> str:
    return f"RUN {json.dumps(['/bin/busybox', 'sh', '/usr/libexec/fakes/probe', *words])}"


def _bases(tools: str) -> dict[str, dict[str, object]]:
    made = ("debian", "alpine", "centos", "fedora", "minimal", "golang", "rust", "maven")
    common = {"context": str(MANAGERS), "args": {"TOOLS": tools}, "network": "host"}
    return {f"base-{name}": {**common, "target": name} for name in made}


def _base(image: str) -> str:
    own = next(
        (
            made
            for name, made in _OWN_BASES.items()
            if image.startswith(name) and "alpine" not in image
        ),
        None,
    )
    return own or _FAMILIES[family(image)]


@dataclass(frozen=True, slots=True)
class Said:
    """What `buildx bake` reported, read. `parts`: what the probes printed, by job, stage and title;
    `errors`: why steps of a job failed; `end`: what was said to people."""

    parts: Mapping[str, Mapping[str, Mapping[str, str]]]
    errors: Mapping[str, list[str]]
    end: str

    @classmethod
    def of(cls, text: str) -> Said:
        printed, errors, end = (
            defaultdict[str, bytes](bytes),
            defaultdict[str, list[str]](list),
            list[str](),
        )
        for line in filter(str.strip, text.split("\n")):
            if not line.startswith("{"):
                end.append(line)
                continue
            said = json.loads(line)
            for log in said.get("logs", ()):
                if log["stream"] == 1:
                    printed[log["vertex"]] += base64.b64decode(log["data"])
            for vertex in said.get("vertexes", ()):
                if vertex.get("error") and (target := _STEP.match(vertex["name"])):
                    errors[target[1]].append(f"{vertex['name']}: {vertex['error']}")
        parts = defaultdict[str, dict[str, dict[str, str]]](dict)
        for data in printed.values():
            title, _, rest = data.decode(errors="surrogateescape").partition("\n")
            if title.startswith("\x1ejob "):
                _, job, stage = title.split()
                parts[job][stage] = dict(_part(part) for part in rest.split("\x1e")[1:])
        return cls(parts, errors, "\n".join(end[-40:]))

    def built(self, job: Job) -> Built | None:
        """None where a stage did not end."""
        dockerfile = parse(job.dockerfile)
        stages = _stages(dockerfile)
        wanted = [
            *(str(stage.index) for stage in stages),
            *([_CHILD] if _has_child(stages[-1]) else []),
        ]
        found = self.parts.get(job.name, {})
        if not all("end" in found.get(name, {}) for name in wanted):
            return None
        return _read({name: found[name] for name in wanted}, str(stages[-1].index))

    def failures(self, jobs: Sequence[Job]) -> dict[str, Built]:
        """The jobs whose step failed, or whose file could not be read."""
        if _SLIP.search("\n".join(self.end.splitlines()[-3:])):
            return {}
        named = set(_FAILED.findall(self.end))
        causes = {
            job.name: [one for one in self.errors.get(job.name, ()) if _CANCELED not in one]
            for job in jobs
        }
        return {
            name: Built(error="\n".join([*errors, self.end]))
            for name, errors in causes.items()
            if errors or name in named
        }


_CANCELED = "context canceled"


def _part(text: str) -> tuple[str, str]:
    title, _, rest = text.partition("\n")
    return title, rest


def _read(found: Mapping[str, Mapping[str, str]], last: str) -> Built:
    child = found.get(_CHILD, {}).get("state", "")
    stages = {name: parts for name, parts in found.items() if name != _CHILD}
    failed = "".join(parts["state"] for parts in stages.values())
    if failed:
        return Built(error=failed)
    read = {
        int(name): Stage(
            tuple(parts["log"].splitlines()), dict(map(_fact, parts["files"].splitlines()))
        )
        for name, parts in stages.items()
    }
    variables = (
        line
        for line in sorted(stages[last]["variables"].splitlines())
        if not line.startswith(_OF_A_SHELL)
    )
    return Built(
        "", read, tuple(stages[last].get("start", "").splitlines()), tuple(variables), child
    )


_OF_A_SHELL = ("HOME=", "PWD=", "SHLVL=")


def _fact(line: str) -> tuple[str, tuple[str, str]]:
    path, facts, what = line.split("\t")
    return path, (
        facts,
        what.partition("->")[2].strip() if "->" in what else what.removeprefix(path),
    )


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
    """What the engine would execute: ENTRYPOINT and CMD as it stores them, in the folder and with
    the variables of the last instruction."""
    stage = dockerfile.target(None)
    words: dict[str, list[str]] = {}
    for part in stage.chain:
        for item in part.instructions:
            typed = item.typed
            if isinstance(typed, Command) and item.keyword in ("CMD", "ENTRYPOINT"):
                shell = dockerfile.scope_at(item).shell
                words[item.keyword] = (
                    list(typed.json) if typed.json is not None else [*shell, str(typed.shell)]
                )
    found = [*words.get("ENTRYPOINT", []), *words.get("CMD", [])]
    if not found:
        return ""
    scope = dockerfile.scope_at(stage.instructions[-1])
    return _START.format(
        workdir=shlex.quote("/" + (scope.workdir or "").lstrip("/")),
        exports="\n".join(
            f"export {name}={shlex.quote(value)}" for name, value in scope.env.items()
        ),
        words=" ".join(map(shlex.quote, found)),
    )
