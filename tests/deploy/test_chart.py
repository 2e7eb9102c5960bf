"""A chart says the same as the plain files: rendered with its own values, its objects are equal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from deploy_facts import HOSTILE, SHAPES, hostile, web
from ruamel.yaml import YAML

from imgopt.deploy.kubernetes.chart import chart_files
from imgopt.deploy.kubernetes.files import kubernetes_files
from imgopt.deploy.model import Options
from imgopt.deploy.plan import plan_of
from imgopt.deploy.yaml_tree import lines_of, quoted
from imgopt.errors import InputError
from imgopt.results.deploy import DeployFiles

_ACTION = re.compile(r"( ?)\{\{(-?) (.*?) \}\}", re.DOTALL)


def rendered(text: str, values: Any, release: str) -> str:
    """As Helm does, for the few functions that the templates use; anything else fails."""

    def shown(match: re.Match[str]) -> str:
        space, trim, action = match.groups()
        return f"{'' if trim else space}{_value(action, values, release)}"

    return _ACTION.sub(shown, text)


def _value(action: str, values: Any, release: str) -> str:
    if action.startswith("`"):
        return action.strip("`")
    if action == ".Release.Name":
        return release
    if action.startswith("include "):
        return quoted("0" * 64) if action.endswith("quote") else "0" * 64
    whole = re.fullmatch(r"(toYaml )?\.Values\.([\w.]+)(?: \| (?:quote|nindent (\d+)))?", action)
    assert whole is not None, action
    value = values
    for name in whole[2].split("."):
        value = value[name]
    if whole[1]:
        lines = lines_of(value, int(whole[3])) if value else [f"{' ' * int(whole[3])}{value}"]
        return "\n" + "\n".join(lines)
    return quoted(value) if action.endswith("quote") else str(value)


def chart(shape: str, **options: Any) -> tuple[DeployFiles, dict[str, Any]]:
    plan = plan_of(SHAPES[shape](), Options(**options))
    result = chart_files(plan, {})
    texts = {file.path: file.text for file in result.files}
    values = YAML(typ="safe").load(texts["values.yaml"])
    made = {}
    for path, text in texts.items():
        if path.startswith("templates/"):
            one = YAML(typ="safe").load(rendered(text, values, plan.name))
            made[one["kind"]] = one
    return result, made


@pytest.mark.parametrize("scale", ["cpu", "none", "requests"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_rendered_chart_is_what_the_plain_files_say(shape: str, scale: str) -> None:
    _, made = chart(shape, scale=scale)
    plain = kubernetes_files(plan_of(SHAPES[shape](), Options(scale=scale)), {})
    objects = {}
    for file in plain.files:
        one = YAML(typ="safe").load(file.text)
        objects[one["kind"]] = one
    for kind, one in made.items():
        if kind != "ConfigMap":
            assert _without_config(one) == _without_config(objects[kind])


def _without_config(one: Any) -> Any:
    """The chart always has a ConfigMap, and says its checksum; Kustomize says it by a name."""
    template = one.get("spec", {}).get("template") if isinstance(one.get("spec"), dict) else None
    if template is not None:
        template["spec"]["containers"][0].pop("envFrom", None)
        template["spec"]["containers"][0].setdefault("env", [])
        annotations = template["metadata"].pop("annotations", {})
        annotations.pop("checksum/config", None)
        if annotations:
            template["metadata"]["annotations"] = annotations
        one["spec"].pop("replicas", None)
    return one


def test_a_changed_setting_moves_the_pods() -> None:
    _, made = chart("web", environment={"MODE": "live"})
    assert made["ConfigMap"]["data"] == {"MODE": "live"}
    annotations = made["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert len(annotations["checksum/config"]) == 64


def test_what_an_image_says_is_no_template() -> None:
    result = chart_files(plan_of(hostile(), Options(environment={"FINE": HOSTILE})), {})
    for file in result.files:
        if file.path.startswith("templates/"):
            for _, _, action in _ACTION.findall(file.text):
                assert action in ("`{{`", "`}}`") or HOSTILE not in action
                assert action.split(" |")[0].strip() != ".Values.x"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_second_run_changes_nothing(shape: str) -> None:
    plan = plan_of(SHAPES[shape](), Options())
    first = chart_files(plan, {})
    again = chart_files(plan, {file.path: file.text for file in first.files})
    assert {file.change for file in again.files} == {"unchanged"}
    assert again.refused == []


def test_values_that_somebody_changed_stay_and_figures_of_ours_follow() -> None:
    first = chart_files(plan_of(web(), Options()), {})
    texts = {file.path: file.text for file in first.files}
    texts["values.yaml"] = texts["values.yaml"].replace("maxReplicas: 10", "maxReplicas: 40")
    slower = web(longest_answer_seconds=20.0)
    again = {f.path: f.text for f in chart_files(plan_of(slower, Options()), texts).files}
    assert "maxReplicas: 40" in again["values.yaml"]
    assert (
        "terminationGracePeriodSeconds: 30 # measured: 5 s of drain + longest answer 20 s"
        in (again["values.yaml"])
    )


def test_a_template_that_somebody_changed_is_left_and_said() -> None:
    first = chart_files(plan_of(web(), Options()), {})
    texts = {file.path: file.text for file in first.files}
    texts["templates/service.yaml"] += "  type: LoadBalancer\n"
    again = chart_files(plan_of(web(), Options()), texts)
    assert "templates/service.yaml" not in {file.path for file in again.files}
    assert [one.what for one in again.refused] == ["templates/service.yaml"]


def test_a_chart_of_somebody_else_is_not_written_into() -> None:
    with pytest.raises(InputError, match="was not written here"):
        chart_files(plan_of(web(), Options()), {"Chart.yaml": "name: theirs\n"})
