"""Cargo: what it starts, and the least source that it builds."""

from __future__ import annotations

from imgopt.rewrite.language import Language
from imgopt.strategies.ecosystems.rust.cargo_run import cargo_run
from imgopt.strategies.ecosystems.rust.stub_sources import cargo_stub

LANGUAGE = Language(launched=cargo_run, stub=cargo_stub)
