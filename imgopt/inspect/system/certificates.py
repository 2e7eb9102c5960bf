"""Where root certificates lie."""

from __future__ import annotations

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
)
"""Where OpenSSL's distributions, Go's crypto/x509 (root_linux.go) and curl look."""
BUNDLED = {"ca-certificates": BUNDLES[0]}
"""Packages whose whole use is one file that their installation makes, where nothing opened their
other files."""
