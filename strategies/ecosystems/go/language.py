"""Go: what `go run` starts."""

from __future__ import annotations

from imgopt.rewrite.language import Language
from imgopt.strategies.ecosystems.go.go_run import go_run

LANGUAGE = Language(launched=go_run)
