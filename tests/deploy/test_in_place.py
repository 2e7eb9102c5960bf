"""A file that is there: what is put into it, and what stays byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deploy_facts import web
from ruamel.yaml import YAML

from imgopt.deploy.in_place import InPlace, nodes_of
from imgopt.deploy.kubernetes.files import kubernetes_files
from imgopt.deploy.model import Options
from imgopt.deploy.plan import plan_of
from imgopt.deploy.yaml_tree import Noted, Tree
from imgopt.errors import InputError
from imgopt.results.deploy import DeployFiles

FILE = Path("web.yaml")
DEPLOYMENT = """\
# Ours since 2019. Ask ops before you touch it.
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8000}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 4 # black Friday
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      # two containers, one pod
      containers:
      - name: site
        image: registry.example/notes:1.3
        resources:
          limits: {memory: 128Mi, cpu: 200m}
        readinessProbe:
          tcpSocket: {port: 8000}
        env:
        - name: MODE   # live or test
          value: live
      - name: logs
        image: logs:1
"""


def put(text: str, tree: Tree) -> tuple[str, InPlace]:
    edit = InPlace(text, FILE)
    edit.put(nodes_of(text, FILE)[0], tree)
    return edit.result(), edit


@pytest.mark.parametrize(
    "text",
    [
        "a: 1 # one\n",
        "a: 1",
        "# head\n\na: 1\n\n# tail\n",
        "a:   1\nb: {x: 1,  y: 2}\n",
        "a: 1\r\nb: 2\r\n",
        "a: '1'\n",
        'a: "1"\n',
        "a: &x 1\nb: *x\n",
        "a: 1\n...\n",
        "%YAML 1.2\n---\na: 1\n",
    ],
)
def test_a_value_that_is_there_already_changes_no_byte(text: str) -> None:
    assert put(text, {"a": Noted(1, "measured: x", lambda _: False)})[0] == text


@pytest.mark.parametrize(
    ("text", "tree", "after"),
    [
        ("a:\n  b: 1\nc: 2\n", {"a": {"d": 3}}, "a:\n  b: 1\n  d: 3\nc: 2\n"),
        ("a:\n  b: 1 # one\n  # of c\n\nc: 2\n", {"a": {"d": 3}}, "a:\n  b: 1 # one\n  d: 3\n  # of c\n\nc: 2\n"),
        ("a: {b: 1}\n", {"a": {"d": 3}}, "a: {b: 1, d: 3}\n"),
        ("a: {}\n", {"a": {"d": 3}}, "a: {d: 3}\n"),
        ("a: []\n", {"a": ["x"]}, "a: [x]\n"),
        ("a: [x, ]\n", {"a": ["z"]}, "a: [x, z ]\n"),
        ("a:\nb: 1\n", {"a": {"d": 3}}, "a:\n  d: 3\nb: 1\n"),
        ("a: # later\nb: 1\n", {"a": {"d": 3}}, "a: # later\n  d: 3\nb: 1\n"),
        ("a:\n- x\n", {"a": ["z"]}, "a:\n- x\n- z\n"),
        ("a:\n    - x\nb: 1\n", {"a": ["z"]}, "a:\n    - x\n    - z\nb: 1\n"),
        ("a:\r\n  b: 1\r\nc: 2\r\n", {"a": {"d": 3}}, "a:\r\n  b: 1\r\n  d: 3\r\nc: 2\r\n"),
        ("a:\n  b: 1", {"a": {"d": 3}}, "a:\n  b: 1\n  d: 3\n"),
        ("a:\n  b: |\n    text\n\nc: 1\n", {"a": {"d": 3}}, "a:\n  b: |\n    text\n  d: 3\n\nc: 1\n"),
        ("a:\n  b:\n    c: 1\n", {"a": {"b": {"d": 2}, "e": 3}}, "a:\n  b:\n    c: 1\n    d: 2\n  e: 3\n"),
        ("- name: x\n  v: 1\n", [{"name": "x", "w": 2}, {"name": "z"}], "- name: x\n  v: 1\n  w: 2\n- name: z\n"),
    ],
)  # fmt: skip
def test_what_is_missing_is_put_where_it_belongs(text: str, tree: Tree, after: str) -> None:
    assert put(text, tree)[0] == after
    assert put(after, tree)[0] == after


def test_an_authors_value_stays_unless_it_fails_what_was_measured() -> None:
    tree = {"a": Noted("7s", "measured: x", lambda value: value == "9s")}
    assert put("a: 9s # mine\n", tree)[0] == "a: 9s # mine\n"
    assert put("a: 2s # mine\n", tree)[0] == "# measured: x\na: 7s # mine\n"
    assert put("a: 2s\n", tree)[0] == "a: 7s # measured: x\n"
    assert put("a: 2s\n", {"a": "7s"})[0] == "a: 2s\n"


def test_our_own_value_follows_its_figure_with_its_comment() -> None:
    tree = {"a": Noted("7s", "measured: new")}
    assert put("a: 2s # measured: old\n", tree)[0] == "a: 7s # measured: new\n"
    assert put("# rule: old\na: 2s\n", tree)[0] == "# measured: new\na: 7s\n"
    assert put("# rule: old\na: 2s # mine\n", tree)[0] == "# measured: new\na: 7s # mine\n"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a: [x]\n", {"a": {"b": 1}}),
        ("a: text\n", {"a": {"b": 1}}),
        ("a: {b: 1}\n", {"a": "text"}),
        ("x: &x {a: 1}\nb:\n  <<: *x\n", {"b": {"a": 2}}),
        ("a:\n- {x: 1}\n- {x: 2}\n", {"a": [{"x": 3}]}),
    ],
)
def test_what_is_said_in_another_form_is_left(text: str, tree: Tree) -> None:
    after, edit = put(text, tree)
    assert after == text
    assert edit.left or "<<" in text


def test_two_that_go_to_the_same_place_keep_their_order() -> None:
    text = "a:\n  b:\n    c: 1\nd: 2s\n"
    tree = {"d": Noted("7s", "measured: x", lambda _: False), "a": {"b": {"e": 1}, "f": 1}}
    after, _ = put(text.replace("2s", "2s # mine"), tree)
    assert after == ("a:\n  b:\n    c: 1\n    e: 1\n  f: 1\n# measured: x\nd: 7s # mine\n")


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("a: 1\nb: [\n", "not valid YAML", 3),
        ("a: 1\na\n", "not valid YAML", 3),
        ("a: {{ .Values.x }}\n", "not valid YAML", None),
        ("{{- if x }}\na: 1\n", "not valid YAML", 1),
        ("a: *nothing\n", "not valid YAML", 1),
        ("a: \t- b\n\t- c\n", "not valid YAML", 1),
    ],
)
def test_what_is_no_yaml_is_named_with_its_line(text: str, said: str, line: int | None) -> None:
    try:
        nodes_of(text, FILE)
    except InputError as error:
        assert said in str(error)
        assert error.location is not None and str(FILE) in str(error.location)
        assert ("template" in (error.hint or "")) is ("{{" in text)
        assert line is None or error.location.line in (line, line + 1, line - 1)
    else:
        assert text == "a: {{ .Values.x }}\n"  # a mapping as a key: YAML, though nobody's file


def written(text: str, path: str = "web.yaml", **options: Any) -> DeployFiles:
    return kubernetes_files(plan_of(web(), Options(**options)), {path: text})


def deployment(result: DeployFiles, path: str = "web.yaml") -> tuple[str, Any]:
    (file,) = [one for one in result.files if one.path == path]
    return file.text, list(YAML(typ="safe").load_all(file.text))[1]


def test_a_deployment_that_is_there_keeps_every_line_that_holds() -> None:
    text, _ = deployment(written(DEPLOYMENT))
    gone = set(DEPLOYMENT.splitlines()) - set(text.splitlines())
    assert gone == {"          limits: {memory: 128Mi, cpu: 200m}"}  # below the peak
    assert "limits: {memory: 256Mi, cpu: 200m" in text


def test_what_would_clash_is_left_to_the_author_and_said() -> None:
    result = written(DEPLOYMENT)
    _, tree = deployment(result)
    site, logs = tree["spec"]["template"]["spec"]["containers"]
    assert site["readinessProbe"] == {"tcpSocket": {"port": 8000}}
    assert site["livenessProbe"]["httpGet"]["path"] == "/health"
    assert "cpu" not in site["resources"]["requests"]  # above the author's own limit
    assert logs == {"name": "logs", "image": "logs:1"}
    said = " ".join(f"{one.what}: {one.reason}" for one in result.refused)
    assert "readinessProbe" in said
    assert "resources.requests.cpu" in said
    assert "replicas: 4 is fixed" in said


def test_what_is_new_selects_the_pods_that_are_there_and_lies_beside_them() -> None:
    result = written(DEPLOYMENT)
    paths = {file.path for file in result.files}
    assert paths == {"web.yaml", "network-policy.yaml", "disruption-budget.yaml", "route.yaml"}
    budget = next(one for one in result.files if one.path == "disruption-budget.yaml")
    assert YAML(typ="safe").load(budget.text)["spec"]["selector"] == {"matchLabels": {"app": "web"}}


def test_a_second_run_on_an_authors_file_changes_nothing() -> None:
    first = written(DEPLOYMENT)
    texts = {file.path: file.text for file in first.files}
    again = kubernetes_files(plan_of(web(), Options()), texts)
    assert {file.change for file in again.files} == {"unchanged"}


def test_what_is_refused_is_in_no_list_of_files() -> None:
    first = kubernetes_files(plan_of(web(), Options()), {})
    texts = {file.path: file.text for file in first.files if "autoscaler" not in file.path}
    base = "base/deployment.yaml"
    texts[base] = texts[base].replace("spec:\n  rev", "spec:\n  replicas: 3\n  rev")
    texts["overlays/production/kustomization.yaml"] = texts[
        "overlays/production/kustomization.yaml"
    ].replace("  - autoscaler.yaml\n", "")
    again = kubernetes_files(plan_of(web(), Options()), texts)
    assert {file.change for file in again.files} == {"unchanged"}
    assert any("replicas: 3 is fixed" in one.reason for one in again.refused)


def test_a_kustomization_beside_it_gets_the_new_files() -> None:
    own = "kind: Kustomization\nresources:\n- web.yaml # all\n"
    texts = {"k/web.yaml": DEPLOYMENT, "k/kustomization.yaml": own}
    result = kubernetes_files(plan_of(web(), Options()), texts)
    (file,) = [one for one in result.files if one.path == "k/kustomization.yaml"]
    assert file.text.startswith(own)
    assert YAML(typ="safe").load(file.text)["resources"] == [
        "web.yaml",
        "network-policy.yaml",
        "disruption-budget.yaml",
        "route.yaml",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("          limits: {memory: 128Mi, cpu: 200m}\n", "          limits: {memory: 2Gi}\n"),
        ("  replicas: 4 # black Friday\n", "  strategy: {type: Recreate}\n"),
    ],
)
def test_an_author_may_ask_for_more_and_for_another_update(before: str, after: str) -> None:
    text, tree = deployment(written(DEPLOYMENT.replace(before, after)))
    assert after in text or after.rstrip("}\n") in text
    assert "rollingUpdate" not in tree["spec"].get("strategy", {}) or "strategy" not in after


def test_a_folder_that_the_author_mounts_stays_his() -> None:
    mine = DEPLOYMENT.replace(
        "        env:\n",
        "        volumeMounts:\n        - {name: scratch, mountPath: /tmp}\n        env:\n",
    ).replace(
        "      # two containers, one pod\n",
        "      volumes:\n      - {name: scratch, hostPath: {path: /s}}\n",
    )
    _, tree = deployment(written(mine))
    spec = tree["spec"]["template"]["spec"]
    assert spec["volumes"] == [{"name": "scratch", "hostPath": {"path": "/s"}}]
    assert spec["containers"][0]["volumeMounts"] == [{"name": "scratch", "mountPath": "/tmp"}]


def test_two_deployments_have_to_be_told_apart() -> None:
    other = DEPLOYMENT.replace("name: web\nspec:\n  rep", "name: shop\nspec:\n  rep")
    texts = {"a.yaml": DEPLOYMENT, "b.yaml": other}
    with pytest.raises(InputError, match="which Deployment") as caught:
        kubernetes_files(plan_of(web(), Options()), texts)
    assert "web (a.yaml)" in (caught.value.hint or "")
    named = kubernetes_files(plan_of(web(), Options(name="shop")), texts)
    assert named.name == "shop"
