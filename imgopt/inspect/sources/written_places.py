"""Where the application's own sources write, seen in the text: an upload or a form takes a path
that no probe takes.

Only calls that write and name a place literally count, or one beside the source (`__file__`,
`__dirname`), and settings and variables whose key says that something is written there (`spool:
/var/spool/app`). What is computed is left to the real run.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.texts import is_foreign, source_texts

_LONGEST_SETTINGS = 1 << 17
_TEXT = r"""[rbfu]{0,2}(?P<quote>["'`])(?!\.\.?["'`])(?P<text>[^"'`\n${}<>*?|]{1,200})(?P=quote)"""
_FIRST = r"""(?P<before>(?:[^"'`\n;{}]|["']\.\.["']){0,120}?)""" + _TEXT
_TO_WRITE = r"[^\n]{0,20}?,\s*(?:mode\s*=\s*)?['\"](?:[wax]|r\+|rb\+)"
_DATABASE = r"\b(?P<before>)(?:sqlite(?:\+\w+)?:///|jdbc:sqlite:|jdbc:h2:file:|sqlite3?:(?=[./\w]))(?P<text>[\w./-]{1,200})"
"""Addresses of databases that are files, in sources and in settings alike."""
_SETTINGS = (".env", ".yml", ".yaml", ".properties", ".toml", ".ini", ".cfg", ".json", ".conf")
_WRITTEN = (
    r"(?:uploads?|spool|cache|queue|logs?|logging|te?mp|work|state|store|storage|db|database|ledger"
    r"|outputs?|out|media|sessions?|locks?|pid|backups?|exports?|inbox|outbox|archive|downloads?)"
)
_NAMED = re.compile(
    r"""(?im)["']?(?P<key>[\w.-]{1,60})["']?[ \t]*[:=][ \t]*["']?"""
    r"""(?P<text>/(?:var|data|srv|mnt|opt|home|media|storage|uploads)(?:/[\w.@-]+)+|/data)(?=["'\s,;}\]]|$)"""
)
_OF_WRITING = re.compile(rf"(?i)(?:^|[_.-]){_WRITTEN}(?:$|[_.-])")
_PLAIN_KEY = re.compile(r"(?i)^(?:dir|directory|folder|path|root|location|file|filename|base)$")
_ABOVE = re.compile(rf"(?i)\b{_WRITTEN}\b")
"""A value of settings that says where something is written to, by its key or by that above it."""
_BESIDE = re.compile(r"__dirname|__file__|__DIR__|\bBASE_?DIR\b|\bROOT_?DIR\b|\broot_path\b")
_JOINS = re.compile(r"\b(?:join|resolve)\(")
_KNOWN = re.compile(
    r"(?:[\w.:]*(?:join|resolve|Path|Paths\.get|Path\.of|cwd|getcwd|File|new)\b|['\"]\.\.['\"]|[\s(),&])*"
)


def written_by_sources(view: ImageView) -> Iterator[tuple[str, str]]:
    """(folder, source file): absolute folders, which need not be there yet."""
    for path, text in (*source_texts(view), *_settings(view)):
        for pattern, is_folder in _patterns(_suffix(path)):
            for match in pattern.finditer(text):
                yield from (
                    (place, path) for place in _places(view, path, match, is_folder=is_folder)
                )
    yield from _by_settings(view)


def without_named_places(view: ImageView, path: str, text: str) -> str:
    """The text of a source without those calls that name the place where they write."""
    for pattern, is_folder in _patterns(_suffix(path)):
        for match in pattern.finditer(text):
            named = re.search(r"\w", match["text"]) is not None
            if named and any(True for _ in _places(view, path, match, is_folder=is_folder)):
                start, end = match.span()
                text = text[:start] + " " * (end - start) + text[end:]
    return text


def _by_settings(view: ImageView) -> Iterator[tuple[str, str]]:
    """Folders that settings and variables name as places to write to."""
    said = [(f"variable {k}", f"{k}={v}") for k, v in view.config.environment.items()]
    for path, text in (*_settings(view), *said):
        for match in _NAMED.finditer(text):
            above = text[: match.start()].splitlines()[-3:]
            plain = _PLAIN_KEY.match(match["key"]) and _ABOVE.search(" ".join(above))
            if _OF_WRITING.search(match["key"]) or plain:
                yield _folder_of(view, match["text"]), path


def _folder_of(view: ImageView, place: str) -> str:
    """The folder itself, or that of a file: one that is there, or that is called as files are."""
    node = view.tree.resolve(place)
    is_file = node.kind == "file" if node is not None else bool(posixpath.splitext(place)[1])
    return posixpath.dirname(place) if is_file else posixpath.normpath(place)


def _settings(view: ImageView) -> Iterator[tuple[str, str]]:
    for node in application_files(view):
        is_setting = (
            node.inode is not None
            and _suffix(node.path) in _SETTINGS
            and node.size <= _LONGEST_SETTINGS
        )
        if is_setting and not is_foreign(node.path):
            yield node.path, node.read().decode("utf-8", "replace")


def _suffix(path: str) -> str:
    name = posixpath.basename(path)
    return posixpath.splitext(name)[1] or name


def _places(view: ImageView, path: str, match: re.Match[str], *, is_folder: bool) -> Iterator[str]:
    """The folder that is written to, below the working directory or beside the source."""
    before, word = match["before"], match["text"].strip()
    beside = _BESIDE.search(before) is not None
    if "://" in word or not re.match(r"[\w./]", word) or not (beside or _KNOWN.fullmatch(before)):
        return
    start = posixpath.dirname(path) if beside else view.workdir
    up = "/".join([".."] * len(re.findall(r"['\"]\.\.['\"]", before)))
    place = posixpath.normpath(posixpath.join(start, up, word.lstrip("/") if beside else word))
    more = _JOINS.search(before) and match.string[match.end("text") + 1 :].lstrip().startswith(",")
    yield place if is_folder or more else posixpath.dirname(place)


@cache
def _patterns(suffix: str) -> tuple[tuple[re.Pattern[str], bool], ...]:
    """What names a place in files with that ending, and whether it is a folder."""
    facts = (fact for one in builtin_ecosystems() for fact in one.written_place)
    found = sorted((fact for fact in facts if suffix in fact.files), key=lambda one: one.is_folder)
    own = tuple((_compiled(fact.pattern), fact.is_folder) for fact in found)
    return (*own, (re.compile(_DATABASE), False)) if own or suffix in _SETTINGS else ()


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"{first}": _FIRST, "{text}": _TEXT, "{to_write}": _TO_WRITE}
    for name, part in parts.items():
        pattern = pattern.replace(name, part)
    return re.compile(pattern)
