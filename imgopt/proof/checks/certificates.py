"""Root certificates: no probe asks for a page from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.started import has_own_authorities
from imgopt.inspect.system.certificates import BUNDLES, certificates_in, far_fewer
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, judged
from imgopt.proof.example import Mutation

NAME = "certificates"


def check_certificates(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    *,
    opened: frozenset[str] | None = None,
) -> Outcome:
    """A bundle of root certificates, where the original has one: no probe asks for a page from
    elsewhere."""
    before = [path for path in BUNDLES if original.is_file(path)]
    after = [path for path in BUNDLES if candidate.is_file(path)]
    detail = f"root certificates: {before[0] if before else 'none in the original'}"
    missing = [path for path in before if not candidate.is_file(path)] if not after else []
    item = Item("missing-certificates", before[0], before[0]) if missing else None
    reason = (
        allowances.configuration.get("certificates") or allowances.drop_reason(before[0])
        if item
        else None
    )
    if item and not reason and _brings_its_own(original, opened):
        reason = "its runtime has root certificates of its own, and the system's were not opened"
    items = [*([item] if item and not reason else []), *_own_authorities(original, candidate)]
    items += _fewer(original, candidate)
    return judged(NAME, detail, items, [f"{item}: {reason}"] if item and reason else [])


def _fewer(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    """A bundle that is there and holds far fewer than the original's: editions differ by a few."""
    was, now = (
        max((certificates_in(view, path) for path in BUNDLES), default=0)
        for view in (original, candidate)
    )
    path = next((path for path in BUNDLES if candidate.is_file(path)), "")
    if path and far_fewer(was, now):
        message = f"{path} holds {now} root certificates instead of {was}"
        yield Item("missing-certificates", path, path, "", message)


def _own_authorities(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    """Certificates that the author put beside the distribution's (update-ca-certificates(8)) and
    into the bundle."""
    before = _certificates(original.read(BUNDLES[0]))
    after = {each for path in BUNDLES for each in _certificates(candidate.read(path))}
    for node in original.tree.files(_OWN_AUTHORITIES) if before and after else ():
        lost = (_certificates(node.read(_LONGEST)) & before) - after
        if lost:
            message = f"{node.path} is not among the root certificates any more"
            yield Item("missing-certificates", node.path, BUNDLES[0], "", message)


def _certificates(data: bytes | None) -> frozenset[bytes]:
    return frozenset(b"".join(body.split()) for body in _CERTIFICATE.findall(data or b""))


_OWN_AUTHORITIES = "/usr/local/share/ca-certificates"
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_LONGEST = 1 << 20


def _brings_its_own(original: ImageView, opened: frozenset[str] | None) -> bool:
    used = any(path.startswith("/etc/ssl/") for path in opened or ())
    return not used and has_own_authorities(original)


CHECK = Check(
    NAME,
    "root certificates, those that the author added included",
    lambda given: check_certificates(
        given.original, given.candidate, given.allowances, opened=given.files
    ),
    (
        Mutation(
            "root certificates are lost",
            "ca-certificates.crt",
            without=("etc/ssl/certs/ca-certificates.crt",),
        ),
        Mutation(
            "most of them are lost",
            "holds 0 root certificates instead of 1",
            base={"etc/ssl/certs/ca-certificates.crt": "none\n"},
        ),
    ),
)
