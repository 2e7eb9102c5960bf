"""The values that BuildKit looks into when it carries out an instruction: ports, signals, modes,
platforms, checksums.

Each function takes the word with its variables expanded and says what BuildKit says against it,
None where it is fine. Rules: github.com/moby/sys/signal, docker/go-connections nat,
containerd/platforms, opencontainers/go-digest; held by tests against a real engine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAMES = """ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV
    STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX"""
_SIGNALS = frozenset(
    _NAMES.split()
    + [f"RTMIN+{number}" for number in range(1, 16)]
    + [f"RTMAX-{number}" for number in range(1, 15)]
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_PLATFORMS = """aix android darwin dragonfly freebsd hurd illumos ios js linux macos nacl netbsd
    openbsd plan9 solaris wasip1 windows zos
    386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32
    mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm x86_64 x86-64 i386
    aarch64 armhf armel"""
_ALONE = frozenset(_PLATFORMS.split())
"""What may stand without a slash."""
_COMPONENT = re.compile(r"[A-Za-z0-9_.-]+")
_SYSTEM = re.compile(r"[A-Za-z0-9_-]+(?:\([A-Za-z0-9_.%-]*(?:\+[A-Za-z0-9_.%-]+)*\))?")
_CLAUSE = r"[ugoa]*(?:[-+=](?:[ugo]|[rwxXst]*))+"
_SYMBOLIC = re.compile(rf"{_CLAUSE}(?:,{_CLAUSE})*")
_LARGEST_MODE = 0o7777
_LARGEST_PORT = 65535
_DIGESTS = {"sha256": 64, "sha384": 96, "sha512": 128}
_URL = re.compile(r"https?://")
_GIT = re.compile(
    r"git://|ssh://|git@|https?://[^#?]*\.git(?:$|[#?])|github\.com/[^/]+/[^/#?]+\.git(?:$|[#?])"
)


def signal_problem(word: str) -> str | None:
    """STOPSIGNAL: a number other than 0, or a Linux signal's name with or without SIG, in any
    case."""
    if _NUMBER.fullmatch(word):
        return None if int(word) else f"invalid signal: {word}"
    return None if word.upper().removeprefix("SIG") in _SIGNALS else f"invalid signal: {word}"


def port_problem(word: str) -> str | None:
    """EXPOSE: `[[ip:]host:]container[/protocol]`, each port a number or a range."""
    raw, slash, protocol = word.partition("/")
    if not raw:
        return f'invalid port: "{word}": no port specified' if slash else None
    if protocol and protocol.lower() not in ("tcp", "udp", "sctp"):
        return f'invalid port: "{word}": invalid proto: {protocol}'
    *_, host, container = ("", "", *raw.split(":"))
    if not container:
        return f'invalid port: "{word}": no port specified'
    if not _is_port(container):
        return f"invalid containerPort: {container}"
    return None if not host or _is_port(host) else f"invalid hostPort: {host}"


def _is_port(word: str) -> bool:
    ends = word.split("-")
    if len(ends) > 2 or not all(re.fullmatch(r"\+?[0-9]{1,9}", end) for end in ends):
        return False
    return int(ends[0]) <= int(ends[-1]) <= _LARGEST_PORT


def mode_problem(word: str) -> str | None:
    """--chmod: octal up to 07777, or symbolic as chmod(1) takes it."""
    if not word or _SYMBOLIC.fullmatch(word):
        return None
    if not word[0].isdigit():
        return "invalid syntax"
    if re.fullmatch(r"[0-7]{1,22}", word) and int(word, 8) <= _LARGEST_MODE:
        return None
    return f"invalid chmod parameter: '{word}'. it should be octal string and between 0 and 07777"


def platform_problem(word: str) -> str | None:
    """FROM --platform: `os`, `arch`, or `os/arch[/variant]`."""
    parts = word.split("/")
    before = f"failed to parse platform {word}: "
    if len(parts) > 3:
        return before + f'"{word}": cannot parse platform specifier'
    for part, pattern in zip(parts, (_SYSTEM, _COMPONENT, _COMPONENT), strict=False):
        if not pattern.fullmatch(part):
            return before + f'"{part}" is an invalid component of "{word}"'
    if len(parts) == 1 and parts[0].partition("(")[0].lower() not in _ALONE:
        return before + f'"{word}": unknown operating system or architecture'
    return None


def is_url(word: str) -> bool:
    """A file that ADD fetches."""
    return bool(_URL.match(word)) and not is_git(word)


def is_git(word: str) -> bool:
    """A repository that ADD clones."""
    return bool(_GIT.match(word))


def checksum_problem(checksum: str, sources: Sequence[str]) -> str | None:
    """ADD --checksum: one remote source, and for a file a digest of a known kind and its length."""
    if not checksum:
        return None
    if len(sources) != 1:
        return "checksum can't be specified for multiple sources"
    if is_git(sources[0]):
        return None
    if not is_url(sources[0]):
        return "checksum requires HTTP(S) or Git sources"
    kind, colon, digits = checksum.partition(":")
    if not colon or not re.fullmatch(r"[a-zA-Z0-9=_-]+", digits):
        return "invalid checksum digest format"
    if kind not in _DIGESTS:
        return "unsupported digest algorithm"
    return (
        None
        if re.fullmatch(rf"[a-f0-9]{{{_DIGESTS[kind]}}}", digits)
        else "invalid checksum digest length"
    )
