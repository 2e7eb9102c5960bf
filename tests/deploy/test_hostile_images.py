"""What an image says is a value in the files, and never more: no key, no document, no variable."""

from __future__ import annotations

from typing import Any

import pytest
from deploy_facts import HOSTILE, hostile
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from imgopt.deploy.compose.files import compose_files
from imgopt.deploy.kubernetes.files import kubernetes_files
from imgopt.deploy.model import Options
from imgopt.deploy.plan import plan_of
from imgopt.deploy.yaml_tree import Noted, bare, rendered
from imgopt.report import render
from imgopt.results.deploy import DeployFiles

KINDS = {
    "Deployment",
    "ServiceAccount",
    "Service",
    "NetworkPolicy",
    "Kustomization",
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "HTTPRoute",
}


def results() -> list[DeployFiles]:
    plan = plan_of(hostile(), Options(environment={"FINE": HOSTILE}))
    return [compose_files(plan, {}), kubernetes_files(plan, {})]


def test_there_is_no_document_and_no_key_that_was_not_meant() -> None:
    compose, kubernetes = results()
    for file in kubernetes.files:
        (one,) = YAML(typ="safe").load_all(file.text)
        assert one["kind"] in KINDS
    for file in compose.files:
        (one,) = YAML(typ="safe").load_all(file.text)
        assert set(one) <= {"name", "services", "networks", "volumes", "secrets"}
        assert set(one["services"]) == {"notes"}


def test_the_value_arrives_as_it_is() -> None:
    _, kubernetes = results()
    tree = YAML(typ="safe").load(kubernetes.files[0].text)
    container = tree["spec"]["template"]["spec"]["containers"][0]
    assert container["livenessProbe"]["httpGet"]["path"] == f"/{HOSTILE}"
    assert container["volumeMounts"][0]["mountPath"] == f"/x/{HOSTILE}"
    assert container["env"][0]["value"] == HOSTILE.replace("$(", "$$(")
    names = [one["name"] for one in container["volumeMounts"]]
    assert all(len(name) <= 63 and name.replace("-", "a").isalnum() for name in names)


def test_compose_puts_no_variable_in_the_place_of_a_text() -> None:
    compose, _ = results()
    tree = YAML(typ="safe").load(compose.files[0].text)["services"]["notes"]
    assert tree["healthcheck"]["test"][2] == HOSTILE.replace("$", "$$")
    assert tree["environment"]["FINE"] == HOSTILE.replace("$", "$$")


def test_every_line_of_every_file_is_printable() -> None:
    for result in results():
        for file in result.files:
            assert file.text.replace("\n", "").isprintable()


@pytest.mark.parametrize("format", ["text", "markdown"])
def test_no_report_lets_it_do_anything(format: str) -> None:
    for result in results():
        shown = render(result, format)
        assert shown.replace("\n", "").isprintable()
        assert "\x1b" not in shown


ANY = st.text(max_size=30) | st.sampled_from([HOSTILE, "yes", "0x1", "1e3", "~", "null", "- a"])
TREES = st.recursive(
    ANY | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(ANY, inner, max_size=4)
        | st.tuples(inner, ANY).map(lambda pair: Noted(pair[0], pair[1]))
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(ANY, TREES, max_size=5))
def test_whatever_is_rendered_is_read_as_it_was_meant(tree: dict[str, Any]) -> None:
    assert YAML(typ="safe", pure=True).load(rendered(tree) or "{}") == bare(tree)
