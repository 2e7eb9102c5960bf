"""Which objects files mean, and how they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.deploy.prove.objects import files_of, images_of, objects_in, placed, read_objects
from imgopt.deploy.prove.sources import find_sources, preferred
from imgopt.errors import InputError

from .examples import ALL, SERVICE, WEB, one


def test_documents_keep_their_lines() -> None:
    found = objects_in(ALL, "all.yaml")
    assert [each.kind for each in found][:3] == ["Deployment", "Service", "PodDisruptionBudget"]
    lines = ALL.splitlines()
    for each in found:
        line = each.line("metadata", "name")
        assert line is not None and "name: web" in lines[line - 1]


def test_a_list_is_taken_apart() -> None:
    (found,) = objects_in(
        "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Service\n    metadata:\n      name: a\n"
    )
    assert (found.label, found.line("metadata", "name")) == ("Service/a", 7)


def test_an_empty_document_is_nothing() -> None:
    assert len(objects_in(f"---\n---\n{SERVICE}---\n# the end\n")) == 1


WRONG = {
    "no YAML": ("kind: [", 1, "not valid YAML"),
    "a template": (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n",
        4,
        "a template",
    ),
    "no object": ("services:\n  web:\n    image: x\n", 1, "no object of Kubernetes"),
    "a text": ("hello\n", 1, "no object of Kubernetes"),
    "an object without a kind": (
        SERVICE + "---\nmetadata: {name: x}\n",
        9,
        "no object of Kubernetes",
    ),
    "a tab": ("kind: Service\n\tname: x\n", 2, "not valid YAML"),
}


@pytest.mark.parametrize(("text", "line", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_said_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(InputError) as raised:
        objects_in(text, "x.yaml")
    assert said in raised.value.message
    assert raised.value.location is not None and raised.value.location.line == line


def test_braces_in_a_comment_are_no_template() -> None:
    assert len(objects_in(f"# {{{{ not one }}}}\n{SERVICE}")) == 1


def test_a_folder_gives_its_yaml_files_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("b.yaml", "a.yml", "more/c.json", "README.md"):
        (tmp_path / name).write_text("{}")
    assert [path.name for path in files_of([tmp_path])] == ["a.yml", "b.yaml", "c.json"]


def test_a_folder_without_any_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no YAML file"):
        files_of([tmp_path])
    with pytest.raises(InputError, match="no such file"):
        files_of([tmp_path / "none.yaml"])


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_objects([tmp_path / "x.yaml"])


def test_an_object_goes_into_the_trial_s_namespace_whole() -> None:
    found = placed(one(WEB, "name: web\n", "name: web\n  namespace: shop\n"), "trial")
    assert found.at("metadata", "namespace") == "trial"
    assert found.at("spec", "replicas") == 3


def test_subjects_of_a_binding_go_with_it() -> None:
    text = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}\n"
        "subjects: [{kind: ServiceAccount, name: a, namespace: shop}, {kind: User, name: b}]\n"
    )
    found = placed(one(text), "trial")
    assert [each.get("namespace") for each in found.value["subjects"]] == ["trial", None]


def test_images_are_those_of_all_containers_once() -> None:
    text = WEB + "      initContainers: [{name: first, image: shop.test/first:1}]\n" + "---\n" + WEB
    assert images_of(objects_in(text)) == ["shop.test/first:1", "shop.test/web:1"]


def kustomized(folder: Path) -> Path:
    for name, text in {
        "base/deployment.yaml": WEB,
        "base/service.yaml": SERVICE,
        "base/kustomization.yaml": "resources: [deployment.yaml, service.yaml]\n",
        "overlays/development/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: 1}]\n",
        "overlays/production/kustomization.yaml": "resources: [../../base, budget.yaml]\npatches: [{path: patch.yaml}]\n",
        "overlays/production/budget.yaml": "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n",
        "overlays/production/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_of_a_kustomize_tree_the_overlays_are_rendered_and_resources_read(tmp_path: Path) -> None:
    found = find_sources([kustomized(tmp_path)])
    assert [path.name for path in found.folders] == ["development", "production"]
    assert [each.kind for each in found.written] == ["Deployment", "Service", "PodDisruptionBudget"]


def test_a_patch_is_no_object_of_its_own(tmp_path: Path) -> None:
    found = find_sources([kustomized(tmp_path)])
    assert not [each for each in found.written if each.file.endswith("patch.yaml")]


def test_production_is_tried_unless_another_is_named(tmp_path: Path) -> None:
    folders = find_sources([kustomized(tmp_path)]).folders
    assert [preferred(folders, None), preferred(folders, "development")] == [folders[1], folders[0]]
    with pytest.raises(InputError, match="no overlay 'staging'"):
        preferred(folders, "staging")


def test_one_kustomization_file_means_its_folder(tmp_path: Path) -> None:
    found = find_sources([kustomized(tmp_path) / "base" / "kustomization.yaml"])
    assert [path.name for path in found.folders] == ["base"]


def test_a_kustomization_that_is_no_yaml_is_said(tmp_path: Path) -> None:
    (kustomized(tmp_path) / "base" / "kustomization.yaml").write_text("resources: [\n")
    with pytest.raises(InputError, match="not valid YAML"):
        find_sources([tmp_path])
