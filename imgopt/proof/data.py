"""Data that programs expect from the system: locales, time zones, certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.inspect.certificates import BUNDLES
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.started import started_program
from imgopt.proof.model import Allowances, Check, judged

LOCALE_AND_TIME = "locale and time"
CERTIFICATES = "certificates"
_ZONES = "/usr/share/zoneinfo"


def check_locale_and_time(original: ImageView, candidate: ImageView, allowances: Allowances) -> Check:
    """The locales and the time zone that the original's environment asks for, as far as the original has them."""
    items = [*_locales(original, candidate), *_zone(original, candidate)]
    kept = [item for item in items if item.subject not in allowances.configuration]
    allowed = [f"{i}: {allowances.configuration[i.subject]}" for i in items if i.subject in allowances.configuration]
    asked = [f"{name}={value}" for name, value in _asked(original)]
    detail = f"what {', '.join(asked) or 'no variable'} and /etc/localtime ask for"
    return judged(LOCALE_AND_TIME, detail, kept, allowed)


def _asked(side: ImageView) -> Iterator[tuple[str, str]]:
    for name, value in side.config.environment.items():
        if name in ("LANG", "LANGUAGE", "TZ") or name.startswith("LC_"):
            yield name, value


def _locales(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    for name, value in _asked(original):
        if name in ("TZ", "LANGUAGE") or re.match(r"^(?:C|POSIX)(?:$|\.)", value) or not value:
            continue
        if _has_locale(original, value) and not _has_locale(candidate, value):
            yield Item("missing-locale", value, f"/usr/lib/locale/{_archive_name(value)}", f"variable {name}")


def _archive_name(locale: str) -> str:
    """localedef's spelling of the code set: `de_DE.UTF-8` is `de_DE.utf8`."""
    language, dot, code = locale.partition(".")
    code, at, modifier = code.partition("@")
    return language + dot + re.sub(r"[^a-z0-9]", "", code.lower()) + at + modifier


def _has_locale(side: ImageView, locale: str) -> bool:
    name = _archive_name(locale)
    if side.exists(f"/usr/lib/locale/{name}") or side.exists(f"/usr/lib/locale/{locale}"):
        return True
    archive = side.read("/usr/lib/locale/locale-archive") or b""
    if name.encode() + b"\0" in archive:
        return True
    return side.loader.musl is not None and side.exists(f"/usr/share/i18n/locales/musl/{locale}")


def _zone(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    zone = original.config.environment.get("TZ", "").lstrip(":")
    path = zone if zone.startswith("/") else f"{_ZONES}/{zone}"
    if zone and original.is_file(path) and not candidate.is_file(path):
        yield Item("missing-time-zone", zone, path, "variable TZ")
    before, after = original.read("/etc/localtime"), candidate.read("/etc/localtime")
    if before is not None and not _is_utc(before) and before != after and _footer(before) != _footer(after or b""):
        yield Item("missing-time-zone", "/etc/localtime", "/etc/localtime", "", "/etc/localtime is another time zone")


def _footer(data: bytes) -> bytes:
    """The rule for all times to come (RFC 8536, section 3.3): the same in every edition of a zone's file."""
    return data.rstrip(b"\n").rpartition(b"\n")[2] if data.startswith(b"TZif") else b""


def _is_utc(data: bytes) -> bool:
    return _footer(data) in (b"UTC0", b"UTC", b"GMT0", b"<UTC>0", b"")


def check_certificates(
    original: ImageView, candidate: ImageView, allowances: Allowances, *, opened: frozenset[str] | None = None
) -> Check:
    """A bundle of root certificates, where the original has one: no probe asks for a page from elsewhere."""
    before = [path for path in BUNDLES if original.is_file(path)]
    after = [path for path in BUNDLES if candidate.is_file(path)]
    detail = f"root certificates: {before[0] if before else 'none in the original'}"
    missing = [path for path in before if not candidate.is_file(path)] if not after else []
    item = Item("missing-certificates", before[0], before[0]) if missing else None
    reason = allowances.configuration.get("certificates") or allowances.drop_reason(before[0]) if item else None
    if item and not reason and _brings_its_own(original, opened):
        reason = "its runtime has root certificates of its own, and the system's were not opened"
    items = [*([item] if item and not reason else []), *_own_authorities(original, candidate)]
    return judged(CERTIFICATES, detail, items, [f"{item}: {reason}"] if item and reason else [])


def _own_authorities(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    """Certificates that the author put beside the distribution's (update-ca-certificates(8)) and into the bundle."""
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
    return not used and started_program(original) in ("node", "java")
