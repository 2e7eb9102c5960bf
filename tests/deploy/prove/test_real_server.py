"""Tier 2 on a real API server (`make cluster-api`): what it refuses that no schema sees."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgopt.deploy.prove.cluster import Cluster, local_cluster
from imgopt.deploy.prove.dry_run import dry_run
from imgopt.deploy.prove.namespace import LABEL, own_namespace
from imgopt.deploy.prove.objects import objects_in
from imgopt.deploy.prove.prove import Question, prove
from imgopt.results.deploy import DeployFinding

from .examples import ALL, BUDGET, QUEUE, ROUTE, SCALER, WEB

pytestmark = pytest.mark.engine
SCRIPT = Path(__file__).parents[3] / "samples" / "cluster" / "cluster"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The one that runs, else one for these tests: as `make engine-test` has built it."""
    found = local_cluster(nodes=False)
    if found is not None:
        yield found
        return
    if not os.environ.get("IMGOPT_REQUIRE_ENGINE") or shutil.which("go") is None:
        pytest.skip("no API server: make cluster-api")
    subprocess.run([SCRIPT, "start", "--api"], check=True)
    try:
        started = local_cluster(nodes=False)
        assert started is not None
        yield started
    finally:
        subprocess.run([SCRIPT, "stop", "--api"], check=True)


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    with own_namespace(cluster, wait=False) as name:
        yield name


def found(cluster: Cluster, namespace: str, text: str) -> list[DeployFinding]:
    return dry_run(cluster, namespace, objects_in(text, "web.yaml"))


def test_good_files_are_accepted_and_pod_security_is_silent(
    cluster: Cluster, namespace: str
) -> None:
    assert found(cluster, namespace, ALL) == []


REFUSED = {
    "requests above limits": (
        WEB,
        "memory: 16Mi}",
        "memory: 256Mi}",
        "must be less than or equal to memory limit",
    ),
    "no pod may come and none may go": (
        WEB,
        "maxSurge: 1",
        "maxSurge: 0",
        "may not be 0 when `maxSurge` is 0",
    ),
    "a selector that misses its own pods": (
        WEB,
        "matchLabels: {app: web}",
        "matchLabels: {app: x}",
        "`selector` does not match template `labels`",
    ),
    "a preStop longer than the grace": (
        WEB,
        "sleep: {seconds: 3}",
        "sleep: {seconds: 60}",
        "must be non-negative and less than terminationGracePeriodSeconds",
    ),
    "a mount without its volume": (
        WEB,
        "          lifecycle:",
        "          volumeMounts: [{name: tmp, mountPath: /tmp}]\n          lifecycle:",
        "Not found",
    ),
    "the least above the most": (
        SCALER,
        "minReplicas: 2",
        "minReplicas: 9",
        "must be greater than or equal to `minReplicas`",
    ),
    "both bounds of a budget": (
        BUDGET,
        "maxUnavailable: 1",
        "maxUnavailable: 1\n  minAvailable: 1",
        "cannot be both set",
    ),
    "a rule written in the definition": (
        ROUTE,
        "backendRequest: 5s",
        "backendRequest: 50s",
        "backendRequest timeout cannot be longer than request timeout",
    ),
    "an unknown field of a definition": (
        QUEUE,
        "cooldownPeriod",
        "coolDownPeriod",
        "coolDownPeriod",
    ),
}


@pytest.mark.parametrize(("text", "old", "new", "said"), REFUSED.values(), ids=REFUSED)
def test_what_the_server_refuses_is_a_finding(
    cluster: Cluster, namespace: str, text: str, old: str, new: str, said: str
) -> None:
    assert old in text
    (finding,) = found(cluster, namespace, text.replace(old, new, 1))
    assert (finding.level, finding.id) == ("error", "dry-run")
    assert said in finding.message


def test_pod_security_warns_of_each_field_though_the_object_is_accepted(
    cluster: Cluster, namespace: str
) -> None:
    (finding,) = found(cluster, namespace, WEB.replace("runAsNonRoot: true", "runAsNonRoot: false"))
    assert (finding.id, finding.level) == ("pod-security", "warning")
    assert "runAsNonRoot" in finding.message


def test_the_whole_proof_stops_at_the_tier_that_is_wanted_and_leaves_no_namespace(
    cluster: Cluster, tmp_path: Path
) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(ALL)
    result = prove(Question([path], tier=2))
    assert [(tier.number, tier.verdict) for tier in result.tiers] == [(1, "passed"), (2, "passed")]
    assert result.verdict == "passed"
    own = f" {os.getpid()} "
    left = [
        one
        for one in cluster.items("namespaces", "-l", LABEL)
        if one["status"]["phase"] == "Active" and own in str(one["metadata"]["annotations"])
    ]
    assert len(left) <= 1  # the one of the other tests


@pytest.mark.usefixtures("cluster")
def test_kustomize_s_overlays_are_asked_as_they_are_rendered(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "all.yaml").write_text(ALL)
    (tmp_path / "base" / "kustomization.yaml").write_text("resources: [all.yaml]\n")
    (tmp_path / "production").mkdir()
    (tmp_path / "production" / "kustomization.yaml").write_text(
        "resources: [../base]\nnameSuffix: -shop\n"
    )
    result = prove(Question([tmp_path], tier=2))
    assert result.verdict == "passed", result
