"""What a container is asked that nobody named: commands of the image, links, usual paths."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterable
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from imgopt.run.probes import UNKNOWN_PATH, Answer, Probe

MOST_LINKS = 20
_USUAL_PATHS = (
    "/health",
    "/healthz",
    "/ready",
    "/api",
    "/docs",
    "/openapi.json",
    "/metrics",
    "/actuator/health",
    "/version",
)
_NEVER_FOLLOWED = re.compile(
    r"log-?out|sign-?out|delete|remove|shutdown|restart|unsubscribe|purge|reset|/stop|/kill|/quit|/exit|/send|mail|webhook"
    r"|crash|panic|abort|throw|boom",
    re.IGNORECASE,
)
_SHELL_SIGNS = re.compile(r"[|&;<>()$`*?\[\]#~\n]|^\w+=")
_HELP = frozenset(
    ["--help", "-help", "-h", "help", "--version", "-version", "version", "--usage", "usage"]
)


def only_explains(words: Iterable[str]) -> bool:
    """A start that only says what the program can do: its ports are those of a job that it was not
    given."""
    return any(word in _HELP for part in words for word in part.split())


def command_words(command: str) -> tuple[str, ...]:
    """Executed without a shell where the command needs none, so that images without a shell can be
    asked, too."""
    if _SHELL_SIGNS.search(command):
        return ("/bin/sh", "-c", command)
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ("/bin/sh", "-c", command)


def health_words(test: Iterable[str] | None) -> tuple[str, ...] | None:
    """The command of an image's HEALTHCHECK; None where it has none."""
    words = tuple(test or ())
    if words[:1] == ("CMD",):
        return words[1:] or None
    return ("/bin/sh", "-c", words[1]) if words[:1] == ("CMD-SHELL",) and len(words) > 1 else None


def found_probes(first: Answer) -> list[Probe]:
    """Same-origin links of an answer, then usual paths; what is asked of every port that answers
    HTTP."""
    origin = first.probe
    paths = [origin.path, *_links(first)][: MOST_LINKS + 1]
    paths += [path for path in (*_USUAL_PATHS, UNKNOWN_PATH) if path not in paths]
    return [
        Probe("http", "found", origin.port, path, scheme=origin.scheme)
        for path in dict.fromkeys(paths)
    ]


def guessed_probes(first: Answer, paths: Iterable[str]) -> list[Probe]:
    """Paths that the sources or a description of the service name, for a port that answers HTTP."""
    origin = first.probe
    good = (path for path in dict.fromkeys(paths) if not _NEVER_FOLLOWED.search(path))
    return [Probe("http", "found", origin.port, path, scheme=origin.scheme) for path in good]


def is_usual(probe: Probe) -> bool:
    """Whether it was asked only because many services have it."""
    return probe.source == "found" and probe.path in _USUAL_PATHS


def _links(answer: Answer) -> list[str]:
    base = f"{answer.probe.scheme}://localhost:{answer.probe.port}{answer.probe.path}"
    targets = [answer.header("location")] if answer.header("location") else []
    if "html" in answer.header("content-type"):
        parser = _LinkParser()
        with contextlib.suppress(
            AssertionError
        ):  # html.parser's answer to some malformed declarations
            parser.feed(answer.body.decode(errors="replace"))
        targets += parser.targets
    found: dict[str, None] = {}
    for target in targets:
        with contextlib.suppress(ValueError):
            whole = urlsplit(urljoin(base, target))
            path = whole.path + (f"?{whole.query}" if whole.query else "")
            same = whole.scheme in ("http", "https") and whole.netloc == urlsplit(base).netloc
            if (
                same
                and path.isascii()
                and path.isprintable()
                and " " not in path
                and not _NEVER_FOLLOWED.search(path)
            ):
                found[path or "/"] = None
    return list(found)


class _LinkParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = "href" if tag in ("a", "link") else "src"
        self.targets += [
            value for name, value in attrs if name == wanted and value and len(self.targets) < 200
        ]
