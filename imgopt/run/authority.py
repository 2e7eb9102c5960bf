"""A throw-away authority and a certificate of it, so that a container believes our server to be the
hosts whose answers it gives."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from imgopt.errors import EnvironmentFailure

INSIDE = "/imgopt/authority.pem"
TRUSTING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Variables by which OpenSSL, Go, Python, curl and Node learn of it."""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_authority(folder: Path, hosts: Sequence[str]) -> None:
    """`authority.pem`, `server.pem` and `server.key` in the folder. Raises EnvironmentFailure where
    there is no openssl."""
    if shutil.which("openssl") is None:
        raise EnvironmentFailure(
            "answers for https need a certificate, and there is no openssl to make one",
            hint="install the package openssl",
        )
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName={','.join(f'DNS:{host}' for host in hosts)}\n")
    _openssl(
        folder,
        *("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=imgopt throw-away"),
        *("-keyout", "authority.key", "-out", "authority.pem"),
        *("-addext", "keyUsage=critical,keyCertSign"),
    )
    request = ("req", *_KEY, "-subj", "/CN=imgopt", "-keyout", "server.key", "-out", "server.csr")
    _openssl(folder, *request)
    _openssl(
        folder,
        *("x509", "-req", "-in", "server.csr", "-days", "2", "-out", "server.pem"),
        *("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"),
        *("-extfile", "extensions"),
    )
    (folder / "authority.pem").chmod(0o444)


def _openssl(folder: Path, *words: str) -> None:
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise EnvironmentFailure(f"openssl {words[0]} failed: {done.stderr.strip()[-300:]}")
