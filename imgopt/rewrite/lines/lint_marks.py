"""Marks for a linter (`# hadolint ignore=DL3008`): only where the author uses it."""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.rewrite.strategy import Project

_SETTINGS = (".hadolint.yaml", ".hadolint.yml", ".config/hadolint.yaml", ".config/hadolint.yml")
_ASKED_IN = (".pre-commit-config.yaml",)


def without_idle_marks(
    text: str, lines: Sequence[int | None], original: str, project: Project
) -> tuple[str, tuple[int | None, ...]]:
    """The text, and where each of its lines comes from, without the marks that the original has
    not, where nothing of the project runs the linter."""
    if "hadolint" in original or _uses_linter(project):
        return text, tuple(lines)
    split = text.splitlines(keepends=True)
    idle = {n for n, line in enumerate(split) if line.startswith("# hadolint ignore=")}
    kept = "".join(line for n, line in enumerate(split) if n not in idle)
    return kept, tuple(line for n, line in enumerate(lines) if n not in idle)


def _uses_linter(project: Project) -> bool:
    """By its settings, or by a file of CI that names it."""
    root = project.context.root
    if any((root / name).exists() for name in _SETTINGS):
        return True
    globs = (*_ASKED_IN, *(glob for one in project.ecosystems for glob in one.stamps.files))
    asked = (path for glob in globs for path in root.glob(glob))
    return any("hadolint" in project.context.text(str(path.relative_to(root))) for path in asked)
