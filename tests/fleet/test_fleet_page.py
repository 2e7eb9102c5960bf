"""docs/fleet.md holds the table of figures; `python tests/fleet/test_fleet_page.py` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from imgopt.fleet.cost.parameters import known
from imgopt.report.common import table_markdown

PAGE = Path(__file__).parents[2] / "docs" / "fleet.md"
_TABLE = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- /figures -->)", re.DOTALL)


def table() -> str:
    rows = [
        (
            f"`{one.name}`" + (f", `{one.option}`" if one.option else ""),
            one.what,
            f"{one.default:g}",
            one.unit,
            one.source,
        )
        for one in known()
    ]
    head = ("figure", "what", "default", "unit", "from")
    return f"\n{table_markdown(head, rows, right=(2,))}\n\n"


def test_the_page_has_every_figure_with_its_unit_default_and_source() -> None:
    (shown,) = _TABLE.findall(PAGE.read_text())
    assert shown == table(), "python tests/fleet/test_fleet_page.py writes it anew"


if __name__ == "__main__":
    PAGE.write_text(_TABLE.sub(lambda _: table(), PAGE.read_text()))
