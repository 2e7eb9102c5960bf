"""One image through every way to store it: the same answers, and clear errors for what is no
image."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from imgopt.analysis import analyze
from imgopt.errors import EnvironmentFailure, ImgoptError, InputError
from imgopt.image import Image, open_image
from imgopt.image.conformance import check_image_source
from imgopt.image.memory import Memory

from .crafting import (
    blob_name,
    config,
    d,
    descriptor,
    docker_archive,
    f,
    hard,
    oci_files,
    opq,
    packed,
    sym,
    tar,
    wh,
    write_directory,
    write_tar,
)

LAYERS = [
    tar(d("etc"), f("etc/os-release", b"ID=crafted\n"), d("usr/bin"), f("usr/bin/tool", 50_000, mode=0o755),
        sym("bin", "usr/bin")),
    tar(f("data/a", 9_000), f("data/b", 9_001), hard("data/c", "data/a"), f("same", b"x" * 5000),
        f("same2", b"x" * 5000)),
    tar(wh("data/b"), d("etc"), opq("etc"), f("etc/new", 100), f("usr/bin/tool", 50_000, mode=0o700)),
]  # fmt: skip
HISTORY = [
    {"created_by": "COPY / / # buildkit"},
    {"created_by": 'CMD ["bash"]', "empty_layer": True},
    {"created_by": "RUN /bin/sh -c make data # buildkit"},
    {"created_by": "RUN |1 A=b /bin/sh -c chmod 700 /bin/tool # buildkit"},
    {"created_by": 'CMD ["tool"]', "empty_layer": True},
]
CONFIG = config(
    LAYERS, HISTORY, Env=["PATH=/bin", "A=1"], Cmd=["tool"], ExposedPorts={"80/tcp": {}}, User="7"
)


def stored(how: str, directory: Path) -> str:
    """Writes the image in one of the ways and returns the reference."""
    kind, _, compress = how.partition(" ")
    if kind == "docker-archive":
        return str(docker_archive(directory / "a.tar", LAYERS, CONFIG, compress))
    files = oci_files(LAYERS, CONFIG, compress)
    if kind == "oci":
        return str(write_directory(directory / "oci", files))
    path = write_tar(directory / "oci.tar", files)
    if kind == "packed-oci-tar":
        path.write_bytes(gzip.compress(path.read_bytes()))
    return str(path)


WAYS = ["docker-archive", "docker-archive gzip", "docker-archive zstd", "oci gzip", "oci zstd", "oci multi-gzip",
        "oci multi-zstd", "oci", "oci-tar gzip", "oci-tar", "packed-oci-tar gzip"]  # fmt: skip


def comparable(image: Image) -> dict[str, Any]:
    """The analysis without what a source may know or not: its own name, and compressed sizes."""
    result = json.loads(msgspec.json.encode(analyze(image)))
    for sizes in (result["sizes"], *(layer["sizes"] for layer in result["layers"])):
        for key in ("wire", "wire_error", "wire_estimated"):
            del sizes[key]
    del result["source"], result["image"]
    return dict(result)


@pytest.mark.parametrize("how", WAYS)
def test_every_way_to_store_an_image_gives_the_same_analysis(how: str, tmp_path: Path) -> None:
    image = open_image(stored(how, tmp_path), memory=Memory(tmp_path / "cache"))
    check_image_source(image)
    reference = open_image(
        str(docker_archive(tmp_path / "r.tar", LAYERS, CONFIG)), memory=Memory(None)
    )
    assert comparable(image) == comparable(reference)
    assert (
        image.config.cmd == ("tool",)
        and image.config.user == "7"
        and image.config.exposed_ports == ("80/tcp",)
    )
    compressed = how.partition(" ")[2]
    assert (image.layers[0].wire_bytes is not None) == bool(compressed)


def test_instructions_come_from_the_history_without_the_builders_dressing(tmp_path: Path) -> None:
    image = open_image(str(docker_archive(tmp_path / "a.tar", LAYERS, CONFIG)), memory=Memory(None))
    rows = analyze(image).layers
    assert [row.instruction for row in rows] == [
        "COPY / /",
        "RUN make data",
        "RUN chmod 700 /bin/tool",
    ]
    assert [row.base for row in rows] == [True, False, False]


def test_a_layer_is_read_once_and_remembered_by_its_diff_id(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "cache")
    path = docker_archive(tmp_path / "a.tar", LAYERS, CONFIG, "gzip")
    first = analyze(open_image(str(path), memory=memory))
    kept = {
        each.name: each.read_bytes() for each in (tmp_path / "cache").rglob("*") if each.is_file()
    }
    assert len([name for name in kept if name.startswith("sha256-")]) == len(LAYERS) + 1
    assert analyze(open_image(str(path), memory=memory)) == first
    for each in (tmp_path / "cache").rglob("*.1"):
        each.write_bytes(
            each.read_bytes()[:40]
        )  # damaged by a kill or another version: measured again
    assert analyze(open_image(str(path), memory=memory)) == first


def test_legacy_archives_link_equal_layers(tmp_path: Path) -> None:
    layer = tar(f("a", 10))
    raw = config([layer, layer])
    manifest = [{"Config": "c.json", "RepoTags": None, "Layers": ["1/layer.tar", "2/layer.tar"]}]
    path = tmp_path / "a.tar"
    path.write_bytes(
        tar(f("1/layer.tar", layer), sym("2/layer.tar", "../1/layer.tar"), f("c.json", raw),
            f("manifest.json", json.dumps(manifest).encode()))
    )  # fmt: skip
    check_image_source(open_image(str(path), memory=Memory(None)))


def index_of(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                       "manifests": list(entries)}).encode()  # fmt: skip


def two_platforms() -> dict[str, bytes]:
    """amd64 and arm64 below a nested index, each with an attestation as BuildKit writes them."""
    files: dict[str, bytes] = {}
    entries = []
    for architecture, layers in (("amd64", LAYERS), ("arm64", LAYERS[:1])):
        raw = config(layers).replace(b'"amd64"', f'"{architecture}"'.encode())
        one = oci_files(layers, raw)
        entry = json.loads(one.pop("index.json"))["manifests"][0]
        entry["platform"] = {"os": "linux", "architecture": architecture}
        statement = oci_files([tar(f("attestation", 5))], raw)
        attestation = json.loads(statement.pop("index.json"))["manifests"][0]
        attestation["platform"] = {"os": "unknown", "architecture": "unknown"}
        attestation["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
        entries += [entry, attestation]
        files |= one | statement
    inner = index_of(*entries)
    files[blob_name(inner)] = inner
    files["index.json"] = index_of(descriptor("application/vnd.oci.image.index.v1+json", inner))
    return files


def test_platform_chooses_in_nested_indexes_and_attestations_are_no_platform(
    tmp_path: Path,
) -> None:
    path = write_directory(tmp_path / "oci", two_platforms())
    for platform, count in (("linux/amd64", 3), ("linux/arm64", 1), ("arm64", 1)):
        assert len(open_image(str(path), platform, Memory(None)).layers) == count
    with pytest.raises(EnvironmentFailure, match="no image for linux/s390x") as caught:
        open_image(str(path), "linux/s390x", Memory(None))
    assert caught.value.hint is not None and "linux/amd64, linux/arm64" in caught.value.hint


def test_the_only_platform_is_taken_when_none_is_asked_for(tmp_path: Path) -> None:
    files = oci_files(LAYERS, CONFIG.replace(b'"amd64"', b'"riscv64"'), platform=False)
    image = open_image(str(write_directory(tmp_path / "oci", files)), memory=Memory(None))
    assert image.platform == "linux/riscv64"


def test_several_images_in_one_archive_are_chosen_by_name(tmp_path: Path) -> None:
    second = config(LAYERS[:1])
    names = {
        "a.json": CONFIG,
        "b.json": second,
        "1.tar": LAYERS[0],
        "2.tar": LAYERS[1],
        "3.tar": LAYERS[2],
    }
    manifest = [
        {"Config": "a.json", "RepoTags": ["a:latest"], "Layers": ["1.tar", "2.tar", "3.tar"]},
        {"Config": "b.json", "RepoTags": ["b:2"], "Layers": ["1.tar"]},
    ]
    path = write_tar(tmp_path / "two.tar", names | {"manifest.json": json.dumps(manifest).encode()})
    assert len(open_image(f"{path}#b:2", memory=Memory(None)).layers) == 1
    assert len(open_image(f"{path}#a", memory=Memory(None)).layers) == 3
    with pytest.raises(InputError, match="several images inside: a:latest, b:2"):
        open_image(str(path), memory=Memory(None))
    with pytest.raises(EnvironmentFailure, match="no image named c"):
        open_image(f"{path}#c", memory=Memory(None))


def test_a_foreign_layer_has_no_size_and_the_rest_is_still_told(tmp_path: Path) -> None:
    files = oci_files(LAYERS, CONFIG)
    index = json.loads(files["index.json"])
    manifest = json.loads(files.pop(f"blobs/sha256/{index['manifests'][0]['digest'][7:]}"))
    del files[f"blobs/sha256/{manifest['layers'][0]['digest'][7:]}"]
    manifest["layers"][0]["urls"] = ["https://example.invalid/layer"]
    raw = json.dumps(manifest).encode()
    files[blob_name(raw)] = raw
    files["index.json"] = index_of(descriptor("application/vnd.oci.image.manifest.v1+json", raw))
    image = open_image(str(write_directory(tmp_path / "oci", files)), memory=Memory(None))
    result = analyze(image)
    assert (
        image.layers[0].missing
        and result.sizes.wire is None
        and result.layers[0].sizes.wire is None
    )
    assert result.layers[1].sizes.payload > 0


def without(files: dict[str, bytes], *names: str) -> dict[str, bytes]:
    return {name: contents for name, contents in files.items() if name not in names}


BLOB = blob_name(packed(LAYERS[0], "gzip"))
REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "an exported file system": ({"etc/passwd": b"x"}, "neither index.json nor manifest.json"),
    "no layer blob": (without(oci_files(LAYERS), BLOB), "is missing"),
    "another layer under the same digest": (
        oci_files(LAYERS) | {BLOB: packed(LAYERS[1], "gzip")}, "does not match its digest",
    ),
    "a cut off layer": (oci_files(LAYERS) | {BLOB: packed(LAYERS[0], "gzip")[:-20]}, "cannot be unpacked"),
    "no JSON": ({"manifest.json": b"{"}, "manifest.json is damaged"),
    "manifest of numbers": ({"manifest.json": b"[1]"}, "manifest.json is damaged"),
    "nested JSON": ({"manifest.json": b"[" * 100_000}, "manifest.json is damaged"),
    "an empty list": ({"manifest.json": b"[]"}, "lists no image"),
    "no configuration": ({"manifest.json": b'[{"Config": "x", "Layers": []}]'}, "x is missing"),
    "a model, not an image": (
        {"manifest.json": b'[{"Config": "x", "Layers": []}]', "x": b'{"weights": 1}'}, "not the configuration",
    ),
    "fewer layers than diff IDs": (
        {"manifest.json": b'[{"Config": "x", "Layers": []}]', "x": CONFIG}, "0 layers, but the configuration lists 3",
    ),
    "paths out of the archive": (
        {"manifest.json": b'[{"Config": "../../../etc/passwd", "Layers": []}]'}, "is missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("form", ["directory", "tar"])
def test_what_is_no_image_is_refused_with_a_reason(name: str, form: str, tmp_path: Path) -> None:
    files, message = REFUSED[name]
    path = (
        write_directory(tmp_path / "d", files)
        if form == "directory"
        else write_tar(tmp_path / "t.tar", files)
    )
    with pytest.raises(ImgoptError, match=message.replace(".", r"\.")):
        analyze(open_image(str(path), memory=Memory(None)))


def test_a_manifest_loop_ends(tmp_path: Path) -> None:
    """No blob can contain its own digest, so a loop needs a forged name: the check of digests ends
    it."""
    forged = "sha256:" + "0" * 64
    loop = index_of(
        {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": forged, "size": 10}
    )
    files = {"oci-layout": b"{}", "index.json": loop, f"blobs/sha256/{'0' * 64}": loop}
    with pytest.raises(InputError, match="does not match its digest"):
        open_image(str(write_directory(tmp_path / "oci", files)), memory=Memory(None))


def test_deep_chains_of_indexes_end(tmp_path: Path) -> None:
    files = {"oci-layout": b"{}"}
    inner = index_of()
    for _ in range(20):
        files[blob_name(inner)] = inner
        inner = index_of(descriptor("application/vnd.oci.image.index.v1+json", inner))
    files["index.json"] = inner
    with pytest.raises(InputError, match="nested too deeply"):
        open_image(str(write_directory(tmp_path / "oci", files)), memory=Memory(None))


def test_a_layout_reads_nothing_outside_of_itself(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("[]")
    directory = write_directory(tmp_path / "oci", {"oci-layout": b"{}"})
    (directory / "manifest.json").symlink_to("../secret")
    with pytest.raises(InputError, match="not an image"):
        open_image(str(directory), memory=Memory(None))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="No such file"):
        open_image(str(tmp_path / "none.tar"), memory=Memory(None))
