"""Which engine is asked: by the docker CLI's rules, and compared with the real docker CLI where it
is here."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from imgopt.endpoint import Endpoint, Tls, resolve
from imgopt.endpoint.address import parse_host
from imgopt.errors import EnvironmentFailure

ADDRESSES = {
    "": "unix:///var/run/docker.sock",
    "unix://": "unix:///var/run/docker.sock",
    "unix:///a/b": "unix:///a/b",
    "tcp://": "tcp://localhost:2375",
    "tcp://h": "tcp://h:2375",
    "h": "tcp://h:2375",
    "h:12": "tcp://h:12",
    ":7": "tcp://localhost:7",
    "tcp://:55": "tcp://localhost:55",
    "[::1]:9": "tcp://[::1]:9",
    " tcp://h:1 ": "tcp://h:1",
    "ssh://u@h": "ssh://u@h",
    "ssh://u@h:22/var/x": "ssh://u@h:22/var/x",
}
NO_ADDRESSES = (
    "http://h",
    "fd://",
    "unix://a://b",
    "tcp://h:x",
    "tcp://h:99999",
    "tcp://h:1/path",
    "ftp://x",
)


@pytest.mark.parametrize(("given", "whole"), ADDRESSES.items())
def test_an_address_is_completed_as_the_docker_cli_does(given: str, whole: str) -> None:
    assert parse_host(given) == whole


@pytest.mark.parametrize("given", NO_ADDRESSES)
def test_what_is_no_address_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        resolve({"DOCKER_HOST": given, "HOME": "/nowhere"})
    assert given in caught.value.message
    assert "unix:///var/run/docker.sock" in (caught.value.hint or "")


class Home:
    """A home with the docker CLI's files, written as that writes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / ".docker"
        self.config.mkdir(parents=True)
        self.sockets: set[str] = {"/var/run/docker.sock"}

    def context(self, name: str, host: str | None, *material: str, skips: bool = False) -> None:
        identity = hashlib.sha256(name.encode()).hexdigest()
        meta = self.config / "contexts" / "meta" / identity
        meta.mkdir(parents=True)
        docker = {"SkipTLSVerify": skips} | ({"Host": host} if host else {})
        (meta / "meta.json").write_text(
            json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": docker}})
        )
        for part in material:
            file = self.config / "contexts" / "tls" / identity / "docker" / part
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")

    def use(self, name: str) -> None:
        (self.config / "config.json").write_text(json.dumps({"currentContext": name}))

    def resolve(self, **variables: str) -> Endpoint:
        return resolve({"HOME": str(self.folder), **variables}, self.sockets.__contains__)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.context("work", "unix:///work.sock")
    made.context("other", "tcp://other:2376", "ca.pem", "cert.pem", "key.pem")
    return made


def test_nothing_said_is_the_default_socket(home: Home) -> None:
    assert home.resolve() == Endpoint("unix:///var/run/docker.sock", "the default")


def test_the_current_context_is_taken_from_config_json(home: Home) -> None:
    home.use("work")
    found = home.resolve()
    assert (found.host, found.context, found.origin) == (
        "unix:///work.sock",
        "work",
        'the docker context "work"',
    )


def test_docker_context_beats_config_json(home: Home) -> None:
    home.use("work")
    assert home.resolve(DOCKER_CONTEXT="other").host == "tcp://other:2376"


def test_docker_host_beats_docker_context(home: Home) -> None:
    found = home.resolve(DOCKER_CONTEXT="other", DOCKER_HOST="unix:///mine.sock")
    assert found == Endpoint("unix:///mine.sock", "DOCKER_HOST")


def test_the_context_default_is_no_file(home: Home) -> None:
    home.use("work")
    assert home.resolve(DOCKER_CONTEXT="default").host == "unix:///var/run/docker.sock"


def test_docker_config_moves_all_of_it(home: Home, tmp_path: Path) -> None:
    home.use("work")
    assert home.resolve(DOCKER_CONFIG=str(tmp_path / "empty")).origin == "the default"


@pytest.mark.parametrize("text", ["{", "[]", '{"currentContext": null}'])
def test_a_broken_config_json_counts_as_none(home: Home, text: str) -> None:
    (home.config / "config.json").write_text(text)
    assert home.resolve().origin == "the default"


def test_a_context_that_does_not_exist_is_not_replaced_by_the_default(home: Home) -> None:
    home.use("gone")
    with pytest.raises(
        EnvironmentFailure, match=r"config\.json names the docker context \"gone\""
    ) as caught:
        home.resolve()
    assert "docker context ls" in (caught.value.hint or "")


def test_a_damaged_context_says_how_to_look_at_it(home: Home) -> None:
    identity = hashlib.sha256(b"work").hexdigest()
    (home.config / "contexts" / "meta" / identity / "meta.json").write_text("{")
    with pytest.raises(EnvironmentFailure, match="cannot be read") as caught:
        home.resolve(DOCKER_CONTEXT="work")
    assert "docker context inspect work" in (caught.value.hint or "")


def test_a_context_without_an_address_is_the_default_socket(home: Home) -> None:
    home.context("plain", None)
    assert home.resolve(DOCKER_CONTEXT="plain").host == "unix:///var/run/docker.sock"


