"""What the builder does besides the author's own steps it does as root, also behind a USER."""

from __future__ import annotations

from imgopt.dockerfile import Dockerfile, Instruction
from imgopt.dockerfile.scope import ScopeBuilder
from imgopt.image.config import is_root
from imgopt.rewrite.evidence import Evidence


def as_root(
    text: str, dockerfile: Dockerfile, after: Instruction, evidence: Evidence | None
) -> str:
    """RUN instructions for the place behind `after`, between two USER lines where root is not the
    user there."""
    user = _user_after(dockerfile, after, evidence)
    if not text or is_root(user):
        return text
    return f"USER root\n{text}USER {user}\n"


def _user_after(dockerfile: Dockerfile, instruction: Instruction, evidence: Evidence | None) -> str:
    found: ScopeBuilder = dockerfile.scope_into(instruction).add([instruction])
    user = found.scope().user
    base = evidence.view.base if evidence is not None else None
    return user if user is not None else base.config.user if base is not None else ""
