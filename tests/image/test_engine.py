"""Against a real engine and a real registry: equal answers from every source, and from other
programs."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imgopt.errors import EnvironmentFailure
from imgopt.image import daemon, find_packages, ledger, open_image, sizes
from imgopt.image.conformance import check_image_source
from imgopt.image.memory import Memory
from imgopt.image.packages.names import plain_name

from .crafting import docker_archive, oci_files, write_directory
from .test_sources import CONFIG, LAYERS, comparable

pytestmark = pytest.mark.engine


@pytest.fixture
def loaded(client: Any, tmp_path: Path) -> Iterator[str]:
    """The crafted image under a name of its own in the engine."""
    name = f"imgopt-test-{uuid.uuid4().hex[:8]}:1"
    path = docker_archive(tmp_path / "load.tar", LAYERS, CONFIG, name=name)
    client.images.load(path.read_bytes())
    yield name
    client.images.remove(name, force=True)


def test_engine_store_archive_layout_and_registry_agree(
    loaded: str, client: Any, registry: str, tmp_path: Path
) -> None:
    remote = f"{registry}/crafted/image:{uuid.uuid4().hex[:8]}"
    client.images.get(loaded).tag(remote)
    subprocess.run(["docker", "push", "-q", remote], check=True, capture_output=True)
    client.images.remove(remote)
    saved = tmp_path / "saved.tar"
    subprocess.run(["docker", "save", loaded, "-o", saved], check=True)
    references = {
        "engine": f"engine:{loaded}",
        "store": loaded,
        "archive": str(saved),
        "layout": str(write_directory(tmp_path / "oci", oci_files(LAYERS, CONFIG))),
        "registry": f"registry:{remote}",
    }
    answers = {}
    for source, reference in references.items():
        image = open_image(reference, memory=Memory(None))
        assert image.source == source
        check_image_source(image)
        answers[source] = comparable(image)
    for source, answer in answers.items():
        assert answer == answers["archive"], source


def test_the_estimated_wire_size_is_near_what_a_push_makes_and_manifests_tell_it(
    base: Callable[[str], str], client: Any, registry: str
) -> None:
    name = base("python:3.11-slim")
    remote = f"{registry}/crafted/wire:1"
    client.images.get(name).tag(remote)
    subprocess.run(["docker", "push", "-q", remote], check=True, capture_output=True)
    client.images.remove(remote)
    pushed = open_image(f"registry:{remote}", memory=Memory(None))
    wire = sum(layer.wire_bytes or 0 for layer in pushed.layers)
    assert all(layer._contents._tar is None for layer in pushed.layers)  # type: ignore[attr-defined]  # no blob is read
    estimate = sizes(open_image(name, memory=Memory(None)))
    assert estimate.wire_estimated and estimate.wire is not None
    assert abs(estimate.wire - wire) <= 0.03 * wire


def test_an_unknown_name_gives_the_nearest_ones(loaded: str, registry: str) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        open_image(loaded.replace("imgopt-test-", "imgopt-tset-"))
    assert (
        caught.value.exit_code == 3
        and caught.value.hint is not None
        and loaded in caught.value.hint
    )
    with pytest.raises(EnvironmentFailure, match="no such image"):
        open_image(f"registry:{registry}/not/there:1")


def test_an_unreadable_store_is_replaced_by_the_api_and_said_once(
    loaded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine reports a data root that this process has no access to, as it does on another
    machine."""
    real = daemon.connect

    def elsewhere() -> Any:
        client = real()
        info = client.api.info()
        client.api.info = lambda: info | {"DockerRootDir": str(tmp_path / "not-here")}
        return client

    monkeypatch.setattr(daemon, "connect", elsewhere)
    monkeypatch.setattr(daemon, "ask_store", lambda _: None)
    with caplog.at_level(logging.INFO, "imgopt.image"):
        image = open_image(loaded, memory=Memory(None))
    assert image.source == "engine" and ledger(image).live > 0
    assert (
        len([record for record in caplog.records if "not from its store" in record.getMessage()])
        == 1
    )


