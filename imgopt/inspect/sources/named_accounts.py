"""Users and groups that the application names: what it would look up, become or give files to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.inspect.files.settings_files import settings_texts
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered
from imgopt.inspect.sources.texts import written_texts
from imgopt.inspect.start.programs import running_scripts, script_text

_LOOKS = re.compile(
    r"\b(?:pwd|grp)\b|\bget(?:pw|gr)nam|\bset(?:e?[ug]id|groups|user|group)\b|\bchown\b|\blchown\b"
    r"|\buser\.Lookup|\bLookupGroup\(|\bEtc\.get|\binitgroups\b|\bposix_get|\buser\s*=|\bgroup\s*=|\bdrop_priv"
    r"|\bPOSIX::|\bUserPrincipal|\blookupPrincipal|\bsu(?:do)?\b|\bgosu\b|\bsetpriv\b|\bsu-exec\b|\bchroot\b"
)
_LITERAL = re.compile(r"""["'`]([a-z_][\w.-]{0,31})(?::([a-z_][\w.-]{0,31}))?["'`]""")
_NAME = r"([a-z_][\w.-]{0,31})"
_SETTING = re.compile(
    r"(?im)^[ \t]*[\"']?[\w.-]*?(?:user|group|owner|run[_-]?as|uid|gid)(?:[_-]?name)?[\"']?"
    r"[ \t]*(?:[=:]|[ \t])[ \t]*[\"']?"
    + _NAME
    + r"(?:[ \t:]"
    + _NAME
    + r")?[\"']?[ \t]*[;,]?[ \t]*$"
)
_IN_JSON = re.compile(
    r"(?i)[\"'](?:user|group|owner|run[_-]?as|username|groupname)[\"']\s*:\s*[\"']"
    + _NAME
    + r"(?::"
    + _NAME
    + r")?[\"']"
)


def accounts(view: ImageView, file: str) -> frozenset[str]:
    """Names in /etc/passwd or /etc/group."""
    lines = (view.read(file) or b"").decode("utf-8", "replace").splitlines()
    return frozenset(line.partition(":")[0] for line in lines if ":" in line)


@remembered
def named_accounts(view: ImageView) -> tuple[tuple[str, str], ...]:
    """(name, where) of each user and group of the image that the application names: in sources that
    deal with accounts, in settings that say who something runs as, in scripts that run."""
    known = accounts(view, "/etc/passwd") | accounts(view, "/etc/group")
    known -= {"root"}
    return tuple((name, path) for path, name in _named(view) if name in known)


def _named(view: ImageView) -> Iterator[tuple[str, str]]:
    for path, text in written_texts(view):
        if _LOOKS.search(text):
            yield from _words(path, _LITERAL, text)
    for path, text in settings_texts(view):
        yield from _words(path, _SETTING, text)
        yield from _words(path, _IN_JSON, text)
    for script in running_scripts(view):
        text = script_text(script)
        if _LOOKS.search(text):
            yield from ((script.path, word) for word in re.findall(r"[\w.-]+", text))
    yield from (("the start command", word) for word in _of_start(view))


def _of_start(view: ImageView) -> Iterator[str]:
    """Words of the start command but for programs that it calls: `node` runs a program, while
    `gosu node` and `--user node` name an account."""
    command = " ".join((*(view.config.entrypoint or ()), *(view.config.cmd or ())))
    before = ""
    for word in re.split(r"[\s:=,]+", command):
        named = before.startswith("-") or _LOOKS.search(before) is not None
        if named or (before and view.command(word) is None):
            yield word
        before = word


def _words(path: str, pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    for match in pattern.finditer(text):
        yield from ((path, word) for word in match.groups() if word)
