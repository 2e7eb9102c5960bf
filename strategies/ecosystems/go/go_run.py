"""What `go run` starts. Source: `go help run`."""

from __future__ import annotations

import posixpath
import re

from imgopt.rewrite.language import Launched
from imgopt.rewrite.start.project_files import first_with, inside
from imgopt.rewrite.strategy import ContextFiles

_SAFE = re.compile(r"[\w./:=@,+%-]+\Z")
_GO_FLAGS = ("-mod=", "-tags=", "-v")
_GO_SELF = re.compile(r"\bos\.Executable\(")


def go_run(
    words: tuple[str, ...], rest: tuple[str, ...], context: ContextFiles, folder: str
) -> Launched:
    """`go run [flags] package|files [arguments]`."""
    if any(not _SAFE.match(word) for word in rest):
        return Launched(refused="its words need a shell")
    flags = [word for word in rest if word.startswith("-")][: _leading_flags(rest)]
    strange = next((flag for flag in flags if not flag.startswith(_GO_FLAGS)), None)
    if strange is not None:
        return Launched(refused=f"`{strange}` is not understood")
    after = rest[len(flags) :]
    files = _leading(after, ".go")
    packages = files or list(after[:1])
    if not packages:
        return Launched(refused="it names no package")
    used = first_with(context, folder, ".go", _GO_SELF)
    if used:
        return Launched(refused=f"{used} asks for the path of its own program")
    module = re.search(
        r"^module\s+\"?([\w./~-]+)", context.text(inside(folder, "go.mod")), re.MULTILINE
    )
    if module is None:
        return Launched(refused="there is no go.mod in the working directory")
    program = f"/usr/local/bin/{posixpath.basename(re.sub(r'/v[0-9]+$', '', module[1]))}"
    build = " ".join([*words[:1], "build", *flags, "-o", program, *packages])
    return Launched((program, *after[len(packages) :]), build)


def _leading_flags(words: tuple[str, ...]) -> int:
    return next((index for index, word in enumerate(words) if not word.startswith("-")), len(words))


def _leading(words: tuple[str, ...], ending: str) -> list[str]:
    return list(
        words[: next((i for i, word in enumerate(words) if not word.endswith(ending)), len(words))]
    )