def test_the_tls_files_of_a_context_belong_to_it(home: Home) -> None:
    tls = home.resolve(
        DOCKER_CONTEXT="other", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH="/elsewhere"
    ).tls
    assert tls is not None and tls.verify
    assert str(tls.ca).startswith(str(home.config / "contexts" / "tls"))


def test_a_context_may_take_any_certificate(home: Home) -> None:
    home.context("lax", "tcp://lax:1", skips=True)
    assert home.resolve(DOCKER_CONTEXT="lax").tls == Tls(None, None, None, verify=False)


@pytest.mark.parametrize(
    ("variables", "verify"),
    [({"DOCKER_TLS_VERIFY": "1"}, True), ({"DOCKER_TLS": "1"}, False)],
    ids=["verify", "any"],
)
def test_tls_by_variables_takes_the_files_that_are_there(
    home: Home, tmp_path: Path, variables: dict[str, str], verify: bool
) -> None:
    (tmp_path / "ca.pem").write_text("")
    found = home.resolve(DOCKER_CERT_PATH=str(tmp_path), **variables)
    assert found.host == "tcp://localhost:2376"
    assert found.tls == Tls(str(tmp_path / "ca.pem"), None, None, verify)


def test_a_socket_needs_no_tls(home: Home) -> None:
    assert home.resolve(DOCKER_HOST="unix:///x", DOCKER_TLS_VERIFY="1").tls is None


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("{run}/docker.sock", "the rootless engine"),
        ("{home}/.docker/run/docker.sock", "Docker Desktop"),
        ("{home}/.docker/desktop/docker.sock", "Docker Desktop"),
    ],
)
def test_for_want_of_the_default_socket_the_usual_ones_are_looked_for(
    home: Home, path: str, owner: str
) -> None:
    path = path.format(run="/run/user/1000", home=home.folder)
    home.sockets = {path, "/run/podman/podman.sock"}
    found = home.resolve(XDG_RUNTIME_DIR="/run/user/1000")
    assert (found.host, owner in found.origin) == (f"unix://{path}", True)


def test_a_rootless_engine_beside_the_default_one_is_not_taken_by_itself(home: Home) -> None:
    home.sockets.add("/run/user/1000/docker.sock")
    assert home.resolve(XDG_RUNTIME_DIR="/run/user/1000").host == "unix:///var/run/docker.sock"


def test_podman_is_asked_only_where_it_is_named(home: Home) -> None:
    home.sockets = {"/run/podman/podman.sock"}
    assert home.resolve().host == "unix:///var/run/docker.sock"


def test_processes_that_are_started_ask_the_same_engine(home: Home) -> None:
    given = {
        "DOCKER_HOST": "unix:///a",
        "DOCKER_CONTEXT": "b",
        "BUILDX_BUILDER": "c",
        "PATH": "/bin",
    }
    assert home.resolve(DOCKER_CONTEXT="work").environment(given) == {
        "DOCKER_CONTEXT": "work",
        "PATH": "/bin",
    }
    assert home.resolve().environment(given) == {
        "DOCKER_HOST": "unix:///var/run/docker.sock",
        "PATH": "/bin",
    }


@pytest.fixture
def docker() -> str:
    found = shutil.which("docker")
    if found is None:
        pytest.skip("the docker CLI is not here")
    return found


def shown(docker: str, variables: dict[str, str]) -> str:
    command = [docker, "context", "inspect", "--format", "{{.Name}} {{.Endpoints.docker.Host}}"]
    return subprocess.run(
        command, env=variables, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.engine
@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"DOCKER_CONTEXT": "two"},
        {"DOCKER_CONTEXT": "default"},
        {"DOCKER_HOST": "unix:///three.sock"},
        {"DOCKER_HOST": "h:12", "DOCKER_CONTEXT": "two"},
        {"DOCKER_HOST": "ssh://u@h"},
        {"DOCKER_TLS_VERIFY": "1", "DOCKER_CONTEXT": "default"},
    ],
    ids=lambda chosen: " ".join(chosen) or "config.json",
)
def test_the_real_docker_cli_resolves_the_same(
    docker: str, tmp_path: Path, chosen: dict[str, str]
) -> None:
    variables = {
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path / "config"),
        "PATH": "/usr/bin:/bin",
    }
    for name, host in (("one", "unix:///one.sock"), ("two", "tcp://two:2376")):
        create = [docker, "context", "create", name, "--docker", f"host={host}"]
        subprocess.run(create, env=variables, check=True, capture_output=True)
    subprocess.run(
        [docker, "context", "use", "one"], env=variables, check=True, capture_output=True
    )
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / "config" / name).write_text("")
    found = resolve({**variables, **chosen}, lambda _: True)
    assert f"{found.context or 'default'} {found.host}" == shown(docker, {**variables, **chosen})


@pytest.mark.engine
@pytest.mark.parametrize("given", ADDRESSES)
def test_the_real_docker_cli_reads_the_address_as_we_do(
    docker: str, tmp_path: Path, given: str
) -> None:
    variables = {
        "HOME": str(tmp_path),
        "DOCKER_HOST": given,
        "DOCKER_CONTEXT": "default",
        "PATH": "/usr/bin:/bin",
    }
    assert shown(docker, variables) == f"default {resolve(variables, lambda _: True).host}"
