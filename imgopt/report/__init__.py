"""One result, many formats. `render(result, "markdown")`; `write_outputs(result,
["json:result.json"])`."""

from __future__ import annotations

from imgopt.report.files import write_atomic
from imgopt.report.formats import (
    check_format,
    check_outputs,
    formats_of,
    load,
    render,
    renderable,
    write_outputs,
)

__all__ = [
    "check_format",
    "check_outputs",
    "formats_of",
    "load",
    "render",
    "renderable",
    "write_atomic",
    "write_outputs",
]
