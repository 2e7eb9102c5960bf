"""What a project is called."""

from __future__ import annotations

from pathlib import Path


def project_name(context: Path) -> str:
    """The folder's own name, as Compose takes it; a result that is read elsewhere says by it whose
    it is.

    >>> project_name(Path("/home/me/shop/."))
    'shop'
    """
    return context.resolve().name
