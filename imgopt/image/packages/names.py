"""How names of packages are compared."""

from __future__ import annotations

import re


def plain_name(name: str) -> str:
    """PEP 503's spelling: "Flask_Login" and "flask-login" are one. Names of other ecosystems hardly
    change."""
    return re.sub(r"[-_.]+", "-", name).lower()
