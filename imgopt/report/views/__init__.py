"""Views of each kind of result: `imgopt.report.views.<kind>` has `view(result) -> View`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

from imgopt.collector import collector_paused
from imgopt.errors import InputError
from imgopt.report.view import View
from imgopt.results import Result


def views_of(result: Result) -> list[View]:
    """The view of any result, and of the results inside it where it has some (`parts` of its
    module). Raises InputError for a kind that has no page."""
    kind = result.schema.split("/")[1]
    module = kind.replace("-", "_")
    name = f"{__name__}.{module}"
    if not module.isidentifier() or find_spec(name) is None:
        raise InputError(
            f"{kind} results have no HTML report", hint="use --format text, markdown or json"
        )
    made = import_module(name)
    make: Callable[[Result], View] = made.view
    inside: Callable[[Result], list[View]] = getattr(made, "parts", lambda _: [])
    return [make(result), *inside(result)]


def html(results: Sequence[Result], title: str | None = None) -> str:
    """One page of one or several results."""
    from imgopt.report.html import page

    with collector_paused():
        return page([view for result in results for view in views_of(result)], title)
