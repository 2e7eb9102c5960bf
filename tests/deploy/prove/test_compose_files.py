"""Compose: which files are meant, and what is taken out before the engine gets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imgopt.deploy.prove.cluster import Answer
from imgopt.deploy.prove.compose import alone, compose_files, external, finding, killed_services
from imgopt.errors import InputError

MODEL: dict[str, Any] = {
    "name": "shop",
    "services": {
        "web": {
            "container_name": "shop-web",
            "image": "shop.test/web:1",
            "ports": [{"mode": "ingress", "target": 8080, "published": "80", "protocol": "tcp"}],
            "volumes": [
                {"type": "bind", "source": "/home/me/shop", "target": "/app"},
                {"type": "volume", "source": "data", "target": "/data"},
            ],
        }
    },
    "networks": {"default": {"name": "shop_default"}},
    "volumes": {"data": {"name": "shop-data-of-years"}},
}


def test_nothing_of_the_user_s_is_met() -> None:
    own, said = alone(MODEL)
    web = own["services"]["web"]
    assert "name" not in own and "container_name" not in web
    assert web["ports"] == [
        {"mode": "ingress", "target": 8080, "protocol": "tcp", "host_ip": "127.0.0.1"}
    ]
    assert web["volumes"][0]["read_only"] is True
    assert own["volumes"] == {"data": {}} and own["networks"] == {"default": {}}
    assert said == ["web: /home/me/shop was mounted for reading alone"]


def test_the_user_s_model_stays_as_it_is() -> None:
    alone(MODEL)
    assert MODEL["services"]["web"]["container_name"] == "shop-web"


def test_what_is_outside_of_the_project_is_named() -> None:
    assert external(
        {
            "volumes": {"old": {"external": True}, "own": {}},
            "networks": {"proxy": {"external": True}},
        }
    ) == [
        "volumes old",
        "networks proxy",
    ]
    assert external(MODEL) == []


def test_a_folder_means_its_base_with_production(tmp_path: Path) -> None:
    for name in (
        "compose.yaml",
        "compose.override.yaml",
        "compose.production.yaml",
        "deployment.yaml",
    ):
        (tmp_path / name).write_text("services: {}\n")
    assert [path.name for path in compose_files([tmp_path])] == [
        "compose.yaml",
        "compose.production.yaml",
    ]


def test_files_of_kubernetes_are_none_of_compose(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("apiVersion: v1\nkind: Service\nspec:\n  services: x\n")
    assert compose_files([tmp_path / "web.yaml"]) == []
    assert compose_files([tmp_path]) == []


def test_a_compose_file_of_another_name_is_known_by_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "stack.yml").write_text("# ours\nservices:\n  web: {image: x}\n")
    assert compose_files([tmp_path / "stack.yml"]) == [tmp_path / "stack.yml"]


def test_both_kinds_at_once_are_two_commands(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "web.yaml").write_text("kind: Service\n")
    with pytest.raises(InputError, match="is no Compose file"):
        compose_files([tmp_path / "compose.yaml", tmp_path / "web.yaml"])


def test_what_compose_refuses_is_found_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services:\n  web:\n    image: x\n    prots: [80]\n")
    said = f"validating {path}: services.web additional properties 'prots' not allowed\n"
    found = finding(Answer(1, "", said), [path])
    assert (found.line, found.object, found.level) == (4, "services.web.prots", "error")


def test_a_refusal_without_a_place_still_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services: {}\n")
    found = finding(Answer(1, "", "empty compose file\n"), [path])
    assert (found.file, found.line, found.message) == (str(path), None, "empty compose file")


@pytest.mark.parametrize(
    ("listed", "killed"),
    [
        ('{"Service": "web", "ExitCode": 137}\n{"Service": "db", "ExitCode": 0}\n', ["web"]),
        (
            '[{"Service": "web", "ExitCode": 137}, {"Service": "db", "ExitCode": 137}]',
            ["db", "web"],
        ),
        ('{"Service": "web", "ExitCode": 143}', []),
        ("no containers", []),
        ("", []),
    ],
    ids=["a line each", "one list", "ended by the signal", "no JSON", "nothing"],
)
def test_who_was_killed_when_its_grace_was_over(listed: str, killed: list[str]) -> None:
    assert killed_services(listed) == killed
