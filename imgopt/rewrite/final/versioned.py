"""Files that a build names by the project's version (`target/rates-1.2.0.jar`): the next release
has another name, and the file must still be there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.files.application_files import copied_layers
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.final_stage import Copy

_VERSIONED = re.compile(
    r"(?P<name>[A-Za-z][\w.]*?(?:[-_][A-Za-z][\w.]*?)*)[-_]v?"
    r"\d+(?:\.\d+)+(?:[-.+_](?:SNAPSHOT|RELEASE|FINAL|RC\d*|M\d+|alpha\d*|beta\d*|\d+))*"
    r"(?P<rest>(?:-[a-z]\w*)*\.[a-z]\w*(?:\.gz)?)"
)


@cache
def _archives() -> tuple[str, ...]:
    return tuple(ending for one in builtin_ecosystems() for ending in one.archives)


def version_patterns(evidence: Evidence, copies: Iterable[Copy], text: str) -> dict[str, str]:
    """Of what is copied file by file, that which a step made under a name with a version -> its
    pattern, where nothing else of the folder fits it. What `text`, the author's file, names stays
    as it is named."""
    copied = copied_layers(evidence.view)
    found = {}
    for path in (path for copy in copies if not copy.stage for path in copy.sources):
        fact = evidence.facts.get(path)
        folder, name = posixpath.split(path)
        match = _VERSIONED.fullmatch(name)
        if fact is None or match is None or fact.kind != "file" or fact.layer in copied:
            continue
        pattern = f"{match['name']}-*{match['rest']}"
        if name in text or not name.endswith(_archives()) or not fnmatchcase(name, pattern):
            continue
        beside = [
            other
            for other in evidence.facts
            if posixpath.dirname(other) == folder
            and fnmatchcase(posixpath.basename(other), pattern)
        ]
        if beside == [path]:
            found[path] = posixpath.join(folder, pattern)
    return found
