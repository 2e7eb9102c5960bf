"""A registry on loopback that a test fills: the real protocol, with a log of what was asked for, and
with the ways in which registries fail."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from imgopt.image.recipe import Files, layer_tar

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True)
class Layer:
    """A layer with its compressed form, as it is pushed."""

    data: bytes
    diff_id: str
    media_type: str = f"{LAYER}+gzip"
    urls: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.data)

    @property
    def descriptor(self) -> dict[str, Any]:
        urls = {"urls": list(self.urls)} if self.urls else {}
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data), **urls}


def layer(files: Files, codec: str = "gzip", level: int = 6) -> Layer:
    return packed(layer_tar(files), codec, level)


def packed(tar: bytes, codec: str = "gzip", level: int = 6) -> Layer:
    if codec == "zstd":
        import zstandard

        data = zstandard.ZstdCompressor(level=level).compress(tar)
    else:
        data = gzip.compress(tar, level, mtime=0) if codec == "gzip" else tar
    kind = f"{LAYER}+{codec}" if codec != "none" else LAYER
    return Layer(data, digest_of(tar), kind)


Answer = Callable[["Handler", str], bool]
"""Answers a question in its own way; False leaves it to the registry."""


@dataclass
class Content:
    """What the registry holds, and what it was asked."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    odd: list[Answer] = field(default_factory=list)
    page: int = 100
    log_in: Callable[[str], bool] = lambda _: True
    """Whether an Authorization header is enough."""
    challenge: str = 'Basic realm="test"'
    lock: Any = field(default_factory=threading.Lock)

    def push_blob(self, data: bytes) -> str:
        digest = digest_of(data)
        self.blobs[digest] = data
        return digest

    def push_document(self, value: Mapping[str, Any], kind: str = MANIFEST) -> str:
        data = json.dumps(value).encode()
        self.manifests[digest_of(data)] = (kind, data)
        return digest_of(data)

    def push(
        self,
        repository: str,
        tag: str,
        layers: Sequence[tuple[str, Layer]],
        *,
        config: Mapping[str, Any] | None = None,
        created: str = "2026-01-01T00:00:00Z",
        platform: str = "amd64",
        history: Sequence[Mapping[str, Any]] | None = None,
    ) -> str:
        """An image of (instruction, layer); the digest of its manifest."""
        steps = [{"created_by": step, "created": created} for step, _ in layers]
        document = {
            "architecture": platform,
            "os": "linux",
            "created": created,
            "config": dict(config or {}),
            "rootfs": {"type": "layers", "diff_ids": [one.diff_id for _, one in layers]},
            "history": steps if history is None else list(history),
        }
        data = json.dumps(document).encode()
        for _, one in layers:
            if not one.urls:
                self.push_blob(one.data)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": self.push_blob(data), "size": len(data)},
            "layers": [one.descriptor for _, one in layers],
        }
        digest = self.push_document(manifest)
        if tag:
            self.tag(repository, tag, digest)
        return digest

    def tag(self, repository: str, tag: str, digest: str) -> None:
        self.tags.setdefault(repository, {})[tag] = digest

    def push_index(self, repository: str, tag: str, manifests: Sequence[Mapping[str, Any]]) -> str:
        value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}
        digest = self.push_document(value, INDEX)
        self.tag(repository, tag, digest)
        return digest

    def fetched(self) -> Counter[str]:
        """How often the bytes of each layer were asked for."""
        configs = {
            json.loads(data)["config"]["digest"]
            for _, data in self.manifests.values()
            if b'"config"' in data
        }
        wanted = (path.rpartition("/")[2] for method, path in self.asked if "/blobs/" in path)
        return Counter(digest for digest in wanted if digest not in configs)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    content: Content

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        with self.content.lock:
            self.content.asked.append((self.command, self.path))
        if any(odd(self, path) for odd in self.content.odd):
            return
        if not self.content.log_in(self.headers.get("Authorization", "")):
            self.give(401, b"", {"WWW-Authenticate": self.content.challenge})
            return
        manifest = re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path)
        blob = re.fullmatch(r"/v2/.+/blobs/([^/]+)", path)
        tags = re.fullmatch(r"/v2/(.+)/tags/list", path)
        if path == "/v2/":
            self.give(200, b"{}")
        elif path == "/v2/_catalog":
            self._page("repositories", sorted(self.content.tags))
        elif tags is not None and tags[1] in self.content.tags:
            self._page("tags", sorted(self.content.tags[tags[1]]))
        elif manifest is not None:
            self._manifest(manifest[1], manifest[2].replace("%3A", ":"))
        elif blob is not None and blob[1] in self.content.blobs:
            self._blob(self.content.blobs[blob[1]])
        else:
            self.give(404, b"{}")

    def _page(self, key: str, names: list[str]) -> None:
        query = parse_qs(urlsplit(self.path).query)
        last = query.get("last", [""])[0]
        rest = [name for name in names if name > last]
        page = rest[: self.content.page]
        more = len(rest) > len(page)
        path = urlsplit(self.path).path
        link = {"Link": f'<{path}?last={page[-1]}&n=1>; rel="next"'} if more else {}
        self.give(200, json.dumps({key: page or None}).encode(), link)

    def _manifest(self, repository: str, reference: str) -> None:
        digest = self.content.tags.get(repository, {}).get(reference, reference)
        kind, data = self.content.manifests.get(digest, ("", b""))
        if not kind:
            self.give(404, b"{}")
            return
        self.give(200, data, {"Content-Type": kind, "Docker-Content-Digest": digest})

    def _blob(self, data: bytes) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        self.give(206 if start else 200, data[start:])

    def give(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def cut(self, data: bytes, stated: int) -> None:
        """Fewer bytes than are stated, and the end of the connection."""
        self.send_response(200)
        self.send_header("Content-Length", str(stated))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True


class Server:
    """Serves a content as long as the context lasts."""

    def __init__(self, content: Content) -> None:
        self.content = content
        handler = type("Bound", (Handler,), {"content": content})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
