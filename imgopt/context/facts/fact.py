"""What all facts have in common: they are tables of a TOML file, and unknown fields are refused."""

from __future__ import annotations

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of an ecosystem file."""
