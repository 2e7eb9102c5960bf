"""Locales and time zones that the environment asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, judged
from imgopt.proof.example import Mutation

NAME = "locale and time"
_ZONES = "/usr/share/zoneinfo"


def check_locale_and_time(
    original: ImageView, candidate: ImageView, allowances: Allowances
) -> Outcome:
    """The locales and the time zone that the original's environment asks for, as far as the
    original has them."""
    items = [*_locales(original, candidate), *_zone(original, candidate)]
    kept = [item for item in items if item.subject not in allowances.configuration]
    allowed = [
        f"{i}: {allowances.configuration[i.subject]}"
        for i in items
        if i.subject in allowances.configuration
    ]
    asked = [f"{name}={value}" for name, value in _asked(original)]
    detail = f"what {', '.join(asked) or 'no variable'} and /etc/localtime ask for"
    return judged(NAME, detail, kept, allowed)


def _asked(view: ImageView) -> Iterator[tuple[str, str]]:
    for name, value in view.config.environment.items():
        if name in ("LANG", "LANGUAGE", "TZ") or name.startswith("LC_"):
            yield name, value


def _locales(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    for name, value in _asked(original):
        if name in ("TZ", "LANGUAGE") or re.match(r"^(?:C|POSIX)(?:$|\.)", value) or not value:
            continue
        if _has_locale(original, value) and not _has_locale(candidate, value):
            yield Item(
                "missing-locale",
                value,
                f"/usr/lib/locale/{_archive_name(value)}",
                f"variable {name}",
            )


def _archive_name(locale: str) -> str:
    """localedef's spelling of the code set: `de_DE.UTF-8` is `de_DE.utf8`."""
    language, dot, code = locale.partition(".")
    code, at, modifier = code.partition("@")
    return language + dot + re.sub(r"[^a-z0-9]", "", code.lower()) + at + modifier


def _has_locale(view: ImageView, locale: str) -> bool:
    name = _archive_name(locale)
    if view.exists(f"/usr/lib/locale/{name}") or view.exists(f"/usr/lib/locale/{locale}"):
        return True
    archive = view.read("/usr/lib/locale/locale-archive") or b""
    if name.encode() + b"\0" in archive:
        return True
    return view.loader.musl is not None and view.exists(f"/usr/share/i18n/locales/musl/{locale}")


def _zone(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    zone = original.config.environment.get("TZ", "").lstrip(":")
    path = zone if zone.startswith("/") else f"{_ZONES}/{zone}"
    if zone and original.is_file(path) and not candidate.is_file(path):
        yield Item("missing-time-zone", zone, path, "variable TZ")
    before, after = original.read("/etc/localtime"), candidate.read("/etc/localtime")
    if before != after and _rule(before) != _rule(after):
        yield Item(
            "missing-time-zone",
            "/etc/localtime",
            "/etc/localtime",
            "",
            "/etc/localtime is another time zone",
        )


def _footer(data: bytes) -> bytes:
    """The rule for all times to come (RFC 8536, section 3.3): the same in every edition of a zone's
    file."""
    return data.rstrip(b"\n").rpartition(b"\n")[2] if data.startswith(b"TZif") else b""


def _rule(data: bytes | None) -> bytes:
    """Without a file, and with one that says nothing, it is UTC."""
    rule = _footer(data or b"")
    return b"" if rule in (b"UTC0", b"UTC", b"GMT0", b"<UTC>0") else rule


CHECK = Check(
    NAME,
    "the locales and the time zone that the environment asks for",
    lambda given: check_locale_and_time(given.original, given.candidate, given.allowances),
    (
        Mutation(
            "the locale is lost",
            "de_DE.UTF-8",
            without=tuple(f"usr/lib/locale/de_DE.utf8/LC_{part}" for part in ("CTYPE", "TIME")),
        ),
        Mutation(
            "the time zone is lost", "Europe/Berlin", without=("usr/share/zoneinfo/Europe/Berlin",)
        ),
        Mutation(
            "the clock is in another zone",
            "another time zone",
            base={"etc/localtime": "TZif2\0JST\nJST-9\n"},
        ),
    ),
)