def test_the_containerd_store_is_read_directly(
    containerd_engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = docker_archive(tmp_path / "load.tar", LAYERS, CONFIG, "gzip")
    (image,) = containerd_engine.images.load(path.read_bytes())
    image.tag("crafted:containerd")
    monkeypatch.setattr(daemon, "ask_store", lambda _: None)
    monkeypatch.setattr(daemon, "connect", lambda: containerd_engine)
    monkeypatch.setattr(containerd_engine, "close", lambda: None)
    reference = comparable(open_image(str(path), memory=Memory(None)))
    for name, source in (("crafted:containerd", "store"), ("engine:crafted:containerd", "engine")):
        opened = open_image(name, memory=Memory(None))
        assert opened.source == source
        check_image_source(opened)
        assert comparable(opened) == reference


def local_images() -> list[str]:
    """One base of each family; the others share their layers with these."""
    if shutil.which("docker") is None:
        return []
    command = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]
    names = subprocess.run(command, capture_output=True, text=True).stdout.split()
    return sorted(name for name in names if _FAMILIES.search(name))


_FAMILIES = re.compile(
    r"^imgopt\.local/(?:debian:bookworm-slim|python:3\.11|node:20-slim|golang:|maven:|nginx:|.*/(?:static|python3)-.*:latest)"
)
IMAGES = local_images()
AWK = """awk '$1 ~ /^-/ { sum += $3 } END { printf "%d", sum }'"""


@pytest.mark.parametrize("name", IMAGES)
def test_the_classes_sum_to_what_tar_and_awk_count_in_docker_save(
    name: str, tmp_path: Path
) -> None:
    image = open_image(name, memory=Memory(None))
    assert image.source in ("store", "engine")
    script = f"""
        set -e
        docker save {name} | tar -x -C {tmp_path}
        python3 - <<'PY'
import json
for layer in json.load(open("{tmp_path}/manifest.json"))[0]["Layers"]:
    print("{tmp_path}/" + layer)
PY
    """
    layers = subprocess.run(
        ["bash", "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    count = ["bash", "-c", f'tar --numeric-owner -tvf "$0" | {AWK}']
    counted = [
        int(subprocess.run([*count, layer], check=True, capture_output=True, text=True).stdout)
        for layer in layers
    ]
    assert [sum(classes.values()) for classes in ledger(image).layers] == counted
    assert [layer.tar_bytes for layer in image.layers] == [
        Path(layer).stat().st_size for layer in layers
    ]


@pytest.mark.parametrize("name", IMAGES)
def test_live_is_what_a_created_container_holds(name: str, client: Any) -> None:
    """The engine puts empty files of its own in three places."""
    container = client.api.create_container(name, command=["x"])["Id"]
    try:
        counted = subprocess.run(
            ["bash", "-c", f"docker export {container} | tar -tv | {AWK}"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        client.api.remove_container(container)
    image = open_image(name, memory=Memory(None))
    replaced = (
        image.tree().get(path) for path in ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")
    )
    assert ledger(image).live - sum(node.size for node in replaced if node) == int(counted.stdout)


@pytest.mark.parametrize("name", IMAGES)
def test_package_lists_equal_what_dpkg_and_pip_print_inside(name: str) -> None:
    tree = open_image(name, memory=Memory(None)).tree()
    packages = find_packages(tree)
    asked = False
    if tree.resolve("/usr/bin/dpkg-query"):
        printed = inside(name, "dpkg-query", "-W", "-f", "${Package} ${Version}\\n").splitlines()
        found = sorted(
            f"{package.name} {package.version}"
            for package in packages
            if package.ecosystem == "deb"
        )
        assert found == sorted(printed)
        asked = True
    if tree.resolve("/usr/local/bin/pip"):
        listed = json.loads(
            inside(name, "pip", "list", "--format", "json", "--disable-pip-version-check")
        )
        roots = json.loads(
            inside(name, "python3", "-c", "import json, sys; print(json.dumps(sys.path))")
        )
        ours = {
            (plain_name(package.name), package.version)
            for package in packages
            if package.ecosystem == "python"
            and package.metadata.startswith(tuple(f"{root}/" for root in roots if root))
        }
        assert ours == {(plain_name(each["name"]), each["version"]) for each in listed}
        asked = True
    live = (
        sum(package.bytes for package in packages if package.inside is None)
        + packages.unowned_bytes
    )
    assert live == ledger(open_image(name)).live
    assert asked or not tree.get("/var/lib/dpkg/status")


def inside(image: str, *command: str) -> str:
    run = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        command[0],
        image,
        *command[1:],
    ]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout
