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
from functools import lru_cache

from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.texts import is_foreign, source_texts

_LONGEST_SETTINGS = 1 << 17
_TEXT = r"""[rbfu]{0,2}(?P<quote>["'`])(?!\.\.?["'`])(?P<text>[^"'`\n${}<>*?|]{1,200})(?P=quote)"""
_FIRST = r"""(?P<before>(?:[^"'`\n;{}]|["']\.\.["']){0,120}?)""" + _TEXT
_OR_FILENAME = r"\(\s*(?:\{\s*filename\s*:)?"
_TO_WRITE = r"[^\n]{0,20}?,\s*(?:mode\s*=\s*)?['\"](?:[wax]|r\+|rb\+)"
_JS = (".js", ".cjs", ".mjs", ".ts")

_FILES: tuple[tuple[tuple[str, ...], str], ...] = (
    ((".py",), r"(?<![\w.])open\(" + _FIRST + _TO_WRITE),
    (
        (".py",),
        r"\b(?:sqlite3\.connect|\w*FileHandler|shelve\.open|dbm\.open|to_csv|to_json|TinyDB|savefig)\("
        + _FIRST,
    ),
    (
        (".py",),
        r"\b(?P<before>Path\(\s*)"
        + _TEXT
        + r"\s*\)\.(?:write_text|write_bytes|touch|open\(['\"][wax])",
    ),
    (
        _JS,
        r"\b(?:writeFile|writeFileSync|appendFile|appendFileSync|createWriteStream|outputFile)\("
        + _FIRST,
    ),
    (_JS, r"\bnew\s+(?:[\w.]*Database|Datastore|FileSync|JSONFile)" + _OR_FILENAME + _FIRST),
    (_JS, r"\bstorage\s*:(?P<before>)\s*(?=['\"][^'\"]+\.(?:db|sqlite3?)['\"])" + _TEXT),
    ((".go",), r"\b(?:os\.Create|os\.WriteFile|ioutil\.WriteFile|bolt\.Open)\(" + _FIRST),
    ((".go",), r"\bsql\.Open\(\s*\"sqlite3?\"\s*,(?P<before>)\s*" + _TEXT),
    ((".rs",), r"\b(?:File::create|fs::write|Connection::open)\(" + _FIRST),
    (
        (".java", ".kt"),
        r"\bnew\s+(?:FileWriter|FileOutputStream|RandomAccessFile|PrintWriter)\(" + _FIRST,
    ),
    (
        (".java", ".kt"),
        r"\bFiles\.(?:write|writeString|newBufferedWriter|newOutputStream)\(" + _FIRST,
    ),
    ((".php",), r"\b(?:file_put_contents|touch)\(" + _FIRST),
    ((".php",), r"\bfopen\(" + _FIRST + r"\s*,\s*['\"](?:[waxc]|r\+)"),
    ((".rb",), r"\bFile\.(?:write|open|new)\(" + _FIRST + r"\s*,\s*['\"](?:[wa]|r\+)"),
)
_FOLDERS: tuple[tuple[tuple[str, ...], str], ...] = (
    ((".py",), r"\b(?:makedirs|mkdir)\(" + _FIRST),
    ((".py",), r"\b(?P<before>Path\(\s*)" + _TEXT + r"\s*\)\.mkdir"),
    (
        (".py",),
        r"\b(?:UPLOAD|MEDIA|STORAGE|OUTPUT|LOG)S?_(?:FOLDER|DIR|ROOT|PATH)['\"]?\]?\s*=" + _FIRST,
    ),
    (_JS, r"\b(?:mkdir|mkdirSync|ensureDir|ensureDirSync)\(" + _FIRST),
    (_JS, r"\b(?:dest|destination|uploadDir|tempFileDir)\s*:" + _FIRST),
    ((".go",), r"\bos\.Mkdir(?:All)?\(" + _FIRST),
    ((".rs",), r"\bfs::create_dir(?:_all)?\(" + _FIRST),
    ((".java", ".kt"), r"\bFiles\.createDirector(?:y|ies)\(" + _FIRST),
    ((".php",), r"\bmkdir\(" + _FIRST),
    ((".rb",), r"\b(?:mkdir_p|Dir\.mkdir)[( ]" + _FIRST),
)
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


@lru_cache(maxsize=64)
def _patterns(suffix: str) -> tuple[tuple[re.Pattern[str], bool], ...]:
    tables = ((_FILES, False), (_FOLDERS, True))
    found = [
        (re.compile(text), folder)
        for table, folder in tables
        for suffixes, text in table
        if suffix in suffixes
    ]
    return (*found, (re.compile(_DATABASE), False)) if found or suffix in _SETTINGS else ()
