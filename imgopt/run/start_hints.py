"""Why an original does not start, and the settings that would help, read from what it said last."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

_NAME = r"(?<!\w)(?P<name>[A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){1,12})(?!\w)"
_ANY_NAME = r"(?<!\w)(?P<name>[A-Z][A-Z0-9_]{2,80})(?!\w)"
_LACKING = r"(?:required|not set|unset|missing|undefined|empty|not defined|not found)"
_VARIABLES = (
    re.compile(r"KeyError: ['\"]" + _ANY_NAME + r"['\"]"),
    re.compile(_NAME + r"\W{0,4}(?:\w{1,20} ){0,4}?(?:is |was |be |are )?" + _LACKING),
    re.compile(
        r"(?i:missing|required|set|define|provide|expected|need|undefined)\W(?:[\w"
        r" ,'\"`:]{0,60}?\W)?" + _NAME
    ),
    re.compile(r"(?i:environ(?:ment)?(?: variable)?s?)\W{1,4}" + _ANY_NAME),
)
_HOSTS = (
    re.compile(r"could not translate host name \"(?P<host>[\w.-]+)\""),
    re.compile(r"(?:ENOTFOUND|EAI_AGAIN) (?P<host>[\w.-]+)"),
    re.compile(r"lookup (?P<host>[\w.-]+)(?: on [\d.:]+)?: "),
    re.compile(r"ECONNREFUSED (?P<host>[\w.:-]+)"),
    re.compile(r"dial tcp (?P<host>[\w.:\[\]-]+): connect: connection refused"),
    re.compile(
        r"(?:connection to server at|connect to (?:server at )?|connecting to)"
        r" \"?(?P<host>[\w.-]+(?::\d+)?)\"?"
    ),
    re.compile(r"UnknownHostException: (?P<host>[\w.-]+)"),
)
_REFUSED = re.compile(
    r"[Cc]onnection refused|Name or service not known|Temporary failure in name resolution"
)
_USER = re.compile(r"unable to find user (?P<name>[^\s:]{1,80})")
_PROGRAM = re.compile(
    r'exec: "([^"\n]{1,200})": (?:[^:\n]{0,200}: )?(permission denied|no such file|executable file'
    r" not found)"
)
_LOST = r"(?:No such file or directory|FileNotFoundError|ENOENT|no such file)"
_CONFIG = re.compile(_LOST + r"[^'\"\n]{0,200}['\"](?P<path>/[\w./@ -]{1,300})['\"]")


_USED = re.compile(r"(?<!\\)\$(?:(?P<plain>[A-Z_][A-Z0-9_]*)|\{(?P<braced>[A-Z_][A-Z0-9_]*)\})")
_OF_THE_SHELL = frozenset(["HOME", "PATH", "PWD", "OLDPWD", "USER", "HOSTNAME", "RANDOM", "SHLVL"])
_SHELLS = ("sh", "bash", "ash", "dash")


def unset_in_start(words: Sequence[str], environment: Iterable[str]) -> tuple[str, ...]:
    """Variables that a start by a shell uses without a default, and that nobody sets.

    >>> unset_in_start(["/bin/sh", "-c", "exec serve --bind :$PORT ${HOST:-::}"], ["PATH"])
    ('PORT',)
    """
    if posixpath.basename(words[0] if words else "") not in _SHELLS:
        return ()
    text = " ".join(words[1:])
    used = [match["plain"] or match["braced"] for match in _USED.finditer(text)]
    known = {*environment, *_OF_THE_SHELL, *re.findall(r"(?<![\w$])([A-Z_][A-Z0-9_]*)=", text)}
    return tuple(dict.fromkeys(name for name in used if name not in known))


def hints(
    log: str, *, code: int | None, listens: bool, unset: Sequence[str] = ()
) -> tuple[str, ...]:
    """Each a whole sentence that names the setting of `[smoke]`; the most certain first. `unset`:
    variables that the start uses and nobody sets."""
    tail = "\n".join(line[:2000] for line in log.splitlines()[-200:])
    names = [name for name in _found(_VARIABLES, tail, "name") if name not in unset]
    hosts = _found(_HOSTS, tail, "host")
    said = [
        f"the start uses ${name}, which nobody sets: set it with --env {name}=... or env under"
        " [smoke]"
        for name in unset
    ]
    said += [
        f"it wants the environment variable {name}: set it with --env {name}=... or env under"
        " [smoke]"
        for name in names
    ]
    said += [
        f"it wants to reach {host}: start that service, give its address with --env and its network"
        " with network under [smoke]"
        for host in hosts
    ]
    if not hosts and _REFUSED.search(tail):
        said.append(
            "it wants to reach another service: start one and give its address with --env or env"
            " under [smoke]"
        )
    said += [
        f"it wants the file {path}: give it with mounts under [smoke]"
        for path in _found((_CONFIG,), tail, "path")
    ]
    said += [
        f"USER names {name}, whom the image's /etc/passwd does not have: make the user, or give a"
        " number"
        for name in _found((_USER,), tail, "name")
    ]
    said += [
        f"the start names {name}, which the image"
        f" {'has not' if why != 'permission denied' else 'may not execute'}"
        for name, why in dict.fromkeys(_PROGRAM.findall(tail))
    ]
    if "no command specified" in tail:
        said.append("the image has no command: give one with command under [smoke]")
    if code == 0:
        said.append(
            "it ends by itself: is it a program for one job? give it one with command under [smoke]"
        )
    if code is None and not listens:
        said.append(
            "it runs but listens on no port: give a longer start_timeout under [smoke], or a"
            " command to ask with run"
        )
    if code == 137:
        said.append("it was killed: does it need more memory than this machine has free?")
    return tuple(said[:6])


def _found(patterns: tuple[re.Pattern[str], ...], text: str, group: str) -> list[str]:
    return list(
        dict.fromkeys(match[group] for pattern in patterns for match in pattern.finditer(text))
    )[:4]
