"""A program of its own that asks a service, for an image in which no other can."""

from __future__ import annotations

from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.image_examples import answering
from imgopt.strategies.health_prober import STRATEGY
from imgopt.strategies.kit import check_example

PROBER = next(one.prober for one in builtin_ecosystems() if one.prober is not None)


def test_it_is_built_in_a_stage_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "example"
    folder.mkdir()
    example = answering(
        "nothing in the image can ask",
        {"/health": 200},
        without=("/usr/local/bin/python3", "/usr/local/bin/node"),
        above=(
            "FROM golang:1.26 AS health-prober\n"
            f"COPY <<'EOF' /src/main.go\n{PROBER.source.strip()}\nEOF\n"
            f"RUN {PROBER.build}\n\n"
        ),
        after=(
            "COPY --from=health-prober /health-prober /health-prober\n"
            "HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD"
            ' ["/health-prober", "8000", "/health"]'
        ),
    )
    check_example(STRATEGY, example, folder)
