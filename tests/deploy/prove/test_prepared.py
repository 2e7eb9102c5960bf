"""What a trial applies, and to what it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.deploy.prove import namespace, on_nodes
from imgopt.deploy.prove.cluster import local_cluster
from imgopt.deploy.prove.images import full_name
from imgopt.deploy.prove.objects import objects_in
from imgopt.deploy.prove.prepared import STANDS_IN, Prepared, prepared
from imgopt.deploy.prove.target import targets
from imgopt.deploy.quantities import quantity_bytes
from imgopt.errors import Interrupted

from .examples import ALL, BUDGET, SCALER, SERVICE, WEB

KNOWN = frozenset(
    (
        "apps/v1/Deployment",
        "v1/Service",
        "v1/Secret",
        "v1/ConfigMap",
        "v1/Namespace",
        "policy/v1/PodDisruptionBudget",
        "autoscaling/v2/HorizontalPodAutoscaler",
    )
)


def made(text: str, *, local: bool = True) -> Prepared:
    return prepared(objects_in(text), "trial", local=local, known_kinds=KNOWN)


def container(found: Prepared) -> dict[str, object]:
    (deployment,) = (one for one in found.objects if one["kind"] == "Deployment")
    return dict(deployment["spec"]["template"]["spec"]["containers"][0])


def test_everything_goes_into_the_trial_s_namespace_services_first() -> None:
    found = made("---\n".join((WEB, BUDGET, SERVICE)))
    assert [one["kind"] for one in found.objects] == [
        "Service",
        "Deployment",
        "PodDisruptionBudget",
    ]
    assert {one["metadata"]["namespace"] for one in found.objects} == {"trial"}


def test_a_namespace_and_unknown_kinds_are_left_out_and_said() -> None:
    found = made(ALL + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    assert [one.label for one in found.left_out] == [
        "Namespace/shop",
        "HTTPRoute/web",
        "ScaledObject/web",
    ]
    assert "HTTPRoute/web: the cluster knows no such kind" in found.said


def test_only_the_local_cluster_is_told_not_to_pull() -> None:
    always = WEB.replace(
        "image: shop.test/web:1", "image: shop.test/web:1\n          imagePullPolicy: Always"
    )
    assert container(made(always))["imagePullPolicy"] == "IfNotPresent"
    assert container(made(always, local=False))["imagePullPolicy"] == "Always"


FROM_SECRET = (
    WEB
    + """\
          env:
            - name: TOKEN
              valueFrom: {secretKeyRef: {name: keys, key: token}}
            - name: MAYBE
              valueFrom: {secretKeyRef: {name: other, key: x, optional: true}}
          envFrom: [{configMapRef: {name: settings}}]
      volumes:
        - name: v
          projected: {sources: [{secret: {name: keys, items: [{key: file, path: f}]}}]}
        - {name: w, secret: {secretName: whole}}
"""
)


def test_what_a_pod_cannot_start_without_is_made_up_and_said() -> None:
    found = made(FROM_SECRET)
    stand_ins = {
        (str(one["kind"]), str(one["metadata"]["name"])): one.get("stringData", one.get("data"))
        for one in found.objects
        if one["kind"] in ("Secret", "ConfigMap")
    }
    assert stand_ins == {
        ("ConfigMap", "settings"): {},
        ("Secret", "keys"): {"file": STANDS_IN, "token": STANDS_IN},
        ("Secret", "whole"): {},
    }
    assert "Secret/keys: not in the files, made up" in found.said


def test_what_the_files_make_is_not_made_up() -> None:
    own = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: own}\n"
    secrets = [one for one in made(FROM_SECRET + own).objects if one["metadata"]["name"] == "keys"]
    assert [one["stringData"] for one in secrets] == [{"token": "own"}]


def test_the_target_is_the_deployment_behind_a_service_with_all_around_it() -> None:
    (found,) = targets(objects_in(ALL))
    assert (found.name, found.port, found.path, found.replicas) == ("web", 80, "/healthz", 3)
    assert found.budget is not None and found.scaler is not None
    assert (found.selector, found.memory_limit) == ("app=web", 64 << 20)


def test_without_replicas_the_autoscaler_s_least_counts() -> None:
    (found,) = targets(
        objects_in("---\n".join((WEB.replace("  replicas: 3\n", ""), SERVICE, SCALER)))
    )
    assert found.replicas == 2


def test_a_deployment_that_no_service_selects_is_no_target() -> None:
    assert (
        targets(
            objects_in(
                WEB + "---\n" + SERVICE.replace("selector: {app: web}", "selector: {app: other}")
            )
        )
        == []
    )


def test_a_service_without_a_selector_selects_nothing() -> None:
    assert (
        targets(objects_in(WEB + "---\n" + SERVICE.replace("  selector: {app: web}\n", ""))) == []
    )


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("64Mi", 64 << 20),
        ("1Gi", 1 << 30),
        ("512k", 512_000),
        ("1.5G", 1_500_000_000),
        (1024, 1024),
        ("x", None),
        (None, None),
    ],
)
def test_quantities_of_memory(text: object, bytes_: int | None) -> None:
    assert quantity_bytes(text) == bytes_


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("web", "docker.io/library/web:latest"),
        ("web:1", "docker.io/library/web:1"),
        ("team/web", "docker.io/team/web:latest"),
        ("localhost/web:1", "localhost/web:1"),
        ("host:5000/web", "host:5000/web:latest"),
        ("shop.test/a/web@sha256:ab", "shop.test/a/web@sha256:ab"),
    ],
)
def test_names_of_images_are_those_of_the_node_s_store(image: str, full: str) -> None:
    assert full_name(image) == full


def test_a_cluster_that_ended_is_not_taken_for_one_that_runs(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    about = (
        '{"schema": "imgopt/cluster/1", "version": "1.34.4", "kind": "node", "pid": %d, "enter": [], "kubectl": "k",'
        ' "kubeconfig": "c", "nodes": []}'
    )
    import os

    for pid in (os.getpid(), 2**22 + 1):  # a process of something else; none
        (tmp_path / "node" / "cluster.json").write_text(about % pid)
        assert local_cluster(nodes=True, folders=[tmp_path]) is None
    (tmp_path / "node" / "cluster.json").write_text("{")
    assert local_cluster(nodes=True, folders=[tmp_path]) is None


def test_only_a_trial_of_this_machine_that_is_gone_is_an_orphan() -> None:
    import os
    import socket

    host, pid = socket.gethostname(), os.getpid()
    own = namespace._owner(pid)
    assert not namespace.is_orphan(own)
    assert namespace.is_orphan(f"{host} {pid} 1")  # the number was given to another process
    assert namespace.is_orphan(f"{host} {2**22 + 1} 5")
    assert not namespace.is_orphan(f"elsewhere.test {2**22 + 1} 5")
    assert not namespace.is_orphan("")


def test_a_signal_interrupts_a_trial_and_not_its_cleaning_up() -> None:
    import os
    import signal

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted, match="SIGTERM"), namespace.interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
    with namespace.interruptible() as closing:
        closing()
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


def test_every_trial_that_the_command_offers_exists() -> None:
    from imgopt.cli import choices

    assert tuple(on_nodes.TRIALS) == choices.TRIALS
