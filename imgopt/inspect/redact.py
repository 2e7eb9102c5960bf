"""Commands of the history without the values that look secret: results are pasted into tickets and
pull requests."""

from __future__ import annotations

import re

SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_|$)",
    re.IGNORECASE,
)
_NO_SECRET = ("_FILE", "_PATH", "_URL", "_SHA256", "_SHA")
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"';&|]+)"""
_ASSIGNMENT = re.compile(rf"(?<![\w$-])([A-Za-z_][A-Za-z0-9_]*)=({_VALUE})")
_OLD_ENV = re.compile(r"^(ENV\s+(\w+)\s+)([^=\s]\S*.*)$", re.DOTALL)
_OPTION = re.compile(
    r"((?<!\S)--?[\w-]*(?:password|passwd|token|secret|api-?key)|(?<!\w)_(?:authToken|password|auth))"
    rf"(=|\s+)({_VALUE})",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"(://)[^/\s:@$\"']+:([^/\s@$\"']+)@")
_HEADER = re.compile(r"(?i)(authorization:\s*(?:bearer|basic|token)\s+)([^\s\"'$]+)")
HIDDEN = "***"


def is_secret_name(name: str) -> bool:
    """
    >>> is_secret_name("DB_PASSWORD"), is_secret_name("PASSWORD_FILE")
    (True, False)
    >>> is_secret_name("TOKENIZERS_PARALLELISM")
    False
    """
    return bool(SECRET_NAME.search(name)) and not name.upper().endswith(_NO_SECRET)


def redacted(text: str) -> str:
    """An instruction with *** for the values of secret-looking names, passwords in addresses and
    log-in headers.

    >>> redacted("ENV DB_PASSWORD=hunter2 PORT=80")
    'ENV DB_PASSWORD=*** PORT=80'
    >>> redacted("RUN git clone https://me:hunter2@example.org/x")
    'RUN git clone https://***@example.org/x'
    """
    text = _OLD_ENV.sub(
        lambda match: f"{match[1]}{HIDDEN}" if is_secret_name(match[2]) else match[0], text
    )
    text = _ASSIGNMENT.sub(
        lambda match: f"{match[1]}={HIDDEN}" if _is_secret(*match.groups()) else match[0], text
    )
    text = _OPTION.sub(
        lambda match: f"{match[1]}{match[2]}{HIDDEN}" if _is_literal(match[3]) else match[0], text
    )
    text = _IN_ADDRESS.sub(rf"\1{HIDDEN}@", text)
    return _HEADER.sub(rf"\1{HIDDEN}", text)


def secret_names(command: str) -> list[str]:
    """What a command gives away: the names of variables and options with a literal value, "an
    address", "a header"."""
    found = [name for name, value in _ASSIGNMENT.findall(command) if _is_secret(name, value)]
    found += [name for name, _, value in _OPTION.findall(command) if _is_literal(value)]
    found += ["an address"] * bool(_IN_ADDRESS.search(command)) + ["a header"] * bool(
        _HEADER.search(command)
    )
    return list(dict.fromkeys(found))


def _is_secret(name: str, value: str) -> bool:
    return is_secret_name(name) and _is_literal(value)


def _is_literal(value: str) -> bool:
    """Not a variable, a file, nothing, or another option."""
    return value.strip("\"'")[:1] not in ("", "$", "-", "/", "<")
