"""What is named is read, or told with file, line and what to do; nothing of it ends in a
traceback."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from imgopt.deploy.check.examples import SERVICE, deployment
from imgopt.deploy.check.inputs import read_inputs
from imgopt.deploy.check.run import check
from imgopt.deploy.check.situation import Situation
from imgopt.errors import EnvironmentFailure
from imgopt.image import Image
from imgopt.results.deploy import DeployCheck


def nothing_here(reference: str) -> Image:
    raise EnvironmentFailure(f"the engine has no image {reference}")


def checked(*paths: Path) -> DeployCheck:
    return check(list(paths), open_=nothing_here)


def test_documents_of_one_file_have_lines_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("# shop\n---\n" + deployment(more=SERVICE) + "---\n---\n" + SERVICE)
    result = checked(path)
    assert result.objects == 3
    assert {one.line for one in result.findings if one.id == "D15"} == {18}


REFUSED = {
    "no-yaml": ("a: [1,\nb: {", 3, "not valid YAML"),
    "a-tab": ("kind: Pod\nspec:\n\tcontainers: []\n", 3, "not valid YAML"),
    "a-key-twice": ("kind: Pod\napiVersion: v1\nkind: Job\n", 3, 'the key "kind" stands there twice'),
    "an-alias-of-itself": ("apiVersion: v1\nkind: &a [*a]\n", 2, "has no anchor"),
    "a-key-that-is-a-list": ("apiVersion: v1\nkind: Pod\n? [a, b]\n: c\n", 3, "a key that is no"),
    "too-deep": ("apiVersion: v1\nkind: Pod\nspec: " + "[" * 500, 3, "nested more than"),
    "far-too-deep": ("apiVersion: v1\nkind: Pod\nspec: " + "[" * 99_999, 3, "nesting depth"),
    "a-null-byte": ("apiVersion: v1\nkind: Pod\nx: \0\n", None, "not valid YAML"),
    "nothing": ("", None, "neither a Kubernetes object"),
    "only-a-comment": ("# apiVersion: v1\n", None, "neither a Kubernetes object"),
    "a-list-at-the-top": ("- apiVersion: v1\n", None, "neither a Kubernetes object"),
    "a-text": ("just words\n", None, "neither a Kubernetes object"),
    "values-of-a-chart": ("image: shop\nreplicas: 2\n", None, "neither a Kubernetes object"),
    "a-template": ("apiVersion: v1\nkind: Pod\n{{- if .Values.x }}\nspec: {}\n", 3, "a template"),
    "a-template-value": ("apiVersion: v1\nkind: Pod\nspec: {{ .Values.x }}\n", 3, "a template"),
    "compose-of-another-kind": ("services:\n  web:\n    image: x\n    ports: 80\n", 4, "ports"),
    "compose-ports-without-end": (
        "services:\n  web:\n    image: x\n    ports: ['1-999999999:80']\n", 4, "invalid port"
    ),
    "compose-with-a-circle": ("services:\n  a: {extends: a}\n", 2, "extends itself"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    text, line, said = REFUSED[name]
    path = tmp_path / "file.yaml"
    path.write_text(text)
    result = checked(path)
    (told,) = [one for one in result.not_checked if one.bad]
    assert said in told.reason
    assert (told.file, told.line) == (str(path), line)
    assert result.exit_code() == result.exit_code("never") == 2


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"kind: Pod\nname: \xff\n")
    (told,) = [one for one in checked(path, tmp_path / "absent.yaml").not_checked if one.line]
    assert (told.reason, told.line) == ("not UTF-8", 2)


def test_aliases_that_unfold_to_millions_are_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("apiVersion: v1\nkind: Pod\n" + "\n".join(lines))
    (told,) = [one for one in checked(path).not_checked if one.bad]
    assert "aliases unfolded" in told.reason


def test_a_file_without_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(20 << 20)
    (told,) = [one for one in checked(path).not_checked if one.bad]
    assert told.reason == "larger than 16 MiB"


ODD = {
    "lists-for-tables": "spec: []\nmetadata: []\n",
    "tables-for-lists": "spec: {template: {spec: {containers: {a: b}}}}\n",
    "texts-for-tables": "spec: {template: {spec: {containers: [a, 1, null]}}}\nmetadata: x\n",
    "numbers-without-end": "spec: {replicas: 1e999, template: {spec: {containers: [{name: a,"
    " image: b, resources: {limits: {memory: 9e99999999}}, livenessProbe: {periodSeconds: .inf,"
    " failureThreshold: .nan}}]}}}\n",
    "negative": "spec: {replicas: -3, template: {spec: {terminationGracePeriodSeconds: -5,"
    " containers: [{name: a, image: b}]}}}\n",
    "keys-that-are-no-texts": "1: 2\ntrue: false\n2026-01-01: x\nnull: y\nspec: {1.5: a}\n",
    "nulls": "spec: {template: {spec: {containers: [{name: , image: , env: , ports: , lifecycle: }]}}}\n",
    "dates-and-octals": "spec: {replicas: 0o7, x: 0777, y: 22:22, z: 1_000, d: 2026-01-01}\n",
    "tags-of-python": "spec: !!python/object/apply:os.system [exit]\n",
    "binary": "spec: !!binary aGVsbG8=\n",
    "merge-of-a-text": "spec: {<<: x}\n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_values_are_as_if_they_were_not_there(name: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(f"apiVersion: apps/v1\nkind: Deployment\n{ODD[name]}")
    result = checked(path)
    assert result.objects == 1
    assert not any(one.bad for one in result.not_checked)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = deployment(more=SERVICE).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    result = checked(Path("-"))
    assert result.files == ["-"]
    assert any(one.file == "-" and one.id == "D15" for one in result.findings)


def test_compose_on_standard_input_asks_for_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"services: {web: {image: shop}}\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    (told,) = checked(Path("-")).not_checked
    assert told.bad
    assert told.fix == "name the file"


def test_unknown_kinds_are_told_once_and_fail_nothing(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    text = "apiVersion: acme.example/v1\nkind: Shop\n"
    path.write_text(f"{text}---\n{text}---\n" + deployment().replace("apps/v1", "apps/v9"))
    result = checked(path)
    told = [(one.what, one.line) for one in result.not_checked if "not known" in one.reason]
    assert told == [("Shop (acme.example/v1)", 2)]
    assert result.exit_code() == 0


def test_a_chart_is_told_with_the_command_that_renders_it(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: shop\n")
    (chart / "templates" / "web.yaml").write_text("kind: {{ .Values.kind }}\n")
    (told,) = checked(chart).not_checked
    assert told.bad
    assert told.fix == f"helm template {chart} | imgopt deploy check -"
    (tmp_path / "web.yaml").write_text(deployment())
    outer = checked(tmp_path)
    assert outer.objects == 1
    assert not any(one.bad for one in outer.not_checked)


def test_a_folder_is_read_with_what_is_below_it_and_without_what_is_not_ours(
    tmp_path: Path,
) -> None:
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "web.yaml").write_text(deployment(more=SERVICE))
    (tmp_path / "k8s" / "values.yaml").write_text("image: {{ x }}\n")
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: shop:1\n")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "web.yaml").write_text("apiVersion: [")
    result = checked(tmp_path)
    names = [Path(file).relative_to(tmp_path).as_posix() for file in result.files]
    assert sorted(names) == ["compose.yaml", "k8s/web.yaml"]


def test_a_folder_without_anything_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# shop\n")
    assert checked(tmp_path).exit_code() == 2
    (tmp_path / "web.yaml").write_text("kind: [\n")
    assert checked(tmp_path).exit_code() == 2


def test_what_is_for_production_is_judged_over_the_base(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: shop\n")
    (tmp_path / "compose.production.yaml").write_text("services:\n  web:\n    image: shop:1.4\n")
    (tmp_path / "compose.override.yaml").write_text("services:\n  web:\n    privileged: true\n")
    assert [one.id for one in checked(tmp_path).findings] == []


def test_variables_and_their_files_that_are_not_here_fail_nothing(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(
        "services:\n  web:\n    image: ${IMAGE:?say which}\n    env_file: absent.env\n"
        "    mem_limit: ${MEMORY}\n"
    )
    result = checked(path)
    assert result.exit_code() == 0
    told = [one for one in result.not_checked if "absent.env" in one.reason]
    assert [(one.line, one.bad) for one in told] == [(4, False)]


def test_a_project_of_several_files_says_which_file_it_was(tmp_path: Path) -> None:
    first, second = tmp_path / "compose.yaml", tmp_path / "more.yaml"
    first.write_text("services:\n  web:\n    image: shop:1.4\n")
    second.write_text("services:\n  web:\n    environment:\n      - DB_PASSWORD=hunter2plus\n")
    (found,) = [one for one in checked(first, second).findings if one.id == "D39"]
    assert (found.file, found.line) == (str(second), 4)


def test_inputs_keep_their_texts_once(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(deployment())
    assert list(read_inputs([path, path]).texts) == [str(path)]


def test_thousands_of_objects_are_not_all_held_against_each_other(tmp_path: Path) -> None:
    many = 1_500
    one = "apiVersion: v1\nkind: Pod\nmetadata: {{name: a{n}, labels: {{app: a{n}}}}}\nspec: {{}}\n"
    other = "apiVersion: v1\nkind: Service\nmetadata: {{name: a{n}}}\nspec: {{selector: {{app: a{n}}}}}\n"
    texts = [text.format(n=n) for n in range(many) for text in (one, other)]
    path = tmp_path / "many.yaml"
    path.write_text("---\n".join(texts))
    (part,) = read_inputs([path]).parts
    situation = Situation(part.objects)
    asked = []
    for pod in situation.workloads:
        asked += situation.services_of(pod)
    assert len(asked) == len(situation.selecting) == many
