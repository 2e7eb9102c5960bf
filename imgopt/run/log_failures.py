"""Reads what a failing program says (loader, interpreters, shells) into the same items that the
checks give.

Only messages whose wording is fixed in the program that prints them are read; the rest is left to
the reader. The text comes from a container and is untrusted: lines are bounded, patterns have no
nested repetition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.runs import LogFailure
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
    for pattern, reader in _patterns():
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


def _of_fact(fact: LogFailure) -> _Reader:
    """As an ecosystem says it."""
    named = _whole(fact.kind, fact.subject) if fact.subject else _named(fact.kind)

    def read(match: re.Match[str]) -> Item:
        item = named(match)
        subject = item.subject.replace("/", ".") if fact.dotted else item.subject
        return replace(item, subject=subject, needed_by=fact.by)

    return read


_LOADERS: tuple[tuple[str, _Reader], ...] = (
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
)
_SYSTEM: tuple[tuple[str, _Reader], ...] = (
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


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], _Reader], ...]:
    """From the most to the least specific: loaders, run times, the system."""
    run_times = (
        (fact.message, _of_fact(fact))
        for ecosystem in builtin_ecosystems()
        for fact in ecosystem.log_failure
    )
    return tuple(
        (re.compile(pattern), reader) for pattern, reader in (*_LOADERS, *run_times, *_SYSTEM)
    )
