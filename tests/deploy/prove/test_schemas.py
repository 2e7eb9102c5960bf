"""Tier 1: what a schema refuses, where, and what it must let pass."""

from __future__ import annotations

import pytest

from imgopt.deploy.prove import schemas
from imgopt.deploy.prove.objects import objects_in
from imgopt.results.deploy import DeployFinding

from .examples import ALL, BUDGET, QUEUE, ROUTE, SCALER, SERVICE, WEB


def found(text: str) -> list[DeployFinding]:
    return schemas.findings(objects_in(text, "web.yaml"), schemas.schemas())


def test_good_files_have_no_finding() -> None:
    assert found(ALL) == []


GOOD = {
    "a port by number": WEB.replace("port: http}", "port: 8080}"),
    "a quantity without a unit": WEB.replace("memory: 64Mi", "memory: 67108864"),
    "a quantity of a whole processor": WEB.replace("cpu: 20m", "cpu: 1"),
    "a quantity with a point": WEB.replace("cpu: 20m", "cpu: 0.5"),
    "a share in percent": WEB.replace("maxSurge: 1", "maxSurge: 25%"),
    "null is as if it were not there": WEB.replace(
        "automountServiceAccountToken: false", "automountServiceAccountToken:"
    ),
    "any label": WEB.replace("labels: {app: web}", "labels: {app: web, example.test/any-thing: x}"),
    "an empty folder": WEB + "      volumes: [{name: tmp, emptyDir: {}}]\n",
    "data of a ConfigMap": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {any.key: text}\n",
    "a date in a label": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {at: 2026-01-01}}\n",
    "anchors and merges": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: &x {app: web}\n  annotations: {<<: *x, more: yes please}\n"
    ),
    "metadata of a trigger is free": QUEUE.replace("queueName: jobs", "anyThing: jobs"),
    "a Secret's texts": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {TOKEN: x}\n",
    "a rule of roles": (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\n"
        'rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]\n'
    ),
    "a job on a schedule": (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec:\n  schedule: '5 4 * * *'\n  jobTemplate:\n"
        "    spec:\n      template:\n        spec:\n          restartPolicy: Never\n          containers: [{name: a, image: b}]\n"
    ),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_the_server_takes_is_let_pass(text: str) -> None:
    assert found(text) == []


BAD = {
    "a field written wrong": (
        WEB,
        "periodSeconds: 1\n            failureThreshold",
        "periodSecond: 1\n            failureThreshold",
        31,
        "periodSeconds",
    ),
    "a field at the wrong depth": (
        WEB,
        "  replicas: 3",
        "  replicas: 3\n  containers: []",
        8,
        "unknown field",
    ),
    "a number as text": (WEB, "replicas: 3", 'replicas: "3"', 7, "a whole number belongs"),
    "a text as number": (
        WEB,
        "name: web\n  labels",
        "name: web\n  annotations: {port: 80}\n  labels",
        5,
        "a text (in quotes) belongs",
    ),
    "a switch as text": (
        WEB,
        "runAsNonRoot: true",
        'runAsNonRoot: "true"',
        20,
        "true or false belongs",
    ),
    "a unit that is none": (WEB, "memory: 64Mi", "memory: 64MB", 43, "no quantity"),
    "a list that is a mapping": (
        WEB,
        "ports:\n            - {name: http, containerPort: 8080}",
        "ports: {containerPort: 8080}",
        27,
        "a list belongs",
    ),
    "a container without a name": (
        WEB,
        "- name: web\n          image",
        "- image",
        25,
        "`name` is missing",
    ),
    "a Service's port without its number": (SERVICE, "port: 80, ", "", 7, "`port` is missing"),
    "a budget's unknown field": (BUDGET, "maxUnavailable", "maxUnavailble", 5, "maxUnavailable"),
    "an autoscaler's whole number": (
        SCALER,
        "maxReplicas: 6",
        "maxReplicas: six",
        7,
        "a whole number belongs",
    ),
    "a way of matching that is none": (
        ROUTE,
        "PathPrefix",
        "Prefix",
        8,
        "is none of Exact, PathPrefix",
    ),
    "seconds written out": (ROUTE, "request: 10s", "request: 10 seconds", 9, "does not match"),
    "a KEDA field in another case": (
        QUEUE,
        "cooldownPeriod",
        "coolDownPeriod",
        8,
        "cooldownPeriod",
    ),
    "KEDA's most as a word": (
        QUEUE,
        "maxReplicaCount: 10",
        "maxReplicaCount: many",
        7,
        "a whole number belongs",
    ),
}


@pytest.mark.parametrize(("text", "old", "new", "line", "said"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_on_its_line(
    text: str, old: str, new: str, line: int, said: str
) -> None:
    assert old in text
    (finding,) = found(text.replace(old, new, 1))
    assert (finding.level, finding.file, finding.line) == ("error", "web.yaml", line)
    assert said in finding.message


def test_every_error_is_said_not_the_first_alone() -> None:
    text = (
        WEB.replace("replicas: 3", "replicas: three")
        .replace("cpu: 20m", "cpu: 20x")
        .replace("image:", "imgae:")
    )
    assert len(found(text)) == 3


def test_a_version_that_is_gone_is_an_error_with_the_one_that_is_there() -> None:
    (finding,) = found(BUDGET.replace("policy/v1", "policy/v1beta1"))
    assert finding.level == "error"
    assert "policy/v1" in finding.fix


def test_a_kind_of_somebody_else_is_a_note() -> None:
    (finding,) = found(
        "apiVersion: example.test/v1\nkind: Bakery\nmetadata: {name: a}\nspec: {any: thing}\n"
    )
    assert finding.level == "note"


def test_a_kind_that_is_in_another_group_is_an_error() -> None:
    (finding,) = found(WEB.replace("apps/v1", "v1"))
    assert (finding.level, finding.fix) == ("error", "Kubernetes 1.34 has apps/v1")
