"""Lines from the build's own provenance, and nothing from damaged or foreign statements."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from imgopt.analysis import analyze
from imgopt.dockerfile import parse
from imgopt.image import Image, open_image
from imgopt.image.memory import Memory

from .crafting import (
    blob_name,
    config,
    descriptor,
    digest,
    f,
    oci_files,
    packed,
    tar,
    write_directory,
)

LAYERS = [tar(f("base", 10)), tar(f("a", 20)), tar(f("b", 30))]
BLOBS = [packed(layer, "gzip") for layer in LAYERS]
DOCKERFILE = "FROM base\nCOPY a /\n\nRUN make \\\n  b\n"
HISTORY = [
    {"created_by": "ADD base"},
    {"created_by": "COPY a / # buildkit"},
    {"created_by": "RUN make b"},
]


def statement(version: str = "v0.2", **changes: Any) -> bytes:
    def chain(length: int) -> list[list[dict[str, Any]]]:
        return [[{"digest": digest(blob), "size": len(blob)} for blob in BLOBS[:length]]]

    def lines(*numbers: int) -> dict[str, Any]:
        return {
            "locations": [{"ranges": [{"start": {"line": n}, "end": {"line": n}} for n in numbers]}]
        }

    metadata = {
        "source": {
            "locations": {"step0": {}, "step1": lines(2), "step2": lines(4, 5)},
            "infos": [
                {"filename": "Dockerfile", "data": base64.b64encode(DOCKERFILE.encode()).decode()}
            ],
        },
        "layers": {"step0:0": chain(1), "step1:0": chain(2), "step2:0": chain(3)},
        **changes,
    }
    if version == "v1":
        return json.dumps(
            {"predicate": {"runDetails": {"metadata": {"buildkit_metadata": metadata}}}}
        ).encode()
    key = "https://mobyproject.org/buildkit@v1#metadata"
    return json.dumps({"predicate": {"metadata": {key: metadata}}}).encode()


def image_with(path: Path, *statements: bytes) -> Image:
    files = oci_files(LAYERS, config(LAYERS, HISTORY))
    index = json.loads(files["index.json"])
    for raw in statements:
        layer = {
            **descriptor("application/vnd.in-toto+json", raw),
            "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"},
        }
        manifest = json.dumps(
            {"schemaVersion": 2, "config": descriptor("x", b"{}"), "layers": [layer]}
        ).encode()
        files |= {blob_name(raw): raw, blob_name(manifest): manifest, blob_name(b"{}"): b"{}"}
        entry = descriptor("application/vnd.oci.image.manifest.v1+json", manifest)
        entry["platform"] = {"os": "unknown", "architecture": "unknown"}
        entry["annotations"] = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": index["manifests"][0]["digest"],
        }
        index["manifests"].append(entry)
    files["index.json"] = json.dumps(index).encode()
    return open_image(str(write_directory(path, files)), memory=Memory(None))


@pytest.mark.parametrize("version", ["v0.2", "v1"])
def test_lines_come_from_provenance_without_a_dockerfile(version: str, tmp_path: Path) -> None:
    result = analyze(image_with(tmp_path / "oci", statement(version)))
    assert [(row.line, row.confidence, row.base) for row in result.layers] == [
        (None, "none", True),
        (2, "provenance", False),
        (4, "provenance", False),
    ]
    assert result.dockerfile == "Dockerfile"


def test_a_given_dockerfile_that_was_not_the_one_is_matched_by_text(tmp_path: Path) -> None:
    image = image_with(tmp_path / "oci", statement())
    same = analyze(image, parse(DOCKERFILE, "d/Dockerfile"))
    assert [row.confidence for row in same.layers] == ["none", "provenance", "provenance"]
    moved = analyze(image, parse("# moved down\n" + DOCKERFILE, "d/Dockerfile"))
    assert [(row.line, row.confidence) for row in moved.layers] == [
        (None, "none"),
        (3, "matched"),
        (5, "matched"),
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b'{"predicate": 1}',
        b'{"predicate": {"metadata": {}}}',
        b"[" * 100_000,
        statement(layers={}),
        statement(layers=[]),
        statement(source={}),
        statement(layers={"step1:0": [[{"digest": "sha256:other"}]]}),
        statement(layers={"step1:0": 7}),
    ],
)
def test_statements_that_do_not_tell_are_as_good_as_none(raw: bytes, tmp_path: Path) -> None:
    image = image_with(tmp_path / "oci", raw)
    assert image.provenance is None
    assert [row.line for row in analyze(image).layers] == [None] * 3


@pytest.mark.engine
def test_lines_of_a_real_build_with_provenance(containerd_engine: Any, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    text = "# first\nFROM scratch AS one\nCOPY a /a\n\nFROM one\nWORKDIR /app\nCOPY \\\n  b /b\n"
    (context / "Dockerfile").write_text(text)
    (context / "a").write_text("1")
    (context / "b").write_text("2")
    subprocess.run(
        [
            "docker",
            "buildx",
            "build",
            "--provenance=mode=max",
            "-o",
            f"type=oci,dest={tmp_path}/out.tar",
            context,
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "DOCKER_HOST": containerd_engine.imgopt_host},
    )
    result = analyze(open_image(f"{tmp_path}/out.tar", memory=Memory(None)))
    assert [(row.line, row.confidence) for row in result.layers] == [
        (line, "provenance") for line in (3, 6, 7)
    ]
