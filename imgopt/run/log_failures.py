"""Reads what a failing program says (loader, interpreters, shells) into the same items that the
checks give.

Only messages whose wording is fixed in the program that prints them are read; the rest is left to
the reader. The text comes from a container and is untrusted: lines are bounded, patterns have no
nested repetition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from imgopt.inspect.failures import Item, Kind

_LONGEST_LINE = 4096
_LAST_LINES = 2000

_Reader = Callable[[re.Match[str]], Item]


def failures_from_logs(text: str) -> tuple[Item, ...]:
    """The failures that the lines name, each once, in the order in which they are said."""
    lines = text.splitlines()[-_LAST_LINES:]
    found: dict[tuple[str, str], Item] = {}
    for line in lines:
        for item in _read(line[:_LONGEST_LINE]):
            found.setdefault((item.kind, item.subject), item)
    return tuple(found.values())


def _read(line: str) -> Iterator[Item]:
    for pattern, reader in _PATTERNS:
        match = pattern.search(line)
        if match:
            item = reader(match)
            if item.subject:
                yield item
            # patterns go from the most to the least specific: the first one is the meaning of the
            # line
            return


def _named(kind: Kind) -> _Reader:
    def read(match: re.Match[str]) -> Item:
        subject = match[1].strip().strip("'\"`‘’“”")
        return Item(
            kind,
            subject,
            subject if subject.startswith("/") else "",
            message=match.string.strip()[:500],
        )

    return read


def _whole(kind: Kind, subject: str) -> _Reader:
    return lambda match: Item(kind, subject, message=match.string.strip()[:500])


def _needed(kind: Kind) -> _Reader:
    """For messages with a group `subject` and a group `by`."""

    def read(match: re.Match[str]) -> Item:
        subject, needed_by = match["subject"].strip(), match["by"].strip()
        path = subject if subject.startswith("/") else ""
        return Item(kind, subject, path, needed_by, match.string.strip()[:500])

    return read


def _port(match: re.Match[str]) -> Item:
    return Item("permission", f"port {match['port']}", message=match.string.strip()[:500])


def _python_module(match: re.Match[str]) -> Item:
    return Item("missing-module", match[1], "", "python", match.string.strip()[:500])


def _java_class(match: re.Match[str]) -> Item:
    return Item(
        "missing-module", match[1].replace("/", "."), "", "java", match.string.strip()[:500]
    )


def _node_module(match: re.Match[str]) -> Item:
    name = match[1]
    kind: Kind = "missing-file" if name.startswith("/") else "missing-module"
    return Item(
        kind, name, name if name.startswith("/") else "", "node", match.string.strip()[:500]
    )


_PATTERNS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern), reader)
    for pattern, reader in (
        # glibc ld.so (elf/dl-load.c), musl (ldso/dynlink.c)
        (
            r"(?P<by>\S+): error while loading shared libraries: (?P<subject>[^\s:]+):",
            _needed("missing-library"),
        ),
        (
            r"Error loading shared library (?P<subject>[^\s:]+): .*\(needed by (?P<by>[^)]+)\)",
            _needed("missing-library"),
        ),
        (r"Error loading shared library ([^\s:]+):", _named("missing-library")),
        (r"([\w./+-]+\.so[\w.+-]*): cannot open shared object file", _named("missing-library")),
        (r"([\w./+-]+): version [`']\S+' not found", _named("missing-library")),
        (r"Library not loaded: (\S+)", _named("missing-library")),
        (r"UnsatisfiedLinkError: (?:[^:]*: )?([\w./+-]+\.so[\w.]*)", _named("missing-library")),
        (r"no (\w+) in (?:java\.library\.path|system library path)", _named("missing-library")),
        (r"Unable to load dynamic library '([^']+)'", _named("missing-library")),
        # Python
        (r"ModuleNotFoundError: No module named '([^']+)'", _python_module),
        (r"No module named ([\w.]+)$", _python_module),
        (r"ImportError: cannot import name '[^']+' from '([^']+)'", _python_module),
        (
            r"PackageNotFoundError: (?:No package metadata was found for )?'?([\w.-]+)'?",
            _python_module,
        ),
        (r"TemplateNotFound: (\S+)", _named("missing-file")),
        (
            r"ZoneInfoNotFoundError: ['\"]?No time zone found with key ([\w/+-]+)",
            _named("missing-time-zone"),
        ),
        (r"UnknownTimeZoneError: (\S+)", _named("missing-time-zone")),
        (r"unknown time zone (\S+)", _named("missing-time-zone")),
        (r"locale\.Error: (unsupported locale setting)", _named("missing-locale")),
        (r"setlocale: [\w ]+: cannot change locale \(([^)]+)\)", _named("missing-locale")),
        (r"Cannot set LC_\w+ to default locale", _whole("missing-locale", "LANG")),
        (r"(?:PermissionError: )?\[Errno (?:1|13)\] [^:]+: '([^']+)'", _named("permission")),
        (r"\[Errno 30\] Read-only file system: '([^']+)'", _named("not-writable")),
        (r"FileNotFoundError: \[Errno 2\] [^:]+: '([^']+)'", _named("missing-file")),
        # Node
        (r"Cannot find (?:module|package) '([^']+)'", _node_module),
        (r"(?:EACCES|EPERM)[^']*'([^']+)'", _named("permission")),
        (r"EROFS[^']*'([^']+)'", _named("not-writable")),
        (r"spawn (\S+) ENOENT", _named("missing-command")),
        (r"ENOENT[^']*'([^']+)'", _named("missing-file")),
        # Java
        (r"(?:NoClassDefFoundError|ClassNotFoundException): ([\w./$]+)", _java_class),
        (r"Could not find or load main class (\S+)", _java_class),
        (r"Unable to access jarfile (\S+)", _named("missing-file")),
        (r"(?:java\.io\.|java\.nio\.file\.)?AccessDeniedException: (\S+)", _named("permission")),
        (r"FileNotFoundException: (\S+) \(Permission denied\)", _named("permission")),
        (r"(?:NoSuchFileException|FileNotFoundException): (\S+)", _named("missing-file")),
        # Ruby, PHP, Perl
        (r"cannot load such file -- (\S+)", _named("missing-module")),
        (r"Could not find gem '([\w-]+)", _named("missing-module")),
        (r"Failed opening (?:required )?'([^']+)'", _named("missing-file")),
        (r"Can't locate (\S+\.pm) in @INC", _named("missing-module")),
        (r"Call to undefined function (\w+)\(\)", _named("missing-module")),
        # certificates: OpenSSL, Go, Node, Java, curl
        (
            r"CERTIFICATE_VERIFY_FAILED|unable to get local issuer certificate|certificate signed"
            r" by unknown authority"
            r"|PKIX path building failed|error setting certificate (?:file|verify locations)|SSL"
            r" certificate problem",
            _whole("missing-certificates", "/etc/ssl/certs/ca-certificates.crt"),
        ),
        # the container runtime, shells, env; the interpreter of a script is named by the kernel's
        # answer only
        (r'exec: "([^"]+)": executable file not found', _named("missing-command")),
        (r'exec: "([^"]+)": stat [^:]+: no such file or directory', _named("missing-command")),
        (r'exec: "([^"]+)": permission denied', _named("permission")),
        (r'exec: "([^"]+)": [^:]*$', _named("missing-command")),
        (r"exec (\S+): (?:no such file or directory|exec format error)", _named("missing-command")),
        (r"exec (\S+): permission denied", _named("permission")),
        (r'chdir to cwd \("([^"]+)"\)', _named("missing-file")),
        (
            r"env: (?:can't execute )?[‘'\"]?([^\s‘’'\":]+)[’'\"]?: No such file or directory",
            _named("missing-command"),
        ),
        (
            (
                r"exec: (?:line \d+: )?([^\s:]+): (?:Permission denied|cannot execute: Permission"
                r" denied)"
            ),
            _named("permission"),
        ),
        (r"exec: (?:line \d+: )?([^\s:]+): (?:not found|No such file)", _named("missing-command")),
        (
            r"bad interpreter: (?:No such file or directory: )?(?=[^:]*$)",
            _whole("missing-command", "interpreter"),
        ),
        (
            r"([^\s:]+): (?:bad interpreter|cannot execute: required file not found)",
            _named("missing-command"),
        ),
        (r"(?:line \d+|: \d+): ([^\s:]+): (?:command )?not found", _named("missing-command")),
        (r"([^\s:]+): command not found", _named("missing-command")),
        (r"unable to find user \S+", _whole("configuration", "user")),
        (
            (
                r"(?:mkdir|touch|cp|mv|chown|chmod|tee|rm|ln): [^‘'\"]*[‘'\"]([^’'\"]+)[’'\"]:"
                r" Permission denied"
            ),
            _named("permission"),
        ),
        (
            r"[Cc]annot create (?:directory )?[‘'\"]?([^’'\":]+)[’'\"]?: Permission denied",
            _named("permission"),
        ),
        (
            (
                r"(?:bind\(\) to |listen )(?:tcp\S* )?\S*:(?P<port>\d+)(?: failed \(13|: bind:"
                r" permission denied)"
            ),
            _port,
        ),
        (r'(?:open|mkdir)\(\) "([^"]+)" failed \(13', _named("permission")),
        (r'(?:open|mkdir)\(\) "([^"]+)" failed \(2', _named("missing-file")),
        (
            r"(?:open|mkdir|stat|lstat|unlink|rename|chdir) (/[^\s:]+): permission denied",
            _named("permission"),
        ),
        (
            r"(?:open|stat|lstat|chdir|readlink|read) (\S+): no such file or directory",
            _named("missing-file"),
        ),
        (r"(?:open|mkdir|create) (\S+): read-only file system", _named("not-writable")),
        (
            r"attempt to write a readonly database|unable to open database file",
            _whole("not-writable", "database"),
        ),
        (r"(/[^\s:'\"‘’]+)[’'\"]?: Permission denied", _named("permission")),
        (r"(/[^\s:'\"‘’]+)[’'\"]?: No such file or directory", _named("missing-file")),
    )
)
