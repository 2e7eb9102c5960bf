"""A registry on loopback that sends no faster than a rate, for `pulls.py`.

`python benchmarks/pull_registry.py FOLDER` serves `tags/` and `blobs/` on a port of its own and
says which.
"""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHUNK = 32 << 10
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Line:
    """What all connections share: bytes a second, each piece at its time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, size: int, rate: float) -> None:
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next, now) + size / rate
            until = self._next
        if until > now:
            time.sleep(until - now)


LINE = Line()


class Handler(BaseHTTPRequestHandler):
    """`/v2/r<MB/s>/NAME/manifests/TAG` and `/blobs/DIGEST`: the repository's name says the rate."""

    protocol_version = default_request_version = "HTTP/1.1"
    # whoever begins in TLS is answered with a status line, and then tries without
    folder = Path()

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/")
        if parts == ["v2"]:
            self._send(b"{}", "application/json", 0.0)
            return
        rate = float(parts[1].removeprefix("r")) * 1e6
        asked = parts[-1]
        if asked.startswith("sha256:"):
            digest = asked.removeprefix("sha256:")
        else:
            digest = (self.folder / "tags" / parts[2]).read_text()
        file = self.folder / "blobs" / digest
        if not file.exists():
            self.send_error(404)
            return
        kind = MANIFEST if parts[-2] == "manifests" else "application/octet-stream"
        self._send(file.read_bytes(), kind, rate if parts[-2] == "blobs" else 0.0, digest)

    do_HEAD = do_GET

    def _send(self, data: bytes, kind: str, rate: float, digest: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if digest:
            self.send_header("Docker-Content-Digest", f"sha256:{digest}")
        self.end_headers()
        if self.command == "HEAD":
            return
        for start in range(0, len(data), CHUNK):
            piece = data[start : start + CHUNK]
            if rate:
                LINE.wait(len(piece), rate)
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        """Nothing: it would time the terminal."""


def main(folder: Path) -> None:
    Handler.folder = folder
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
