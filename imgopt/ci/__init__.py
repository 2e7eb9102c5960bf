"""The size gate: `check` holds images against a baseline and says which line, package and path made
them grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgopt.ci.api import baseline, check

__all__ = ["baseline", "check"]


def __getattr__(name: str) -> Any:
    """Loaded when asked for: `imgopt ci lint` in a commit hook needs nothing of the images."""
    if name in __all__:
        from imgopt.ci import api

        return getattr(api, name)
    raise AttributeError(name)
