"""The tiers together, and what is left behind: with programs of five lines in place of kubectl, ctr
and docker."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.deploy.prove.cluster import Cluster, LocalCluster, LocalNode
from imgopt.deploy.prove.images import images_in_nodes
from imgopt.deploy.prove.namespace import own_namespace
from imgopt.deploy.prove.prove import Question, prove
from imgopt.errors import EnvironmentFailure, InputError, Interrupted
from imgopt.results.deploy import DeployProof

from .examples import ALL, SERVICE, WEB


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., DeployProof]:
    """Where no cluster runs."""
    monkeypatch.setenv("IMGOPT_CLUSTER_DATA", str(tmp_path / "none"))

    def of(text: str, tier: int = 3) -> DeployProof:
        path = tmp_path / "web.yaml"
        path.write_text(text)
        return prove(Question([path], tier=tier))

    return of


def test_without_a_cluster_schemas_are_held_and_the_rest_is_not_measured(
    tried: Callable[..., DeployProof],
) -> None:
    result = tried(ALL)
    assert [tier.verdict for tier in result.tiers] == ["passed", "not measured", "not measured"]
    assert result.verdict == "not measured"
    assert (
        "make cluster-api" in result.tiers[1].detail and "make cluster`" in result.tiers[2].detail
    )


def test_schemas_alone_pass_where_only_they_are_wanted(tried: Callable[..., DeployProof]) -> None:
    result = tried(ALL, 1)
    assert (result.verdict, len(result.tiers)) == ("passed", 1)
    assert result.images == ["shop.test/web:1"]


def test_what_is_refused_is_not_tried_on_nodes(tried: Callable[..., DeployProof]) -> None:
    result = tried(WEB.replace("replicas: 3", "replicas: three") + "---\n" + SERVICE)
    assert [tier.verdict for tier in result.tiers] == ["failed", "not measured", "not measured"]
    assert result.tiers[2].detail == "the files are refused already: Deployment/web"
    assert result.verdict == "failed"


def test_a_context_that_is_not_there_is_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "kubectl", 'echo staging; echo "$@" >>"$0.asked"')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "web.yaml").write_text(ALL)
    with pytest.raises(InputError, match="no context 'production': there are staging"):
        prove(Question([tmp_path / "web.yaml"], tier=2, context="production"))


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def cluster_of(folder: Path, body: str = "") -> Cluster:
    """Its kubectl writes down what it is asked."""
    kubectl = program(folder / "kubectl", f'echo "$@" >>"$0.asked"\n{body}')
    return Cluster("staging", (str(kubectl),))


def asked(folder: Path) -> list[str]:
    return (folder / "kubectl.asked").read_text().splitlines()


@pytest.mark.parametrize("error", [None, ValueError, Interrupted, KeyboardInterrupt])
def test_the_namespace_goes_however_the_trial_ends(
    tmp_path: Path, error: type[BaseException] | None
) -> None:
    try:
        with own_namespace(cluster_of(tmp_path)) as name:
            if error:
                raise error("x")
    except BaseException as caught:
        assert type(caught) is error
    removed = [line for line in asked(tmp_path) if line.startswith(f"delete namespace {name}")]
    assert len(removed) == 1


def test_who_may_make_no_namespace_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    cluster = cluster_of(tmp_path, '[ "$1" = create ] && { echo forbidden >&2; exit 1; }; exit 0')
    with pytest.raises(EnvironmentFailure, match="forbidden"), own_namespace(cluster):
        raise AssertionError("not reached")
    assert any(line.startswith("delete namespace imgopt-trial-") for line in asked(tmp_path))


def test_only_namespaces_of_trials_are_swept(tmp_path: Path) -> None:
    import json
    import socket

    gone = {
        "metadata": {
            "name": "left",
            "annotations": {"imgopt.local/owner": f"{socket.gethostname()} {2**22 + 1} 7"},
        }
    }
    other = {
        "metadata": {"name": "busy", "annotations": {"imgopt.local/owner": "elsewhere.test 1 7"}}
    }
    (tmp_path / "list.json").write_text(json.dumps({"items": [gone, other]}))
    cluster = cluster_of(tmp_path, f'[ "$1" = get ] && cat {tmp_path}/list.json; exit 0')
    with own_namespace(cluster):
        pass
    assert asked(tmp_path)[0] == "get namespaces -l imgopt.local/trial -o json"
    swept = [line.split()[2] for line in asked(tmp_path) if line.startswith("delete namespace")]
    assert "left" in swept and "busy" not in swept


def test_a_kubectl_that_hangs_is_an_answer_of_its_own(tmp_path: Path) -> None:
    answer = cluster_of(tmp_path, "exec sleep 30").kubectl("get", "pods", seconds=0.3)
    assert (answer.code, answer.ok) == (124, False)


def local(folder: Path, store: str) -> Cluster:
    """One node whose store is a file of names."""
    (folder / "store").write_text(store)
    program(
        folder / "docker",
        'echo "$2" | grep -q absent && { echo "no such image: $2" >&2; exit 1; }; echo "$2"',
    )
    node = LocalNode(
        name="node-1",
        load=[
            str(program(folder / "load", f"cat | sed 's|^|docker.io/library/|' >>{folder}/store"))
        ],
        images=["cat", f"{folder}/store"],
        forget=[str(program(folder / "forget", f'echo "$@" >>{folder}/forgotten'))],
        stop=["false"],
        start=["false"],
    )
    about = LocalCluster(
        schema="imgopt/cluster/1",
        version="1.34.4",
        kind="node",
        pid=1,
        enter=[],
        kubectl="k",
        kubeconfig="c",
        nodes=[node],
    )
    return Cluster("local", ("k",), (), about)


def test_images_are_brought_and_only_those_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = local(tmp_path, "docker.io/library/there:1\n")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with images_in_nodes(cluster, ["there:1", "new:2"]) as absent:
        assert absent == {}
        assert "docker.io/library/new:2" in (tmp_path / "store").read_text()
    assert (tmp_path / "forgotten").read_text() == "docker.io/library/new:2\n"


def test_an_image_that_the_engine_has_not_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = local(tmp_path, "")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with images_in_nodes(cluster, ["absent:1"]) as absent:
        assert absent == {"absent:1": "no such image: absent:1"}
