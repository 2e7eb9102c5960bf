"""imgopt: evidence-driven Dockerfile and image optimizer."""

from __future__ import annotations

__version__ = "0.1.0"
