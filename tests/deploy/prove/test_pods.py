"""What a cluster's JSON means for a user."""

from __future__ import annotations

from typing import Any

import pytest

from imgopt.deploy.prove import pods
from imgopt.deploy.prove.cluster import Answer
from imgopt.deploy.prove.dry_run import answered, keys_of

from .examples import WEB, one


def deployment(**status: int) -> dict[str, Any]:
    whole = {"observedGeneration": 2, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}
    return {"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": {**whole, **status}}


def test_a_release_is_rolled_out_when_it_is_alone_and_whole() -> None:
    assert pods.rolled_out(deployment())


@pytest.mark.parametrize(
    "status",
    [{"observedGeneration": 1}, {"updatedReplicas": 2}, {"replicas": 4}, {"availableReplicas": 2}],
    ids=["not seen yet", "old pods of three", "one too many", "one not available"],
)
def test_a_release_on_its_way_is_not_rolled_out(status: dict[str, int]) -> None:
    assert not pods.rolled_out(deployment(**status))


def test_a_deployment_scaled_to_nothing_is_whole() -> None:
    none = {
        "metadata": {"generation": 1},
        "spec": {"replicas": 0},
        "status": {"observedGeneration": 1},
    }
    assert pods.rolled_out(none)


def pod(
    *,
    waiting: dict[str, str] | None = None,
    restarts: int = 0,
    ended: dict[str, Any] | None = None,
    ready: bool = False,
) -> dict[str, Any]:
    state: dict[str, Any] = {
        "restartCount": restarts,
        "state": {"waiting": waiting} if waiting else {"running": {}},
    }
    if ended:
        state["lastState"] = {"terminated": ended}
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    return {"status": {"phase": "Running", "conditions": [condition], "containerStatuses": [state]}}


def event(reason: str, message: str, count: int = 1) -> dict[str, Any]:
    return {"type": "Warning", "reason": reason, "message": message, "count": count}


WHY = {
    "a user by name": (
        pod(
            waiting={
                "reason": "CreateContainerConfigError",
                "message": "image has non-numeric user (app)",
            }
        ),
        [],
        "CreateContainerConfigError: image has non-numeric user (app)",
    ),
    "an image that is not there": (
        pod(waiting={"reason": "ErrImagePull", "message": "not found"}),
        [],
        "ErrImagePull: not found",
    ),
    "killed at the limit": (
        pod(
            restarts=3,
            ended={"reason": "OOMKilled", "exitCode": 137},
            waiting={"reason": "CrashLoopBackOff"},
        ),
        [],
        "restarted 3 times: OOMKilled (exit code 137)",
    ),
    "liveness before the start is over": (
        pod(restarts=1, ended={"reason": "Error", "exitCode": 2}),
        [event("Unhealthy", "Liveness probe failed: connection refused", 3)],
        "restarted once: Error (exit code 2); Unhealthy: Liveness probe failed: connection refused",
    ),
    "a program that is not in the image": (
        pod(),
        [
            event("Unhealthy", 'exec: "curl": executable file not found in $PATH', 9),
            event("Pulled", "x"),
        ],
        'Unhealthy: exec: "curl": executable file not found in $PATH',
    ),
    "no room": (
        pod(),
        [event("FailedScheduling", "0/2 nodes are available")],
        "FailedScheduling: 0/2 nodes are available",
    ),
    "nothing said": (pod(), [], "1 pods not ready: Running"),
}


@pytest.mark.parametrize(("found", "events", "said"), WHY.values(), ids=WHY)
def test_why_it_is_not_ready(
    found: dict[str, Any], events: list[dict[str, Any]], said: str
) -> None:
    assert pods.why_not_ready([found], events) == said


def test_one_restart_and_slow_pulls_are_no_reason_to_give_up() -> None:
    waits = pod(waiting={"reason": "ContainerCreating"})
    assert pods.hopeless([waits, pod(restarts=1), pod(ready=True)]) == ""


def test_no_pod_at_all_is_said() -> None:
    assert pods.why_not_ready([], []) == "no pod was made"
    refused = [event("FailedCreate", "exceeded quota")]
    assert pods.why_not_ready([], refused) == "FailedCreate: exceeded quota"


def test_memory_kills_are_seen_now_and_before() -> None:
    assert pods.was_killed_for_memory([pod(ended={"reason": "OOMKilled"})])
    assert not pods.was_killed_for_memory([pod(ended={"reason": "Error"}, restarts=2)])


TRIAL = "imgopt-trial-1"
SECURITY = (
    'Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
    ' (container "web" must set securityContext.allowPrivilegeEscalation=false)\n'
)


def test_a_warning_of_pod_security_is_a_finding_though_the_server_accepts() -> None:
    (found,) = answered(
        one(WEB), Answer(0, "deployment.apps/web serverside-applied\n", SECURITY), TRIAL
    )
    assert (found.id, found.level, found.object) == ("pod-security", "warning", "Deployment/web")


def test_a_refusal_is_an_error_on_the_line_of_its_field() -> None:
    said = (
        'The Deployment "web" is invalid: spec.template.spec.containers[0].livenessProbe.successThreshold:'
        " Invalid value: 2: must be 1\n"
    )
    (found,) = answered(one(WEB), Answer(1, "", said), TRIAL)
    lines = WEB.splitlines()
    assert found.level == "error" and found.line is not None
    assert "livenessProbe" in lines[found.line - 1]


def test_an_unknown_field_is_found_by_its_strict_words() -> None:
    said = 'Error from server (BadRequest): strict decoding error: unknown field "spec.template.spec.foo"\n'
    (found,) = answered(one(WEB), Answer(1, "", said), TRIAL)
    assert found.message == 'strict decoding error: unknown field "spec.template.spec.foo"'
    assert found.line == WEB.splitlines().index("    spec:") + 1


def test_a_kind_that_the_server_does_not_know_is_a_note() -> None:
    said = 'error: resource mapping not found for name: "web": no matches for kind "Deployment" in version "apps/v9"\n'
    (found,) = answered(one(WEB), Answer(1, "", said), TRIAL)
    assert (found.level, "CRD" in found.fix) == ("note", True)


def test_an_accepted_object_has_no_finding() -> None:
    assert (
        answered(one(WEB), Answer(0, "deployment.apps/web serverside-applied\n", ""), TRIAL) == []
    )


def test_the_trial_s_namespace_is_not_told_as_if_it_were_the_user_s() -> None:
    (found,) = answered(
        one(WEB), Answer(1, "", 'deployments "web" is forbidden in imgopt-trial-1\n'), TRIAL
    )
    assert "imgopt-trial" not in found.message


def test_a_path_becomes_keys() -> None:
    assert keys_of("spec.containers[0].image") == ("spec", "containers", 0, "image")
    assert keys_of("") == ()
