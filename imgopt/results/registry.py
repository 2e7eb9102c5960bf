"""`imgopt/registry/1`: what a whole registry holds, shares and could share.

Bytes of blobs are those of the wire, each blob once, unless a field says otherwise; `weight` is
bytes by images by pulls (1 where pulls are not known) and ranks the findings.
"""

from __future__ import annotations

from imgopt.results import Result, Value


class Scanned(Value, frozen=True, kw_only=True):
    """What the scan did: blobs read now, known before, left out, not reached."""

    read_blobs: int = 0
    read_bytes: int = 0
    known_blobs: int = 0
    left_blobs: int = 0
    left_bytes: int = 0
    unreached_blobs: int = 0
    seconds: float | None = None


class Totals(Value, frozen=True, kw_only=True):
    repositories: int
    tags: int
    images: int
    artifacts: int
    attestations: int
    blobs: int
    wire_bytes: int
    """Each blob once: what the registry stores for these images."""
    pulled_bytes: int
    """Each image by itself: what pulling all of them to empty nodes moves."""
    shared_bytes: int
    """Of `wire_bytes`: blobs of several images."""
    cross_bytes: int
    """Of those: blobs of several repositories."""
    read_blobs: int = 0
    """Blobs whose files are known; the figures below are of them."""
    files: int | None = None
    payload_bytes: int | None = None
    unique_files: int | None = None
    """Contents that differ."""
    unique_bytes: int | None = None


class RepositoryRow(Value, frozen=True, kw_only=True):
    name: str
    team: str
    tags: int
    images: int
    wire_bytes: int
    own_bytes: int
    """Blobs that no other repository has."""
    pulls: int | None = None
    newest: str | None = None


class TeamRow(Value, frozen=True, kw_only=True):
    team: str
    repositories: int
    images: int
    wire_bytes: int
    own_bytes: int
    findings: int = 0
    finding_bytes: int = 0


class BaseRow(Value, frozen=True, kw_only=True):
    """Layers that images begin with."""

    name: str
    """An image of the fleet that consists of them, else the blob on top."""
    layers: int
    images: int
    repositories: int
    wire_bytes: int
    platform: str = ""
    system: str = ""
    created: str | None = None
    chosen: bool = False
    """One of the fewest that would serve all."""
    serves: int = 0
    """Images that could stand on it, where it is chosen."""


class CodecRow(Value, frozen=True, kw_only=True):
    codec: str
    blobs: int
    wire_bytes: int


class CountRow(Value, frozen=True, kw_only=True):
    """So many images (or layers), and the bytes of their blobs, each once."""

    name: str
    count: int
    wire_bytes: int


class WasteRow(Value, frozen=True, kw_only=True):
    """Files of one class in blobs that were read; bytes are uncompressed."""

    kind: str
    files: int
    bytes: int
    """Each blob once."""
    shipped_bytes: int
    """Each image by itself."""


class Missed(Value, frozen=True, kw_only=True):
    """Layers that hold the same files and have different digests."""

    number: int
    causes: list[str]
    """How the layers differ: "time stamps", "order", "lists", "owners", "compression", "format"."""
    reasons: list[str]
    """Why there are several: "another base", "another step before", "built again"."""
    blobs: list[str]
    wire_bytes: int
    saved_bytes: int
    """All but the largest."""
    images: int
    repositories: list[str]
    instructions: list[str]
    sources: list[str] = []
    """Where the images say that their Dockerfiles are (`org.opencontainers.image.source`)."""
    weight: int = 0


class Cell(Value, frozen=True, kw_only=True):
    """What two repositories both have, under different digests."""

    first: str
    second: str
    bytes: int


class Tree(Value, frozen=True, kw_only=True):
    """Files that several layers hold beside others; bytes are uncompressed."""

    name: str
    path: str
    files: int
    bytes: int
    """One copy."""
    copies: int
    repositories: list[str]
    images: int

    @property
    def saved_bytes(self) -> int:
        return self.bytes * (self.copies - 1)


class CostRow(Value, frozen=True, kw_only=True):
    """What a repository's releases move to nodes, by the model of `imgopt fleet cost` with its
    defaults."""

    repository: str
    releases_per_month: float
    bytes_per_month: int
    dollars_per_month: float


class RegistryFinding(Value, frozen=True, kw_only=True):
    """`bytes` is what mending it would save in the registry; None where it is not about bytes."""

    id: str
    level: str
    """ "error", "warn" or "note"."""
    message: str
    command: str
    """What mends it."""
    bytes: int | None = None
    images: int = 0
    weight: int = 0
    where: list[str] = []
    """Repositories, images or blobs; the first of them."""
    teams: list[str] = []


class RegistryProblem(Value, frozen=True, kw_only=True):
    where: str
    what: str
    kind: str


class RegistryResult(Result, frozen=True, kw_only=True):
    schema: str = "imgopt/registry/1"
    sources: list[str]
    made: str
    """When, as RFC 3339."""
    scan: Scanned
    totals: Totals
    repositories: list[RepositoryRow]
    teams: list[TeamRow]
    bases: list[BaseRow]
    codecs: list[CodecRow]
    platforms: list[CountRow] = []
    ages: list[CountRow] = []
    """By the time since an image was made: "under 30 days" and so on, youngest first."""
    instructions: list[CountRow] = []
    """Layers by the keyword that made them."""
    missed: list[Missed]
    matrix: list[Cell]
    trees: list[Tree]
    waste: list[WasteRow]
    costs: list[CostRow] = []
    """Dearest first."""
    findings: list[RegistryFinding]
    problems: list[RegistryProblem]
    not_measured: dict[str, str] = {}
    """Field -> why it is not there."""
