"""Which build of a folder is meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from grammar import written

from imgopt.cli.found import is_inline, settled
from imgopt.cli.options import BuildOptions
from imgopt.compose.finding import find, find_all
from imgopt.compose.refused import Lacking
from imgopt.engine import configured
from imgopt.errors import InputError

FROM = "FROM busybox\n"
WEB = "services:\n  web:\n    build: .\n"
TWO = "services:\n  web: {build: ./web, ports: ['80']}\n  api: {build: ./api}\n"
FOLDERS = {"web/Dockerfile": FROM, "api/Dockerfile": FROM}


def folder(tmp_path: Path, files: dict[str, str]) -> Path:
    return written(files, tmp_path.resolve())


def test_a_folder_without_such_files_says_nothing(tmp_path: Path) -> None:
    assert find(folder(tmp_path, {"Dockerfile": FROM})).one is None


def test_the_only_service_that_is_built(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  db: {image: postgres}\n"
        "  web: {build: {context: web, dockerfile: ../docker/Dockerfile.prod, target: run}}\n",
        "docker/Dockerfile.prod": FROM,
        "web/x": "",
    }
    one = find(folder(tmp_path, files)).one
    assert one is not None
    said = "the service web is built from docker/Dockerfile.prod in web, target run"
    assert str(one) == f"compose.yaml: {said}"


def test_of_services_that_share_an_image_the_one_that_is_reached_stands_for_it(
    tmp_path: Path,
) -> None:
    services = (
        "services:\n  migrate: {build: ., command: up}\n  worker: {build: ., command: work}\n"
        "  web: {build: ., ports: ['80'], depends_on: {migrate: "
        "{condition: service_completed_successfully}}}\n"
    )
    one = find(folder(tmp_path, {"compose.yaml": services, "Dockerfile": FROM})).one
    assert one is not None and one.name == "web"


def test_several_images_are_listed_with_what_chooses_one(tmp_path: Path) -> None:
    where = folder(tmp_path, {"compose.yaml": TWO, **FOLDERS})
    with pytest.raises(InputError) as caught:
        find(where)
    assert "web: web/Dockerfile" in str(caught.value) and "--service" in str(caught.value.hint)
    one = find(where, service="api").one
    assert one is not None and one.build.context == where / "api"
    assert [one.name for one in find_all(where)] == ["web", "api"]


def test_the_folders_own_dockerfile_is_taken_where_no_service_is_built_from_it(
    tmp_path: Path,
) -> None:
    finding = find(folder(tmp_path, {"compose.yaml": TWO, "Dockerfile": FROM, **FOLDERS}))
    assert finding.one is None and "--service NAME" in finding.notes[0]


def test_the_service_that_is_built_from_the_folders_own_dockerfile_among_others(
    tmp_path: Path,
) -> None:
    more = "  top: {build: {context: ., args: {A: 1}}}\n"
    one = find(folder(tmp_path, {"compose.yaml": TWO + more, "Dockerfile": FROM, **FOLDERS})).one
    assert one is not None and one.name == "top"


def test_services_of_a_profile_have_to_be_named(tmp_path: Path) -> None:
    more = "  debug: {build: web, profiles: [debug]}\n"
    where = folder(tmp_path, {"compose.yaml": WEB + more, "Dockerfile": FROM, **FOLDERS})
    one = find(where).one
    assert one is not None and one.name == "web"
    named = find(where, service="debug").one
    assert named is not None and named.name == "debug"


def test_an_unknown_service_is_told_with_those_that_are_built(tmp_path: Path) -> None:
    where = folder(tmp_path, {"compose.yaml": WEB + "  db: {image: x}\n", "Dockerfile": FROM})
    for name, said in (("wbe", "is not there"), ("db", "has no build")):
        with pytest.raises(InputError) as caught:
            find(where, service=name)
        assert said in str(caught.value) and caught.value.hint == "built are: web"


def test_a_file_that_compose_refuses_is_refused_with_its_line(tmp_path: Path) -> None:
    where = folder(tmp_path, {"compose.yaml": WEB + "    prots: []\n", "Dockerfile": FROM})
    with pytest.raises(InputError) as caught:
        find(where)
    assert str(caught.value.location) == f"{where}/compose.yaml:4"


@pytest.mark.parametrize(
    "lacks", ["    env_file: .env.prod\n", "    ports: ['$NOT_SET:$NOT_SET']\n"]
)
def test_what_a_fresh_clone_lacks_costs_the_services_and_not_the_dockerfile(
    tmp_path: Path, lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    files = {"compose.yaml": WEB + lacks, "Dockerfile": FROM, ".env.prod.example": ""}
    where = folder(tmp_path, files)
    finding = find(where)
    assert finding.one is None and "compose.yaml:4" in finding.notes[0]
    with pytest.raises(Lacking):
        find(where, service="web")


def test_a_variable_that_the_author_requires_is_refused(tmp_path: Path) -> None:
    files = {"compose.yaml": WEB + "    user: ${NOT_SET:?who}\n", "Dockerfile": FROM}
    with pytest.raises(InputError, match="who"):
        find(folder(tmp_path, files))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        ("https://example.org/x.git", "which is no folder"),
        ("{context: ., dockerfile: Dockerfile.gone}", "which is not there"),
    ],
)
def test_what_cannot_be_built_from_here_is_said(tmp_path: Path, build: str, said: str) -> None:
    files = {
        "compose.yaml": f"services:\n  web:\n    build: {build}\n  b: {{build: web}}\n",
        **FOLDERS,
    }
    (tmp_path / "Dockerfile.x").write_text(FROM)
    with pytest.raises(InputError, match=said):
        find(folder(tmp_path, files), service="web")


def test_a_build_on_another_ones_image_is_for_a_command_that_builds_that_first(
    tmp_path: Path,
) -> None:
    services = (
        "services:\n  web: {build: {context: ., additional_contexts: {b: 'service:b'}}, ports: ['80']}\n"
        "  b: {build: web}\n"
    )
    where = folder(tmp_path, {"compose.yaml": services, "Dockerfile": FROM, **FOLDERS})
    with pytest.raises(InputError, match="the image of another build"):
        settled(where, BuildOptions())
    _, config = settled(where, BuildOptions(), links=True)
    assert config.build.contexts == {"b": "service:b"}


def test_everything_that_a_build_takes_goes_under_what_the_user_says(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  web:\n    build:\n      context: app\n      target: run\n"
        "      args: {A: 1, B: 2}\n      ssh: [default]\n      secrets: [npm]\n"
        "      additional_contexts: {shared: ./shared}\n      platforms: [linux/arm64]\n"
        "      network: host\n      extra_hosts: ['a=10.0.0.1']\n"
        "    environment: {X: compose, Y: compose}\n    command: serve --all\n"
        "secrets: {npm: {file: ./npmrc}}\n",
        "imgopt.toml": '[build]\nargs = { B = "mine" }\n[smoke]\nenv = { Y = "mine" }\n',
        "app/Dockerfile": FROM,
        "shared/x": "",
        "npmrc": "",
    }
    where = folder(tmp_path, files)
    context, config = settled(where, BuildOptions(target="test"))
    request = configured(context, config)
    assert context == where / "app" and config.build.file == str(where / "app/Dockerfile")
    assert (request.target, request.platform, request.network) == ("test", "linux/arm64", "host")
    assert request.build_args == {"A": "1", "B": "mine"}
    assert request.secrets == (f"id=npm,src={where}/npmrc",) and request.ssh == ("default",)
    assert request.extra == (
        f"--build-context=shared={where}/shared",
        "--add-host=a:10.0.0.1",
    )
    assert config.smoke.env == {"X": "compose", "Y": "mine"}
    assert config.smoke.command == ["serve", "--all"]


def test_a_named_dockerfile_leaves_the_compose_file_alone(tmp_path: Path) -> None:
    where = folder(tmp_path, {"compose.yaml": "services: [", "Dockerfile": FROM})
    context, config = settled(where, BuildOptions(file=where / "Dockerfile"))
    assert context == where and config.compose.folder is None


def test_an_inline_dockerfile_is_a_file_for_the_command(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  web:\n    build: {context: ., dockerfile_inline: 'FROM x'}\n"
    }
    _, config = settled(folder(tmp_path, files), BuildOptions())
    path = Path(config.build.file or "")
    assert path.read_text() == "FROM x" and is_inline(path)


def test_what_was_found_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settled(folder(tmp_path, {"compose.yaml": WEB, "Dockerfile": FROM}), BuildOptions())
    said = capsys.readouterr()
    assert said.err == "imgopt: compose.yaml: the service web is built from Dockerfile\n"
    assert said.out == ""
