"""What a developer changes between two builds, as an edit of a copy of the context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.files import list_files
from imgopt.context.history import churn
from imgopt.dockerfile import IgnoreFile

_LINE_COMMENTS: Mapping[str, str] = {
    **dict.fromkeys((".py", ".rb", ".sh", ".toml", ".txt", ".yml", ".yaml", ".in", ".cfg", ".ex", ".pl"), "# {}"),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".go", ".mod", ".rs", ".java", ".kt"), "// {}"),
    **dict.fromkeys((".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".php", ".scala", ".swift", ".gradle"), "// {}"),
    **dict.fromkeys((".css", ".scss"), "/* {} */"),
    **dict.fromkeys((".html", ".xml", ".md", ".vue", ".svelte"), "<!-- {} -->"),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One edit: `path` (relative to the context, None: nothing is edited) gets a line that was never there before."""

    name: str
    path: str | None

    @property
    def edit(self) -> str:
        """In words."""
        return f"{self.path}: one line added" if self.path else ""

    def apply(self, context: Path, pristine: Path, token: str) -> None:
        """Writes the edited file into `context`; `token` makes this edit unlike all others."""
        if self.path is not None:
            data = (pristine / self.path).read_bytes()
            (context / self.path).write_bytes(data + _added(self.path, token))

    def undo(self, context: Path, pristine: Path) -> None:
        if self.path is not None:
            (context / self.path).write_bytes((pristine / self.path).read_bytes())


def _added(path: str, token: str) -> bytes:
    """A comment in the file's language; for a file without comments, blanks that nothing but a checksum sees."""
    comment = _LINE_COMMENTS.get(Path(path).suffix.lower())
    if comment is not None:
        return f"\n{comment.format(token)}\n".encode()
    bits = "".join(f"{byte:08b}" for byte in token.encode())
    return b"\n" + bits.replace("0", " ").replace("1", "\t").encode() + b"\n"


def choose(context: Path, ignore: str | None, ecosystems: Iterable[Ecosystem]) -> list[Scenario]:
    """`warm`, and where the project has such files: `edit-source`, `edit-manifest`. Most often changed files first."""
    paths = [path for path, _ in list_files(context, IgnoreFile.parse(ignore) if ignore else None).files()]
    counts = churn(context).counts or {}
    mine = [one for one in ecosystems if any(_rank(path, one.manifests) is not None for path in paths)]
    found = [Scenario("warm", None)]
    for name, patterns in (
        ("edit-source", [pattern for one in mine for pattern in one.sources]),
        ("edit-manifest", [pattern for one in mine for pattern in one.manifests]),
    ):
        ranked = [(path, _rank(path, patterns)) for path in paths]
        order = [
            (-counts.get(p, 0), _is_test(p), rank, p.count("/"), len(p), p) for p, rank in ranked if rank is not None
        ]
        if order:
            found.append(Scenario(name, min(order)[-1]))
    return found


def _rank(path: str, patterns: Iterable[str]) -> int | None:
    """Which of the patterns matches first; `**/` also matches the context's own folder."""
    for index, pattern in enumerate(patterns):
        if fnmatchcase(path, pattern) or fnmatchcase(path, pattern.removeprefix("**/")):
            return index
    return None


def _is_test(path: str) -> bool:
    return any(part.startswith(("test", "spec")) for part in path.lower().split("/"))
