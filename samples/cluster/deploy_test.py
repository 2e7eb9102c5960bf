"""The proof of deployments, proven: a good one loses no request on real nodes, and each of eight
mistakes is found the way it shows there. `make deploy-test [ONLY="good no-drain"]`

Needs the local cluster (make cluster) and an engine. Writes build/deploy-test.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from building import go_environment, go_program
from layout import HERE, data_folder

ROOT = HERE.parent.parent
SERVICE = HERE / "service"
IMAGES = {"service": "imgopt.local/deploy-test:1", "named": "imgopt.local/deploy-test:named"}
LEAST = 2000
Container = dict[str, Any]
Pod = dict[str, Any]


@dataclass(frozen=True)
class Try:
    """`trial` is where it has to fail, with one of `said` in its words; "" where it may not."""

    change: Callable[[Pod, Container], None]
    trial: str = ""
    said: tuple[str, ...] = ()
    options: tuple[str, ...] = ("--trial", "update")


def _set(container: Container, **values: str) -> None:
    for one in container["env"]:
        one["value"] = values.get(one["name"], one["value"])
    container["env"] = [one for one in container["env"] if one["value"]]


def _nothing(_pod: Pod, _container: Container) -> None:
    """As it is."""


def _no_readiness(_pod: Pod, container: Container) -> None:
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        container.pop(probe)


def _no_drain(_pod: Pod, container: Container) -> None:
    container.pop("lifecycle")
    _set(container, DRAIN="")


def _no_pre_stop(_pod: Pod, container: Container) -> None:
    container.pop("lifecycle")


def _short_grace(pod: Pod, container: Container) -> None:
    """Three of the four seconds are preStop's; the kubelet gives two more at least."""
    pod["terminationGracePeriodSeconds"] = 4
    _set(container, WORK_MS="8000")


def _early_liveness(_pod: Pod, container: Container) -> None:
    container.pop("startupProbe")
    container["livenessProbe"].update(periodSeconds=1, failureThreshold=3)
    _set(container, START_MS="9000")


def _user_by_name(pod: Pod, container: Container) -> None:
    pod["securityContext"].pop("runAsUser")
    pod["securityContext"].pop("runAsGroup")
    container["image"] = IMAGES["named"]


def _no_program(_pod: Pod, container: Container) -> None:
    container["startupProbe"].pop("httpGet")
    container["startupProbe"]["exec"] = {"command": ["curl", "-f", "http://127.0.0.1:8080/healthz"]}


def _low_limit(_pod: Pod, container: Container) -> None:
    container["resources"] = {
        "requests": {"cpu": "20m", "memory": "24Mi"},
        "limits": {"memory": "24Mi"},
    }


_UPDATE, _START = "rolling update", "roll out"
_HARD = ("--trial", "update", "--workers", "16")
_WHOLE = ()
TRIES = {
    "good": Try(_nothing, options=_WHOLE),
    "good again": Try(_nothing),
    "no readiness": Try(_no_readiness, _UPDATE, ("refused",)),
    "no drain": Try(_no_drain, _UPDATE, ("refused", "cut"), _HARD),
    "no preStop": Try(_no_pre_stop, _UPDATE, ("refused",), _HARD),
    "grace too short": Try(
        _short_grace,
        _UPDATE,
        ("cut", "refused", "timed out"),
        ("--trial", "update", "--workers", "24", "--requests", "100"),
    ),
    "liveness before the start is over": Try(_early_liveness, _START, ("restarted",)),
    "user by name": Try(_user_by_name, _START, ("CreateContainerConfigError",)),
    "missing probe program": Try(_no_program, _START, ("executable file not found",)),
    "limit below the peak": Try(_low_limit, _START, ("OOMKilled",)),
}


def main() -> None:
    wanted = os.environ.get("ONLY", "")
    chosen = {name: one for name, one in TRIES.items() if not wanted or name in wanted.split(",")}
    _build_images()
    results, wrong = {}, []
    try:
        for name, one in chosen.items():
            result = _prove(one)
            results[name] = result
            said = _judged(one, result)
            print(
                f"{'ok ' if not said else 'NOT'}  {name}: {said or _shown(one, result)}", flush=True
            )
            wrong += [name] if said else []
    finally:
        subprocess.run(["docker", "image", "rm", "-f", *IMAGES.values()], capture_output=True)
    target = ROOT / "build" / "deploy-test.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=1))
    raise SystemExit(1 if wrong else 0)


def _build_images() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in ("Dockerfile", "passwd"):
            (folder / source).write_bytes((SERVICE / source).read_bytes())
        command = [go_program(), "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]
        subprocess.run(
            ["nice", "-n", "19", *command, "-o", str(folder / "service"), "."],
            cwd=SERVICE,
            env=go_environment(data_folder()),
            check=True,
        )
        for target, image in IMAGES.items():
            subprocess.run(
                [
                    "docker",
                    "buildx",
                    "build",
                    "--quiet",
                    "--load",
                    "--target",
                    target,
                    "-t",
                    image,
                    name,
                ],
                check=True,
                stdout=subprocess.DEVNULL,
            )


def _prove(one: Try) -> dict[str, Any]:
    documents = list(yaml.safe_load_all((SERVICE / "deployment.yaml").read_text()))
    pod = documents[0]["spec"]["template"]["spec"]
    one.change(pod, pod["containers"][0])
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "deployment.yaml"
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False))
        command = [sys.executable, "-m", "imgopt", "deploy", "prove", str(path), "--format", "json"]
        done = subprocess.run(
            [*command, "--ready", "60", *one.options], capture_output=True, text=True
        )
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"no result: {done.stderr[-2000:]}") from None
    return found


def _case(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next((case for case in result["cases"] if case["name"] == name), {})


def _judged(one: Try, result: dict[str, Any]) -> str:
    """ "" where it came as the table says; else what came."""
    if not one.trial:
        bad = [case for case in result["cases"] if case["verdict"] == "failed"]
        update = _case(result, _UPDATE)
        if bad or result["tiers"][1]["verdict"] == "failed":
            return "; ".join(f"{case['name']}: {case['detail']}" for case in bad) or str(
                result["findings"]
            )
        if update.get("failed") != 0 or update.get("requests", 0) < LEAST:
            return f"{update.get('failed')} of {update.get('requests')} requests failed"
        return ""
    case = _case(result, one.trial)
    if case.get("verdict") == "failed" and any(word in case["detail"] for word in one.said):
        return ""
    return f"{one.trial} should fail with {' or '.join(one.said)}: {case or result['message']}"


def _shown(one: Try, result: dict[str, Any]) -> str:
    return str(_case(result, one.trial or _UPDATE)["detail"])


if __name__ == "__main__":
    main()
