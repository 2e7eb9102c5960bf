"""Where root certificates lie."""

from __future__ import annotations

from imgopt.inspect.image_view import ImageView

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
_FEWEST, _MOST_LOST = 0.7, 9
"""Editions of a bundle differ by less than both."""


def far_fewer(was: int, now: int) -> bool:
    """Whether so many certificates are lost that it is no other edition of the same bundle."""
    return now < was and (not now or (now < _FEWEST * was and was - now > _MOST_LOST))


def certificates_in(view: ImageView, path: str) -> int:
    """How many certificates a file, or a folder of files, holds."""
    node = view.tree.resolve(path)
    if node is None:
        return 0
    return len(view.names(path)) or (view.read(path) or b"").count(b"BEGIN CERTIFICATE")
