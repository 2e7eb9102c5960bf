"""Kubernetes files: what they hold for every kind of image, by property."""

from __future__ import annotations

from typing import Any

import pytest
from deploy_facts import SHAPES, deaf, ending, grpc, jvm, plain_web, streaming, web, worker, writer
from ruamel.yaml import YAML

from imgopt.deploy.kubernetes.files import kubernetes_files
from imgopt.deploy.model import Options
from imgopt.deploy.plan import plan_of
from imgopt.deploy.prove.objects import Object
from imgopt.deploy.prove.schemas import findings, schemas
from imgopt.errors import InputError
from imgopt.results.deploy import DeployFiles
from imgopt.results.run_facts import ImageFacts, Port, ReadOnlyRoot, User


def written(facts: ImageFacts, texts: dict[str, str] | None = None, **options: Any) -> DeployFiles:
    return kubernetes_files(plan_of(facts, Options(**options)), texts or {})


def objects(result: DeployFiles) -> dict[str, Any]:
    """By kind; of Kustomizations the last."""
    found = [YAML(typ="safe").load(file.text) for file in result.files]
    return {one["kind"]: one for one in found}


def pod(result: DeployFiles) -> dict[str, Any]:
    every = objects(result)
    spec: dict[str, Any] = every.get("Deployment", every.get("Job"))["spec"]["template"]["spec"]
    return spec


def container(result: DeployFiles) -> dict[str, Any]:
    found: dict[str, Any] = pod(result)["containers"][0]
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_a_second_run_on_what_was_written_changes_nothing(shape: str) -> None:
    first = written(SHAPES[shape]())
    again = written(SHAPES[shape](), {file.path: file.text for file in first.files})
    assert {file.path: file.change for file in again.files} == {
        file.path: "unchanged" for file in first.files
    }
    assert again.refused == first.refused


@pytest.mark.parametrize("shape", SHAPES)
def test_every_pod_keeps_to_pod_security_restricted(shape: str) -> None:
    result = written(SHAPES[shape]())
    spec, own = pod(result), container(result)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert own["securityContext"]["allowPrivilegeEscalation"] is False
    assert own["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert all("emptyDir" in one for one in spec.get("volumes", ()))
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)


@pytest.mark.parametrize("shape", SHAPES)
def test_requests_are_within_limits_and_mounts_have_their_volumes(shape: str) -> None:
    own = container(written(SHAPES[shape]()))
    requests, limits = own["resources"]["requests"], own["resources"]["limits"]
    assert int(requests["memory"].removesuffix("Mi")) <= int(limits["memory"].removesuffix("Mi"))
    volumes = {one["name"] for one in pod(written(SHAPES[shape]())).get("volumes", ())}
    assert {one["name"] for one in own.get("volumeMounts", ())} == volumes


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_kustomization_names_is_there_and_nothing_is_left_out(shape: str) -> None:
    result = written(SHAPES[shape]())
    texts = {file.path: YAML(typ="safe").load(file.text) for file in result.files}
    for path, tree in texts.items():
        if tree["kind"] == "Kustomization":
            folder = path.rpartition("/")[0]
            beside = {
                other.removeprefix(f"{folder}/")
                for other in texts
                if other.rpartition("/")[0] == folder and other != path
            }
            assert set(tree["resources"]) - {"../../base"} == beside


@pytest.mark.parametrize("shape", SHAPES)
def test_every_figure_has_a_comment_with_its_origin(shape: str) -> None:
    result = written(SHAPES[shape]())
    text = "".join(file.text for file in result.files)
    assert result.figures
    for figure in result.figures:
        assert figure.origin.split(",")[0][:60].split("\n")[0].strip() in text or shape == "hostile"


