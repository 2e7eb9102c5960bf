"""Compose files on the real engine: `docker compose up --wait` under a project name of its own,
healthy, stopped in time, gone.

The engine gets what Compose itself makes of the files, with what would touch anything of the user's
taken out: ports go to free ones of loopback, names are the project's own, folders are mounted for
reading alone."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgopt.deploy.prove.cluster import Answer
from imgopt.deploy.prove.namespace import interruptible
from imgopt.errors import InputError, Location
from imgopt.results.deploy import Case, DeployFinding, DeployProof, Tier, Verdict

NAMES = {1: "docker compose config", 3: "on a real engine"}
_NO_PLUGIN = "docker compose is not here: install Docker's Compose plugin (docker-compose-plugin)"
_KILLED = 137
_WAIT_SECONDS = 120
_FILES = re.compile(r"(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml")
_BASE = re.compile(r"(?:docker-)?compose\.ya?ml")
_PRODUCTION = re.compile(r"(?:docker-)?compose\.prod(?:uction)?\.ya?ml")
_EXTRA = re.compile(r"additional properties '([^']+)'")
_PATH = re.compile(r"\b(services|networks|volumes|secrets|configs)(?:\.[\w-]+)+")

Json = dict[str, Any]


@dataclass(frozen=True)
class Compose:
    files: Sequence[Path]
    project: str = ""

    def run(self, *words: str, text: str | None = None, seconds: float = 60.0) -> Answer:
        command = ["docker", "compose"]
        command += ["--project-name", self.project] if self.project else []
        named = [word for path in self.files for word in ("--file", str(path))]
        command += ["--file", "-"] if text is not None else named
        return _run([*command, *words], text, seconds)


def _run(command: Sequence[str], text: str | None, seconds: float) -> Answer:
    try:
        done = subprocess.run(
            command,
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            start_new_session=True,  # Ctrl-C is for us; what it asks for is cleaned up
        )
    except subprocess.TimeoutExpired:
        return Answer(124, "", f"{' '.join(command[:3])} did not end within {seconds:.0f} s")
    except OSError as error:
        return Answer(127, "", f"docker: {error.strerror}")
    return Answer(done.returncode, done.stdout, done.stderr)


def compose_files(given: Sequence[Path]) -> list[Path]:
    """The Compose files that are meant: of a folder its base with production's beside it. Empty
    where none is given."""
    if len(given) == 1 and given[0].is_dir():
        inside = sorted(one for one in given[0].iterdir() if _FILES.fullmatch(one.name))
        base = [one for one in inside if _BASE.fullmatch(one.name)]
        return base[:1] + [one for one in inside if _PRODUCTION.fullmatch(one.name)][:1]
    files = [one for one in given if one.is_file() and _says_services(one)]
    if files and len(files) < len(given):
        other = next(one for one in given if one not in files)
        raise InputError(
            "is no Compose file, but others are",
            location=Location(str(other)),
            hint="try Compose files and Kubernetes files in two commands",
        )
    return files


def _says_services(path: Path) -> bool:
    return _FILES.fullmatch(path.name) is not None or bool(
        re.search(
            r"^services\s*:", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
        )
    )


def prove_compose(
    files: Sequence[Path], tier: int = 3, say: Callable[[str], None] = lambda _: None
) -> DeployProof:
    whole = Compose(files)
    began = time.monotonic()
    say("docker compose config")
    if not _run(["docker", "compose", "version"], None, 30.0).ok:
        missing = [_tier(number, "not measured", _NO_PLUGIN) for number in (1, 3) if number <= tier]
        return _proof(files, missing, [], [], {})
    answer = whole.run("config", "--format", "json")
    findings = [] if answer.ok else [finding(answer, files)]
    model = answer.json()
    count = len(model.get("services") or {})
    detail = f"{count} services" if answer.ok else findings[0].message
    tiers = [_tier(1, "passed" if answer.ok else "failed", detail, time.monotonic() - began)]
    cases: list[Case] = []
    if tier >= 3:
        last, cases = _on_engine(whole, model, say) if answer.ok else (_skipped(), [])
        tiers.append(last)
    return _proof(files, tiers, cases, findings, model)


def _skipped() -> Tier:
    return _tier(3, "not measured", f"the files are wrong already: {NAMES[1]}")


def _tier(number: int, verdict: Verdict, detail: str, seconds: float | None = None) -> Tier:
    took = None if seconds is None else round(seconds, 1)
    return Tier(number=number, name=NAMES[number], verdict=verdict, detail=detail, seconds=took)


def _proof(
    files: Sequence[Path],
    tiers: list[Tier],
    cases: list[Case],
    findings: list[DeployFinding],
    model: Json,
) -> DeployProof:
    verdicts = {tier.verdict for tier in tiers}
    verdict: Verdict = (
        "failed"
        if "failed" in verdicts
        else "not measured"
        if "not measured" in verdicts
        else "passed"
    )
    bad = next((tier for tier in tiers if tier.verdict == verdict != "passed"), None)
    services = (model.get("services") or {}).values()
    return DeployProof(
        verdict=verdict,
        message=f"{bad.name}: {bad.detail}" if bad else _good(cases),
        files=[str(path) for path in files],
        images=sorted({str(one["image"]) for one in services if one.get("image")}),
        tiers=tiers,
        cases=cases,
        findings=findings,
    )


def _good(cases: Sequence[Case]) -> str:
    return "; ".join(case.detail for case in cases) or "everything was accepted"


def finding(answer: Answer, files: Sequence[Path]) -> DeployFinding:
    """What Compose refused, on the line of what it names."""
    said = answer.said
    match = _PATH.search(said)
    keys = match[0].split(".") if match else []
    if keys and (extra := _EXTRA.search(said)):
        keys.append(extra[1])
    for path in reversed(files):
        if keys and (line := _line(path, keys)) is not None:
            return _finding(said, str(path), line, ".".join(keys))
    return _finding(said, str(files[-1]), None, ".".join(keys))


def _finding(said: str, file: str, line: int | None, what: str) -> DeployFinding:
    return DeployFinding(
        id="compose-config",
        level="error",
        message=said,
        file=file,
        line=line,
        object=what,
        evidence="docker compose config",
    )


def _line(path: Path, keys: Sequence[str]) -> int | None:
    from imgopt.compose.yaml_text import read_yaml

    try:
        document = read_yaml(path)
    except InputError as error:
        return error.location.line if error.location else None
    for end in range(len(keys), 1, -1):
        if tuple(keys[:end]) in document.lines:
            return document.lines[tuple(keys[:end])]
    return None


def _on_engine(whole: Compose, model: Json, say: Callable[[str], None]) -> tuple[Tier, list[Case]]:
    if outside := external(model):
        return _tier(3, "not measured", f"not the project's own: {', '.join(outside)}"), []
    own, changed = alone(model)
    project = Compose(whole.files, f"imgopt-trial-{secrets.token_hex(4)}")
    text = json.dumps(own)
    began = time.monotonic()
    cases: list[Case] = []
    with interruptible() as closing:
        try:
            say("up")
            cases.append(_up(project, text, model))
            if cases[0].verdict == "passed":
                say("stop")
                cases.append(_stop(project, text))
        finally:
            closing()
            words = ("down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "1")
            gone = project.run(*words, text=text, seconds=120.0)
    if not gone.ok:
        cases.append(Case(name="down", verdict="failed", detail=gone.said))
    failed = [case for case in cases if case.verdict == "failed"]
    detail = "; ".join([*(case.detail for case in failed), *changed])
    verdict: Verdict = "failed" if failed else "passed"
    return _tier(3, verdict, detail, time.monotonic() - began), cases


def external(model: Json) -> list[str]:
    """What exists outside of the project, and would be written to or joined."""
    return [
        f"{kind} {name}"
        for kind in ("volumes", "networks")
        for name, one in (model.get(kind) or {}).items()
        if isinstance(one, Mapping) and one.get("external")
    ]


def alone(model: Json) -> tuple[Json, list[str]]:
    """The same project where it meets nothing of the user's, and what was changed for that."""
    own: Json = json.loads(json.dumps(model))
    own.pop("name", None)
    said: list[str] = []
    for kind in ("volumes", "networks"):
        for one in (own.get(kind) or {}).values():
            if isinstance(one, dict):
                one.pop("name", None)
    for name, service in (own.get("services") or {}).items():
        service.pop("container_name", None)
        for port in service.get("ports") or ():
            port.pop("published", None)
            port["host_ip"] = "127.0.0.1"
        for mount in service.get("volumes") or ():
            if mount.get("type") == "bind" and not mount.get("read_only"):
                mount["read_only"] = True
                said.append(f"{name}: {mount.get('source')} was mounted for reading alone")
    return own, said


