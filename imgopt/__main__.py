from __future__ import annotations

from imgopt.cli.app import run

run()
