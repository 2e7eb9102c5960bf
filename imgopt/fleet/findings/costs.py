"""What the releases of each repository cost on nodes, by the model of `imgopt fleet cost`."""

from __future__ import annotations

from imgopt.fleet.cost.estimate import Plan, estimate
from imgopt.fleet.cost.parameters import parameters
from imgopt.fleet.cost.sources import fleet_series
from imgopt.fleet.scan.model import Fleet
from imgopt.results.registry import CostRow


def cost_rows(fleet: Fleet) -> list[CostRow]:
    """Repositories with several releases, dearest first: of one release nothing is known that
    repeats."""
    values = parameters({})
    several = [one for one in fleet_series(fleet, values) if len(one.releases) > 1]
    found = [estimate(one, values, Plan()) for one in several]
    rows = [
        CostRow(
            repository=each.name,
            releases_per_month=round(each.releases_per_month, 2),
            bytes_per_month=each.bytes_per_month,
            dollars_per_month=round(each.dollars_per_month, 2),
        )
        for each in found
    ]
    return sorted(rows, key=lambda row: (-row.bytes_per_month, row.repository))