def _up(project: Compose, text: str, model: Json) -> Case:
    services: Mapping[str, Json] = model.get("services") or {}
    began = time.monotonic()
    words = ("up", "--detach", "--wait", "--wait-timeout", str(_WAIT_SECONDS))
    answer = project.run(*words, text=text, seconds=_WAIT_SECONDS + 300.0)
    seconds = round(time.monotonic() - began, 1)
    checked = [name for name, one in services.items() if _has_check(one)]
    if answer.ok:
        detail = f"{len(services)} services up, {len(checked)} of them with a health check"
        return Case(
            name="up", verdict="passed", detail=f"{detail}, after {seconds} s", seconds=seconds
        )
    logs = project.run("logs", "--no-color", "--tail", "5", text=text).out.strip().splitlines()
    last = f"; {logs[-1].strip()}" if logs else ""
    return Case(name="up", verdict="failed", detail=f"{answer.said}{last}", seconds=seconds)


def _has_check(service: Mapping[str, Any]) -> bool:
    check = service.get("healthcheck")
    return isinstance(check, Mapping) and not check.get("disable") and bool(check.get("test"))


def _stop(project: Compose, text: str) -> Case:
    began = time.monotonic()
    answer = project.run("stop", text=text, seconds=400.0)
    seconds = round(time.monotonic() - began, 1)
    killed = killed_services(project.run("ps", "--all", "--format", "json", text=text).out)
    if not answer.ok or killed:
        why = f"killed when its grace was over: {', '.join(killed)}" if killed else answer.said
        return Case(name="stop", verdict="failed", detail=why, seconds=seconds)
    return Case(
        name="stop",
        verdict="passed",
        detail=f"all stopped by themselves in {seconds} s",
        seconds=seconds,
    )


def killed_services(listed: str) -> list[str]:
    """From `docker compose ps --format json`: one object a line, or (before 2.21) one list."""
    found = []
    for line in listed.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and one.get("ExitCode") == _KILLED:
                found.append(str(one.get("Service") or one.get("Name")))
    return sorted(found)
