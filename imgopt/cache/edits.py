"""One simulated change of a project: made in memory for a prediction, on a copy of the context for
a measurement."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from imgopt.cache.bases import BaseConfig
from imgopt.cache.state import State
from imgopt.context.files import BytesContent, Entry, parents

_COMMENTS: Mapping[str, str] = {
    **dict.fromkeys(
        (".py", ".rb", ".sh", ".toml", ".txt", ".yml", ".yaml", ".in", ".cfg", ".ex", ".pl"), "# {}"
    ),
    **dict.fromkeys(
        (".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".go", ".mod", ".rs", ".java", ".kt"),
        "// {}",
    ),
    **dict.fromkeys(
        (".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".php", ".scala", ".swift", ".gradle"), "// {}"
    ),
    **dict.fromkeys((".css", ".scss"), "/* {} */"),
    **dict.fromkeys((".html", ".xml", ".md", ".vue", ".svelte"), "<!-- {} -->"),
    **dict.fromkeys((".dockerignore", "Dockerfile", "Makefile"), "# {}"),
    **dict.fromkeys(("Cargo.lock", "poetry.lock", "uv.lock", "yarn.lock", "pdm.lock"), "# {}"),
}


@dataclass(frozen=True, slots=True)
class Edit:
    """`entries`: paths with their new entry, None for removed. `touched`: new time, same bytes.
    `bumped`: base images of which a newer version arrives."""

    words: str
    entries: Mapping[str, Entry | None] = field(default_factory=dict)
    touched: tuple[str, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    bumped: tuple[str, ...] = ()

    def applied(self, state: State) -> State:
        """The state after this change."""
        sent = {path: entry for path, entry in self.entries.items() if self._is_sent(state, path)}
        bases = dict(state.bases)
        for name in self.bumped:
            known = bases.get(name, BaseConfig(known=False))
            bases[name] = replace(known, identity=f"a newer {known.identity or name}")
        tree = state.tree.edited(sent) if sent else state.tree
        if not self.build_args and not bases.keys() & set(self.bumped):
            return self._with_own_files(state.on(tree))
        return replace(
            state, tree=tree, build_args={**state.build_args, **self.build_args}, bases=bases
        )

    def fingerprint(self) -> str:
        """Of all that it changes; the words alone may be those of another change of the same
        files."""
        digest = hashlib.sha256(
            repr((self.words, self.touched, sorted(self.build_args.items()), self.bumped)).encode()
        )
        for path, entry in sorted(self.entries.items()):
            about = (path, None if entry is None else (entry.kind, entry.mode, entry.link))
            digest.update(repr(about).encode())
            digest.update(
                entry.content.read() if entry is not None and entry.content is not None else b""
            )
        return digest.hexdigest()[:32]

    def _is_sent(self, state: State, path: str) -> bool:
        return path in state.tree or state.ignore is None or not state.ignore.excludes(path)

    def _with_own_files(self, state: State) -> State:
        """A changed Dockerfile or ignore file counts as what it is, not only as a file."""
        dockerfile = self.entries.get(state.dockerfile_path or "")
        if dockerfile is not None and dockerfile.content is not None:
            state = state.with_dockerfile(_text(dockerfile))
        ignore_path = state.ignore_path or ".dockerignore"
        ignore = self.entries.get(ignore_path)
        if ignore is not None and ignore.content is not None:
            state = replace(state, ignore_text=_text(ignore), ignore_path=ignore_path)
        return state

    def write(self, folder: Path) -> None:
        """Makes the change on a copy of the context; every changed file gets a new time, so that
        BuildKit sees it (its transfer compares size and time only)."""
        for path, entry in self.entries.items():
            _write(folder, path, entry)
        for path in self.touched:
            _new_time(folder / path)

    def undo(self, folder: Path, state: State) -> None:
        """Takes the change back: what the state has is written again, what it has not is
        removed."""
        for path in self.entries:
            _write(folder, path, state.tree.get(path))
            for parent in reversed([*parents(path)]):
                if (
                    parent not in state.tree
                    and (folder / parent).is_dir()
                    and not any((folder / parent).iterdir())
                ):
                    (folder / parent).rmdir()


def _text(entry: Entry) -> str:
    assert entry.content is not None
    return entry.content.read().decode(errors="surrogateescape")


def _write(folder: Path, path: str, entry: Entry | None) -> None:
    file = folder / path
    if entry is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    if entry.kind == "link":
        file.unlink(missing_ok=True)
        file.symlink_to(entry.link)
    elif entry.content is not None:
        data = entry.content.read()
        file.unlink(missing_ok=True)
        file.write_bytes(data)
        file.chmod(entry.mode)
        _new_time(file)


def _new_time(file: Path) -> None:
    """A time that the file never had: now, or a second after its own if that lies in the future."""
    now = time.time_ns()
    old = file.stat().st_mtime_ns
    new = now if now > old else old + 1_000_000_000
    os.utime(file, ns=(new, new))


def with_comment(path: str, entry: Entry, token: str) -> Entry:
    """The file with one more line that no program minds."""
    assert entry.content is not None
    return replace(entry, content=BytesContent(entry.content.read() + comment(path, token)))


def comment(path: str, token: str) -> bytes:
    """A comment in the file's language; where it has none, blanks that nothing but a checksum
    sees."""
    name = PurePosixPath(path)
    style = _COMMENTS.get(name.name) or _COMMENTS.get(name.suffix.lower())
    if name.name.startswith("Dockerfile") or name.suffix == ".dockerignore":
        style = "# {}"
    if style is not None:
        return f"\n{style.format('imgopt ' + token)}\n".encode()
    bits = "".join(f"{byte:08b}" for byte in token.encode())
    return b"\n" + bits.replace("0", " ").replace("1", "\t").encode() + b"\n"
