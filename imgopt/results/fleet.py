"""`imgopt/fleet-cost/1` and `imgopt/fleet-layout/1`: what images cost on many nodes, and how the
same bytes would lie better in layers.

Sizes are bytes, times seconds; "a month" is 30 days, and "per node and month" counts what one node
fetches.
"""

from __future__ import annotations

from typing import Literal

from imgopt.results import Result, Value

History = Literal["tags", "commits", "assumed"]
"""Where the releases come from: manifests of a repository's tags, commits played against the
Dockerfile, or nothing: every layer over the base is counted as changed by each release."""


class UsedParameter(Value, frozen=True, kw_only=True):
    """One figure of the model. `given` says that the user set it; else it is the default, and
    `source` says where that comes from."""

    name: str
    what: str
    value: float
    unit: str
    given: bool
    source: str


class CostLayer(Value, frozen=True, kw_only=True):
    """A place in the image: what its layers move. `wire` is that of the newest; `changes_per_month`
    how often a node has to fetch it."""

    label: str
    wire: int
    changes_per_month: float
    bytes_per_node_month: int


class PullCost(Value, frozen=True, kw_only=True):
    """One pull on one node, and the pod behind it until it answers. `start_bound`: an image of no
    size at all would change `ready_seconds` by less than 5 %."""

    wire: int
    layers: int
    download_seconds: float
    unpack_seconds: float
    pull_seconds: float
    ready_seconds: float
    pull_share: float
    start_bound: bool


class RolloutCost(Value, frozen=True, kw_only=True):
    """A rolling update of all pods: `batch` at a time, `waves` of them."""

    pods: int
    surge: str
    unavailable: str
    batch: int
    waves: int
    seconds: float


class Lever(Value, frozen=True, kw_only=True):
    """What a change would give: the same figures with it."""

    name: str
    what: str
    bytes_per_node_month: int
    ready_seconds: float
    rollout_seconds: float


class CostSubject(Value, frozen=True, kw_only=True):
    """One image, project or repository."""

    name: str
    history: History
    releases: int
    """How many the figures rest on."""
    releases_per_month: float
    wire: int
    """Of the newest release."""
    estimated: bool
    """Raw bytes and files follow from wire sizes by rules of thumb: only manifests were read."""
    cold: PullCost
    """A node that has nothing of it."""
    update: PullCost
    """A node that has the release before: the release of median size among those that move
    something."""
    rollout: RolloutCost
    bytes_per_node_month: int
    bytes_per_month: int
    """What leaves the registry for the whole fleet."""
    dollars_per_month: float
    layers: list[CostLayer]
    levers: list[Lever]
    notes: list[str] = []
    next: str = ""
    """The command that does something about it."""


class FleetCost(Result, frozen=True, kw_only=True):
    """`subjects`: those that move most first."""

    schema: str = "imgopt/fleet-cost/1"
    subjects: list[CostSubject]
    parameters: list[UsedParameter]
    skipped: list[str] = []
    """What was asked for and could not be counted, each with its reason."""


class LayoutGroup(Value, frozen=True, kw_only=True):
    """Bytes that lie together. `members`: packages, the largest first; `wire` is of today."""

    name: str
    wire: int
    changes_per_month: float
    members: list[str] = []
    member_count: int = 0


class LayoutOption(Value, frozen=True, kw_only=True):
    """One way to lay the groups. `layers`: names of the groups in each, from the lowest up;
    `expected` by rates, `replayed` by the releases of the history one by one (None: no history)."""

    name: str
    what: str
    layers: list[list[str]]
    expected_bytes_per_node_month: int
    replayed_bytes_per_node_month: int | None
    proposed: bool = False


class LayoutChange(Value, frozen=True, kw_only=True):
    """The proposal as a change to the Dockerfile, or why there is none."""

    strategy: str
    dockerfile: str | None
    because: list[str]
    skips: list[str]


class FleetLayout(Result, frozen=True, kw_only=True):
    schema: str = "imgopt/fleet-layout/1"
    name: str
    releases: int
    """Releases of the history that were replayed."""
    releases_per_month: float
    history: str
    """What the rates rest on, in words."""
    groups: list[LayoutGroup]
    options: list[LayoutOption]
    original: str | None
    """The text of the Dockerfile that `change` is about."""
    change: LayoutChange | None
    notes: list[str] = []
    next: str = ""
