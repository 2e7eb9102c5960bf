"""Compose files: what they hold for every kind of image, held against Compose's own schema."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest
from deploy_facts import MIB, SHAPES, deaf, ending, jvm, plain_web, streaming, web, writer
from ruamel.yaml import YAML

from imgopt.compose.reader import read_compose
from imgopt.deploy.compose.files import compose_files
from imgopt.deploy.model import Options
from imgopt.deploy.plan import plan_of
from imgopt.errors import InputError
from imgopt.results.deploy import DeployFiles
from imgopt.results.run_facts import ImageFacts, ReadOnlyRoot, Written

SHOP = """\
# The shop and what it keeps.
services:
  web: # behind the gateway
    build: ./web
    environment: [MODE=live]
    ports: ["8000:8000"]
    stop_grace_period: 1m # long carts
    healthcheck: {test: [CMD, /bin/true]}
    depends_on:
      - cache
    # the end of web

  store:
    image: postgres:15
    healthcheck: {test: [CMD, pg_isready]}

  cache:
    image: redis:7
"""


@cache
def schema() -> Any:
    folder = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
    return json.loads((folder / "compose-spec.json").read_text())


def written(
    facts: ImageFacts, texts: dict[str, str] | None = None, context: str = ".", **options: Any
) -> DeployFiles:
    return compose_files(plan_of(facts, Options(**options)), texts or {}, context)


def loaded(result: DeployFiles) -> dict[str, Any]:
    return {file.path: YAML(typ="safe").load(file.text) for file in result.files}


def service(result: DeployFiles, path: str) -> dict[str, Any]:
    (found,) = loaded(result)[path]["services"].values()
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_every_file_is_one_that_compose_takes(shape: str) -> None:
    for tree in loaded(written(SHAPES[shape]())).values():
        jsonschema.validate(tree, schema())


@pytest.mark.parametrize("shape", SHAPES)
def test_base_and_production_read_together_as_compose_reads_them(
    shape: str, tmp_path: Path
) -> None:
    result = written(SHAPES[shape]())
    for file in result.files:
        (tmp_path / file.path).write_text(file.text)
    files = [tmp_path / "compose.yaml", tmp_path / "compose.production.yaml"]
    given = {one.name: "x" for one in plan_of(SHAPES[shape](), Options()).variables}
    (one,) = read_compose(files, tmp_path, given)["services"].values()
    assert one["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_second_run_on_what_was_written_changes_nothing(shape: str) -> None:
    first = written(SHAPES[shape]())
    again = written(SHAPES[shape](), {file.path: file.text for file in first.files})
    assert [file.change for file in again.files] == ["unchanged"] * len(first.files)


def test_a_health_check_is_the_command_that_was_run_in_the_image() -> None:
    check = service(written(web()), "compose.yaml")["healthcheck"]
    assert check["test"] == ["CMD", "/usr/local/bin/serve", "--check"]
    assert check["start_period"] == "30s"
    assert "healthcheck" not in service(written(plain_web()), "compose.yaml")


def test_development_serves_this_machine_and_follows_the_sources() -> None:
    one = service(written(web()), "compose.override.yaml")
    assert one["ports"] == ["127.0.0.1:8000:8000"]
    assert one["develop"]["watch"][0]["action"] == "rebuild"
    without = written(web(), context="")
    assert "develop" not in service(without, "compose.override.yaml")
    assert any("--context" in remark.fix for remark in without.remarks)


def test_production_is_read_only_and_limited_by_the_measured_peak() -> None:
    one = service(written(web()), "compose.production.yaml")
    assert one["read_only"] is True
    assert one["user"] == "1000:1000"
    assert one["tmpfs"] == ["/tmp:size=64m,mode=1777"]
    # 256 MiB, and 3 MiB that a tmpfs counts as memory, in steps of 16
    assert one["deploy"]["resources"]["limits"] == {"memory": "272m"}
    assert one["deploy"]["resources"]["reservations"] == {"memory": "160m"}


def test_what_is_written_into_a_tmpfs_counts_as_memory() -> None:
    heavy = web(written=[Written(folder="/tmp/up", bytes=500 * MIB, files=1)])
    one = service(written(heavy), "compose.production.yaml")
    assert one["deploy"]["resources"]["limits"]["memory"] == "768m"


def test_a_root_that_was_not_tried_keeps_its_user() -> None:
    assert "user" not in service(written(plain_web()), "compose.production.yaml")


def test_a_volume_of_the_image_is_one_with_a_name() -> None:
    result = written(writer())
    assert service(result, "compose.yaml")["volumes"] == ["data:/data"]
    assert loaded(result)["compose.yaml"]["volumes"] == {"data": {}}
    tmpfs = service(result, "compose.production.yaml")["tmpfs"]
    assert not any("/data" in one.split(":")[0] for one in tmpfs)


def test_an_init_only_where_the_first_process_ignores_its_signal() -> None:
    assert service(written(deaf()), "compose.yaml")["init"] is True
    assert "init" not in service(written(web()), "compose.yaml")


def test_a_program_that_ends_waits_to_be_called() -> None:
    result = written(ending())
    assert service(result, "compose.yaml")["profiles"] == ["job"]
    assert service(result, "compose.production.yaml")["restart"] == "no"
    assert "ports" not in service(result, "compose.production.yaml")


def test_settings_of_the_run_are_in_its_environment() -> None:
    one = service(written(jvm()), "compose.yaml")
    assert one["environment"]["JAVA_TOOL_OPTIONS"].startswith("-XX:MaxRAMPercentage=70")
    limits = service(written(jvm()), "compose.production.yaml")["deploy"]["resources"]["limits"]
    assert limits["cpus"] == "2"


def test_secrets_are_asked_for_and_never_written() -> None:
    given = {"DB_PASSWORD": "hunter2", "MODE": "a$b"}
    result = written(web(), environment=given)
    assert "hunter2" not in "".join(file.text for file in result.files)
    environment = service(result, "compose.yaml")["environment"]
    assert environment["DB_PASSWORD"].startswith("${DB_PASSWORD:?")
    assert environment["MODE"] == "a$$b"


def test_a_secret_is_a_file_where_the_program_takes_one() -> None:
    result = written(web(), environment={"DB_PASSWORD": "hunter2"}, secret_files=("DB_PASSWORD",))
    one = service(result, "compose.yaml")
    assert one["environment"] == {"DB_PASSWORD_FILE": "/run/secrets/DB_PASSWORD"}
    assert one["secrets"] == ["DB_PASSWORD"]
    assert loaded(result)["compose.yaml"]["secrets"]["DB_PASSWORD"]["file"].startswith("./")


def test_a_companion_whose_image_is_not_known_is_not_made_up() -> None:
    assert [one.what for one in written(streaming()).refused] == [
        "a service store",
        "a service memory",
    ]


def shop(**more: Any) -> DeployFiles:
    facts = web(reference="registry.example/web:1", companions=["store", "cache"], **more)
    return written(facts, {"compose.yaml": SHOP})


def test_a_file_that_is_there_keeps_every_line_of_its_author() -> None:
    (base,) = [file for file in shop().files if file.path == "compose.yaml"]
    assert base.change == "unchanged" or set(SHOP.splitlines()) <= set(base.text.splitlines())
    one = loaded(shop())["compose.yaml"]["services"]["web"]
    assert one["healthcheck"] == {"test": ["CMD", "/bin/true"]}
    assert one["stop_grace_period"] == "1m"


def test_what_is_missing_goes_to_its_service_above_the_next_one() -> None:
    text = SHOP.replace("    stop_grace_period: 1m # long carts\n", "").replace(
        "    depends_on:\n      - cache\n", ""
    )
    facts = web(reference="registry.example/web:1", companions=["store", "cache"])
    result = written(facts, {"compose.yaml": text})
    (base,) = [file for file in result.files if file.path == "compose.yaml"]
    one = loaded(result)["compose.yaml"]["services"]["web"]
    assert one["stop_grace_period"] == "7s"
    assert one["depends_on"] == {
        "store": {"condition": "service_healthy"},
        "cache": {"condition": "service_started"},
    }
    assert base.text.index("stop_grace_period") < base.text.index("  store:")
    assert set(text.splitlines()) <= set(base.text.splitlines())
    again = written(facts, {file.path: file.text for file in result.files})
    assert [file.change for file in again.files] == ["unchanged"] * 3


def test_a_grace_that_is_shorter_than_the_work_is_raised_and_an_authors_comment_stays() -> None:
    text = SHOP.replace("1m # long carts", "2s # quick")
    facts = web(reference="registry.example/web:1")
    result = written(facts, {"compose.yaml": text})
    (base,) = [file for file in result.files if file.path == "compose.yaml"]
    assert "    stop_grace_period: 7s # quick\n" in base.text
    assert "    # measured: longest answer 1.3 s + 5 s\n" in base.text


def test_a_port_that_the_base_publishes_is_not_published_again() -> None:
    result = shop()
    assert "ports" not in loaded(result)["compose.production.yaml"]["services"]["web"]
    assert "ports" not in loaded(result)["compose.override.yaml"]["services"]["web"]
    assert "build" not in loaded(result)["compose.override.yaml"]["services"]["web"]


def test_a_limit_is_in_the_form_that_the_base_has() -> None:
    text = SHOP.replace("    # the end of web\n", "    mem_limit: 2g\n")
    result = written(web(reference="registry.example/web:1"), {"compose.yaml": text})
    one = loaded(result)["compose.production.yaml"]["services"]["web"]
    assert one["mem_limit"] == "272m"
    assert "deploy" not in one


def test_which_service_it_is_has_to_be_told_where_two_are_built() -> None:
    text = SHOP.replace("image: redis:7", "build: ./cache")
    with pytest.raises(InputError, match="which service") as caught:
        written(web(reference="registry.example/other:1"), {"compose.yaml": text})
    assert "web, store, cache" in (caught.value.hint or "")
    named = written(web(reference="registry.example/other:1"), {"compose.yaml": text}, name="cache")
    assert named.name == "cache"


def test_new_figures_replace_our_own_with_their_comments() -> None:
    first = written(web())
    texts = {file.path: file.text for file in first.files}
    texts["compose.production.yaml"] += "    labels: {ours: yes} # an author's\n"
    slower = web(longest_answer_seconds=20.0)
    again = {file.path: file for file in written(slower, texts).files}
    assert (
        "stop_grace_period: 25s # measured: longest answer 20 s + 5 s" in again["compose.yaml"].text
    )
    assert again["compose.production.yaml"].change == "unchanged"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services:\n  web: {a: [}\n", "not valid YAML"),
        ("services: {{ .Values.services }}\n", "not valid YAML|has no services"),
        ("", "has no services"),
        ("services: []\n", "has no services"),
        ("a: b\n", "has no services"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_written(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        written(web(), {"compose.yaml": text})
    assert "compose.yaml" in str(caught.value.location)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("base", "production"),
    [
        ("docker-compose.yml", "docker-compose.production.yml"),
        ("compose.yml", "compose.production.yml"),
    ],
)
def test_names_follow_those_that_are_there(base: str, production: str) -> None:
    result = written(web(reference="registry.example/web:1"), {base: SHOP})
    assert base in loaded(result)
    assert production in loaded(result)


def test_a_folder_with_a_colon_is_written_in_the_long_form() -> None:
    facts = web(
        read_only_root=ReadOnlyRoot(works=True, tmpfs=["/tmp", "/var/a:b"]), volumes=["/d:e"]
    )
    result = written(facts)
    one = service(result, "compose.production.yaml")
    assert [item.split(":")[0] for item in one["tmpfs"]] == ["/tmp"]
    assert [item["target"] for item in one["volumes"]] == ["/var/a:b"]
    (volume,) = service(result, "compose.yaml")["volumes"]
    assert volume["target"] == "/d:e"
    assert volume["source"] in loaded(result)["compose.yaml"]["volumes"]
    again = written(facts, {file.path: file.text for file in result.files})
    assert {file.change for file in again.files} == {"unchanged"}