def test_startup_readiness_and_liveness_are_apart() -> None:
    own = container(written(web()))
    assert own["startupProbe"]["httpGet"]["path"] == "/health"
    assert own["startupProbe"]["periodSeconds"] * own["startupProbe"]["failureThreshold"] >= 30
    assert own["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert own["livenessProbe"]["httpGet"]["path"] == "/health"


@pytest.mark.parametrize("shape", SHAPES)
def test_liveness_never_asks_a_route_that_asks_others(shape: str) -> None:
    facts = SHAPES[shape]()
    asking = {one.path for one in facts.routes if one.reaches}
    probe = container(written(facts)).get("livenessProbe", {})
    assert probe.get("httpGet", {}).get("path") not in asking


@pytest.mark.parametrize("shape", SHAPES)
def test_readiness_and_liveness_are_never_the_same(shape: str) -> None:
    own = container(written(SHAPES[shape]()))
    if "readinessProbe" in own:
        assert own["readinessProbe"] != own["livenessProbe"]


def test_a_service_with_one_route_that_reaches_a_database_lives_by_its_port() -> None:
    routes = [one for one in web().routes if one.reaches]
    own = container(written(web(routes=routes)))
    assert own["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert own["livenessProbe"]["tcpSocket"] == {"port": 8000}


def test_without_a_route_of_health_its_page_says_ready_and_its_port_alive() -> None:
    own = container(written(plain_web()))
    assert own["readinessProbe"]["httpGet"]["path"] == "/"
    assert own["livenessProbe"]["tcpSocket"] == {"port": 8000}


def test_grpc_is_asked_by_its_own_protocol_and_routed_by_it() -> None:
    result = written(grpc())
    assert container(result)["livenessProbe"]["grpc"] == {"port": 50051}
    assert objects(result)["Service"]["spec"]["ports"][0]["appProtocol"] == "kubernetes.io/h2c"
    assert "GRPCRoute" in objects(result)


def test_a_worker_without_a_port_has_no_service_and_runs_its_own_check() -> None:
    result = written(worker())
    own = container(result)
    assert not {"Service", "HTTPRoute"} & set(objects(result))
    assert own["livenessProbe"]["exec"]["command"] == ["/usr/local/bin/serve", "--check"]
    assert "ports" not in own
    assert "lifecycle" not in own


def test_a_program_that_ends_is_a_job_without_probes() -> None:
    result = written(ending())
    kinds = set(objects(result))
    assert "Job" in kinds
    assert not {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"} & kinds
    assert objects(result)["Job"]["spec"]["activeDeadlineSeconds"] == 60
    assert "livenessProbe" not in container(result)


def test_an_update_has_a_new_pod_ready_before_an_old_one_goes() -> None:
    every = objects(written(web()))
    assert every["Deployment"]["spec"]["strategy"]["rollingUpdate"] == {
        "maxSurge": 1,
        "maxUnavailable": 0,
    }
    spec = every["Deployment"]["spec"]["template"]["spec"]
    sleep = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < sleep < spec["terminationGracePeriodSeconds"] - 1.3


def test_who_scales_and_a_fixed_number_are_never_both() -> None:
    every = objects(written(web()))
    assert "replicas" not in every["Deployment"]["spec"]
    assert every["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2
    fixed = written(web(), scale="none")
    assert "HorizontalPodAutoscaler" not in objects(fixed)
    production = next(one for one in fixed.files if "production/kust" in one.path)
    assert "count: 3" in production.text


@pytest.mark.parametrize(("scale", "kind"), [("queue", "rabbitmq"), ("requests", "prometheus")])
def test_other_scalers_are_scaled_objects(scale: str, kind: str) -> None:
    every = objects(written(web(), scale=scale, environment={"QUEUE_URL": "amqp://queue"}))
    (trigger,) = every["ScaledObject"]["spec"]["triggers"]
    assert trigger["type"] == kind
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert "HorizontalPodAutoscaler" not in every


def test_a_queue_that_no_variable_names_is_refused() -> None:
    with pytest.raises(InputError, match="no variable of the run names a queue"):
        written(web(), scale="queue")
    with pytest.raises(InputError, match="needs a query"):
        written(web(), scale="prometheus")


def test_a_stream_is_cut_by_no_gateway() -> None:
    (rule,) = objects(written(streaming()))["HTTPRoute"]["spec"]["rules"]
    assert rule["timeouts"] == {"request": "0s", "backendRequest": "300s"}
    (rule,) = objects(written(web()))["HTTPRoute"]["spec"]["rules"]
    assert rule["timeouts"] == {"request": "10s"}


def test_an_ingress_comes_on_request_and_with_a_warning() -> None:
    result = written(web(), ingress=True)
    assert "Ingress" in objects(result)
    assert "HTTPRoute" not in objects(result)
    assert any("end of life" in one.message for one in result.remarks)


def test_secrets_are_referred_to_and_no_value_is_written() -> None:
    given = {"DB_PASSWORD": "hunter2", "URL": "redis://u:hunter2@store", "MODE": "live"}
    result = written(web(), environment=given)
    assert "hunter2" not in "".join(file.text for file in result.files)
    names = {one["name"] for one in container(result)["env"]}
    assert names == {"DB_PASSWORD", "URL"}
    base = next(one for one in result.files if one.path == "base/kustomization.yaml")
    assert "MODE=live" in base.text
    assert container(result)["envFrom"] == [{"configMapRef": {"name": "notes-config"}}]


def test_companions_that_keep_something_are_no_deployments() -> None:
    result = written(streaming())
    assert [one.what for one in result.refused] == [
        "a Deployment of store",
        "a Deployment of memory",
    ]
    assert sum(file.text.count("kind: Deployment") for file in result.files) == 1 + sum(
        file.text.count("kind: Deployment") for file in result.files if "autoscaler" in file.path
    )


def test_metrics_are_announced_only_where_they_answered() -> None:
    annotations = objects(written(streaming()))["Deployment"]["spec"]["template"]["metadata"]
    assert annotations["annotations"]["prometheus.io/path"] == "/metrics"
    plain = objects(written(web()))["Deployment"]["spec"]["template"]["metadata"]
    assert "annotations" not in plain


@pytest.mark.parametrize(("cuda", "used", "asked"), [(9, True, True), (9, False, False)])
def test_a_gpu_is_asked_for_only_where_the_run_used_one(cuda: int, used: bool, asked: bool) -> None:
    result = written(web(cuda_bytes=cuda, gpu_used=used))
    assert ("nvidia.com/gpu" in container(result)["resources"]["limits"]) is asked


def test_no_limit_of_processors_unless_one_was_tried() -> None:
    assert "cpu" not in container(written(web()))["resources"]["limits"]
    assert container(written(jvm()))["resources"]["limits"]["cpu"] == "2000m"


def test_a_root_that_was_not_tried_read_only_stays_writable_and_is_said() -> None:
    result = written(web(read_only_root=ReadOnlyRoot(works=False, detail="writes /srv")))
    assert container(result)["securityContext"]["readOnlyRootFilesystem"] is False
    assert any("writes /srv" in one.message for one in result.remarks)


def test_what_a_pod_loses_is_said() -> None:
    result = written(writer())
    assert any("/data" in one.message and "lost" in one.message for one in result.remarks)


def test_a_low_port_is_opened_to_its_user() -> None:
    facts = web(ports=[Port(number=80, speaks="http")], routes=[])
    assert pod(written(facts))["securityContext"]["sysctls"] == [
        {"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}
    ]


def test_a_user_by_name_is_written_as_a_number() -> None:
    facts = web(user=User(said="app", uid=999, gid=998, name="app"))
    assert pod(written(facts))["securityContext"]["runAsUser"] == 999


def test_root_is_not_kept_and_not_silently_replaced() -> None:
    result = written(plain_web())
    assert pod(result)["securityContext"]["runAsUser"] == 65532
    assert any("runs as root" in one.message for one in result.remarks)


def test_a_program_that_is_killed_by_its_stop_is_said_before_anything_is_written() -> None:
    assert written(deaf()).remarks[0].level == "error"


def test_a_long_grace_is_for_agents_that_ask_for_it() -> None:
    assert pod(written(web(), agent=True))["terminationGracePeriodSeconds"] == 180
    assert pod(written(web()))["terminationGracePeriodSeconds"] == 12


@pytest.mark.parametrize("options", [{}, {"scale": "none", "ingress": True}, {"scale": "requests"}])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_object_is_one_that_an_api_server_knows(shape: str, options: dict[str, Any]) -> None:
    result = written(SHAPES[shape](), **options)
    every = [
        Object(YAML(typ="safe").load(file.text), file.path)
        for file in result.files
        if "kustomization" not in file.path
    ]
    assert len(every) >= 6
    assert findings(every, schemas()) == []
