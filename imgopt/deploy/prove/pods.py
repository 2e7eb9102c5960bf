"""What a cluster says of a rollout and its pods, in a user's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_HOPELESS = frozenset(
    (
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    )
)
"""Waiting reasons that no waiting mends."""
_RESTARTS = 3
"""So many say that the next one will not do either."""
_WARNED = ("Unhealthy", "FailedScheduling", "FailedCreatePodSandBox", "FailedCreate", "FailedMount")

Json = Mapping[str, Any]


def rolled_out(deployment: Json) -> bool:
    """As `kubectl rollout status`: the newest release alone, whole and available."""
    status, wanted = _of(deployment, "status"), _of(deployment, "spec").get("replicas", 1)
    return (
        int(status.get("observedGeneration", 0)) >= int(_of(deployment, "metadata")["generation"])
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


def _of(value: Json, *keys: str) -> Json:
    for key in keys:
        found = value.get(key)
        value = found if isinstance(found, Mapping) else {}
    return value


def is_ready(pod: Json) -> bool:
    conditions = _of(pod, "status").get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def restarts(pods: Iterable[Json]) -> int:
    return sum(int(state.get("restartCount", 0)) for pod in pods for state in _states(pod))


def _states(pod: Json) -> list[Json]:
    status = _of(pod, "status")
    return [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]


def hopeless(pods: Iterable[Json]) -> str:
    """Why some pod will never be ready; "" where one may still hope."""
    for pod in pods:
        for state in _states(pod):
            waiting = _of(state, "state", "waiting")
            if waiting.get("reason") in _HOPELESS:
                return _sentence(waiting)
            if int(state.get("restartCount", 0)) >= _RESTARTS:
                return _restarting(state)
    return ""


def _sentence(waiting: Json) -> str:
    message = str(waiting.get("message") or "").strip()
    return f"{waiting.get('reason')}: {message}" if message else str(waiting.get("reason"))


def _restarting(state: Json) -> str:
    count = int(state.get("restartCount", 0))
    ended = _of(state, "lastState", "terminated") or _of(state, "state", "terminated")
    why = str(ended.get("reason") or "ended")
    code = ended.get("exitCode")
    times = "once" if count == 1 else f"{count} times"
    return f"restarted {times}: {why}" + (f" (exit code {code})" if code is not None else "")


def why_not_ready(pods: Sequence[Json], events: Iterable[Json]) -> str:
    """The most telling of what the cluster knows, with what the kubelet saw."""
    said = hopeless(pods)
    again = next(
        (_restarting(state) for pod in pods for state in _states(pod) if state.get("restartCount")),
        "",
    )
    warned = warnings(events)
    parts = [part for part in (said or again, *warned[:2]) if part]
    if not parts:
        waits = [str(_of(pod, "status").get("phase", "?")) for pod in pods if not is_ready(pod)]
        parts = [f"{len(waits)} pods not ready: {', '.join(sorted(set(waits)))}" if waits else ""]
    return "; ".join(dict.fromkeys(part for part in parts if part)) or "no pod was made"


def warnings(events: Iterable[Json]) -> list[str]:
    """Each thing once, the most frequent first."""
    counts: dict[str, int] = {}
    for event in events:
        if event.get("type") == "Warning" and event.get("reason") in _WARNED:
            text = f"{event['reason']}: {str(event.get('message', '')).strip()}"
            counts[text] = counts.get(text, 0) + int(event.get("count") or 1)
    return sorted(counts, key=lambda text: -counts[text])


def was_killed_for_memory(pods: Iterable[Json]) -> bool:
    return any(
        _of(state, key, "terminated").get("reason") == "OOMKilled"
        for pod in pods
        for state in _states(pod)
        for key in ("state", "lastState")
    )


def release_of(pod: Json) -> str:
    return str(_of(pod, "metadata", "labels").get("pod-template-hash") or "")


def name_of(one: Json) -> str:
    return str(_of(one, "metadata").get("name") or "")
