"""A Kustomization is judged as what it makes; what is not resolved is told."""

from __future__ import annotations

from pathlib import Path

from imgopt.deploy.check.examples import SERVICE, deployment
from imgopt.deploy.check.inputs import read_inputs
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Workload


def workloads(folder: Path) -> list[Workload]:
    inputs = read_inputs([folder])
    assert not any(one.bad for one in inputs.not_checked), inputs.not_checked
    return [one for part in inputs.parts for one in part.objects.workloads]


def base(folder: Path, text: str, name: str = "base") -> Path:
    made = folder / name
    made.mkdir(parents=True)
    (made / "web.yaml").write_text(deployment(more=SERVICE))
    (made / "kustomization.yaml").write_text("resources:\n  - web.yaml\n" + text)
    return made


def test_an_overlay_is_judged_with_its_base_and_the_base_not_by_itself(tmp_path: Path) -> None:
    base(tmp_path, "")
    overlay = tmp_path / "production"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        "resources:\n  - ../base\nnamespace: shop\nimages:\n  - name: shop\n    newName: r.example/s\n"
        "    newTag: '2'\nreplicas:\n  - name: web\n    count: 5\n"
    )
    (one,) = workloads(tmp_path)
    assert (one.namespace, one.count, one.containers[0].image) == ("shop", 5, "r.example/s:2")


def test_patches_change_named_items_and_say_their_own_line(tmp_path: Path) -> None:
    folder = base(
        tmp_path,
        "patches:\n  - path: limits.yaml\n  - target: {kind: Deployment}\n    patch: |\n"
        "      - op: replace\n        path: /spec/replicas\n        value: 7\n"
        "      - op: add\n        path: /spec/template/spec/hostNetwork\n        value: true\n"
        "      - op: remove\n        path: /spec/template/metadata/labels/gone\n",
    )
    (folder / "limits.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n"
        "    spec:\n      containers:\n        - name: web\n          resources:\n"
        "            limits:\n              memory: 1Gi\n        - name: more\n"
        "          image: more:1\n"
    )
    (one,) = workloads(tmp_path)
    assert one.count == 7
    assert one.host[0].file.endswith("kustomization.yaml")
    assert [box.name for box in one.containers] == ["web", "more"]
    limits = one.containers[0].limits
    assert (limits.memory, limits.node.file, limits.node.line) == (
        1 << 30,
        str(folder / "limits.yaml"),
        12,
    )
    assert one.containers[0].node.file == str(folder / "web.yaml")


def test_a_patch_by_target_renames_nothing(tmp_path: Path) -> None:
    base(
        tmp_path,
        "patches:\n  - target: {kind: Deployment}\n    patch: |\n      kind: Deployment\n"
        "      metadata: {name: any}\n      spec: {replicas: 4}\n",
    )
    (one,) = workloads(tmp_path)
    assert (one.name, one.count) == ("web", 4)


def test_labels_reach_selectors_and_pods(tmp_path: Path) -> None:
    base(tmp_path, "labels:\n  - includeSelectors: true\n    pairs: {team: blue}\n")
    inputs = read_inputs([tmp_path])
    (part,) = inputs.parts
    (one,) = part.objects.workloads
    assert one.labels == {"app": "web", "team": "blue"}
    assert one.selector["matchLabels"].texts() == one.labels
    assert [service.name for service in Situation(part.objects).services_of(one)] == ["web"]


def test_generated_config_carries_a_hash(tmp_path: Path) -> None:
    folder = base(tmp_path, "configMapGenerator:\n  - name: settings\n    literals: [MODE=a]\n")
    (part,) = read_inputs([folder]).parts
    assert part.objects.generated == {"settings"}


def test_what_is_fetched_or_not_there_is_told_with_its_line(tmp_path: Path) -> None:
    base(tmp_path, "  - https://example.com/all.yaml\n  - absent.yaml\nhelmCharts: [{name: x}]\n")
    told = [(one.line, one.bad) for one in read_inputs([tmp_path]).not_checked]
    assert told == [(3, False), (4, False), (5, False)]


def test_kustomizations_in_a_circle_end(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kustomization.yaml").write_text(f"resources:\n  - ../{other}\n")
    inputs = read_inputs([tmp_path / "a" / "kustomization.yaml"])
    (told,) = inputs.not_checked
    assert told.bad
    assert "circle" in told.reason
