"""Sizes of an image in a registry, from its manifest: no layer is fetched."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from image.crafting import config, digest, f, oci_files, tar

from .conftest import HISTORY, Project

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Registry(ThreadingHTTPServer):
    """Serves one OCI image as the distribution specification says, and remembers what was asked
    for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.manifest = ""
        self.asked: list[str] = []

    def put(self, layers: list[bytes], compress: str = "gzip") -> list[str]:
        """Replaces the image; the digests of its layers' blobs."""
        files = oci_files(layers, config(layers, HISTORY), compress=compress)
        index = json.loads(files["index.json"])
        self.manifest = index["manifests"][0]["digest"]
        self.files = {
            digest(data): data for name, data in files.items() if name.startswith("blobs/")
        }
        return [layer["digest"] for layer in json.loads(self.files[self.manifest])["layers"]]


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        self.server.asked.append(self.path)
        kind, _, name = self.path.rpartition("/")
        key = (
            self.server.manifest
            if kind.endswith("/manifests") and not name.startswith("sha256:")
            else name
        )
        data = self.server.files.get(key, b"")
        self.send_response(200 if data or self.path == "/v2/" else 404)
        self.send_header(
            "Content-Type", MANIFEST if kind.endswith("/manifests") else "application/octet-stream"
        )
        self.send_header("Docker-Content-Digest", key)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        del format, arguments


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = Registry()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _layers(extra: int) -> list[bytes]:
    base, made = tar(f("usr/base", 100_000)), tar(f("app/installed", 50_000))
    source = tar(f("app/main.py", random.Random(1).randbytes(extra)))
    return [base, tar(f("app/work", 1)), tar(f("app/requirements.txt", b"x")), made, source]


def test_wire_sizes_come_from_the_manifest_and_no_layer_is_fetched(
    project: Project, registry: Registry
) -> None:
    project.write(
        "imgopt.toml",
        '[ci]\nmetric = "wire"\n[ci.rules]\nown-layers = ["error", {max-growth = "1 kB"}]\n',
    )
    reference = f"app=registry:127.0.0.1:{registry.server_port}/acme/app:1"
    small = registry.put(_layers(100))
    assert project.imgopt("baseline", reference)[0] == 0
    assert project.imgopt("check", reference)[0] == 0
    large = registry.put(_layers(200_000))
    code, out, _ = project.imgopt("check", "--format", "json", reference)
    (finding,) = json.loads(out)["images"][0]["findings"][:1]
    assert code == 1 and finding["rule"] == "own-layers" and finding["place"]["line"] == 7
    assert not any(layer in path for path in registry.asked for layer in {*small, *large})
    asked = len(registry.asked)
    assert project.imgopt("check", "--pull", reference)[0] == 1
    assert any(layer in path for path in registry.asked[asked:] for layer in large)


def test_a_metric_that_the_manifest_does_not_know_is_refused(
    project: Project, registry: Registry
) -> None:
    registry.put(_layers(100))
    code, _, err = project.imgopt(
        "check", f"app=registry:127.0.0.1:{registry.server_port}/acme/app:1"
    )
    assert code == 2 and 'metric = "wire"' in err and "--pull" in err


def test_an_estimated_and_a_measured_wire_size_are_not_compared(
    project: Project, registry: Registry
) -> None:
    project.write("imgopt.toml", '[ci]\nmetric = "wire"\n')
    registry.put(_layers(100))
    project.imgopt("baseline", f"app=registry:127.0.0.1:{registry.server_port}/acme/app:1")
    code, _, err = project.check()
    assert code == 2 and "was measured, here it is estimated" in err


def test_two_codecs_are_not_compared_where_only_manifests_were_read(
    project: Project, registry: Registry
) -> None:
    project.write("imgopt.toml", '[ci]\nmetric = "wire"\n')
    reference = f"app=registry:127.0.0.1:{registry.server_port}/acme/app:1"
    registry.put(_layers(100))
    assert project.imgopt("baseline", reference)[0] == 0
    registry.put(_layers(200_000), "zstd")
    code, _, err = project.imgopt("check", reference)
    assert code == 2 and "compressed otherwise (gzip -> zstd)" in err and "ci baseline" in err
    assert project.imgopt("baseline", "--pull", reference)[0] == 0
    registry.put(_layers(900_000))
    code, out, _ = project.imgopt("check", "--pull", reference)
    assert "compressed otherwise (zstd -> gzip)" in " ".join(out.split())
    assert code == 0 and " tar (" in out
