"""`imgopt/run-facts/1`: what running an image showed, so that others can say how it is to be run.

Every figure says how long or how often was looked: a maximum of a short look is no bound. `None`
means "not measured"; `not_measured` of the image says why, by the field's name.
"""

from __future__ import annotations

from statistics import median

from imgopt.results import Result, Value


class Samples(Value, frozen=True, kw_only=True):
    """Repeated measurements of one thing, in the order in which they were taken."""

    values: list[float] = []

    @property
    def middle(self) -> float | None:
        return median(self.values) if self.values else None

    @property
    def worst(self) -> float | None:
        return max(self.values, default=None)


class Start(Value, frozen=True, kw_only=True):
    """Seconds from the container's start to its first good answer (or to its end, for a program
    that ends)."""

    by: str = ""
    """What counted as the answer: "GET /", "listens on 6379/tcp", "ended with 0"."""
    cold: Samples = Samples()
    """With the image's files out of the page cache; empty where that cannot be had here."""
    warm: Samples = Samples()
    processor_seconds: Samples = Samples()
    """Until the first good answer."""


class Load(Value, frozen=True, kw_only=True):
    """A bounded load on loopback: `workers` connections that ask one after the other."""

    path: str
    seconds: float
    workers: int
    requests: int
    failed: int
    per_second: float
    middle_seconds: float | None = None
    p95_seconds: float | None = None
    longest_seconds: float | None = None
    processor_seconds_each: float | None = None


class Memory(Value, frozen=True, kw_only=True):
    """Bytes as the limit counts them (the control group's, page cache that can be given back not
    counted)."""

    settled: int | None = None
    peak_start: int | None = None
    peak_load: int | None = None
    """Under `Load`; None where no load was asked for or possible."""
    watched_seconds: float = 0.0

    @property
    def peak(self) -> int | None:
        return max((one for one in (self.peak_start, self.peak_load) if one), default=None)


class Port(Value, frozen=True, kw_only=True):
    """One port that was seen listening."""

    number: int
    transport: str = "tcp"
    speaks: str = ""
    """http, grpc, "" for what is not known."""
    address: str = "0.0.0.0"
    """127.0.0.1 and ::1 cannot be reached from outside of the container."""
    exposed: bool = False


class Written(Value, frozen=True, kw_only=True):
    """What the program wrote while it ran, below one folder."""

    folder: str
    bytes: int
    files: int
    volume: bool = False
    """The image declares it, or a folder above it, as a volume."""
    examples: list[str] = []


class User(Value, frozen=True, kw_only=True):
    """Who the first process runs as."""

    said: str = ""
    """USER as the image says it."""
    uid: int
    gid: int
    name: str = ""
    home: str = ""
    home_is_writable: bool | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether a kubelet can tell from the image alone that this user is not root."""
        return self.said.partition(":")[0].isdigit()


class Capabilities(Value, frozen=True, kw_only=True):
    """needed: names as "NET_BIND_SERVICE"; without all others the image did the same."""

    needed: list[str] = []
    tried: bool = False
    """A run without any was made."""
    detail: str = ""


class ReadOnlyRoot(Value, frozen=True, kw_only=True):
    """Whether the image does the same on a read-only root file system."""

    works: bool | None = None
    tmpfs: list[str] = []
    """Folders that have to be writable for that, as few as do."""
    detail: str = ""


class Stop(Value, frozen=True, kw_only=True):
    """One stop of a running container."""

    signal: str
    """SIGTERM, or what STOPSIGNAL says."""
    is_own: bool = True
    """The image's own signal (SIGTERM where it names none)."""
    in_flight: int = 0
    """Requests that were being answered when the signal was sent; 0: idle."""
    seconds: float
    exit_code: int | None = None
    killed: bool = False
    """It had not ended when the time was over."""
    grace: float = 10.0
    finished: int = 0
    cut: int = 0
    """Under way when the signal came, or begun to be answered, and never answered to the end; or
    ended by a kill."""
    refused: int = 0
    """New requests after the signal that were turned away while the container still ran: by a
    closed port, an error, or a connection that was closed before anything was answered."""


class ProcessOne(Value, frozen=True, kw_only=True):
    words: list[str] = []
    program: str = ""
    """Path of the file that it runs, in the image."""
    kind: str = ""
    """init, shell, program"""
    catches: list[str] = []
    """Signals that it has a handler for."""
    children: int = 0


class Route(Value, frozen=True, kw_only=True):
    """One path (HTTP), or service name (gRPC health), that was answered."""

    path: str
    port: int
    speaks: str = "http"
    status: int = 200
    seconds: float | None = None
    is_health: bool = False
    """Its name or its body says how the service is."""
    reaches: list[str] = []
    """Hosts or companions that it asked: it may tell readiness, never liveness."""
    fits: str = ""
    """liveness, readiness, "" for neither."""


class Setting(Value, frozen=True, kw_only=True):
    """A proposal: an environment variable or a flag, from what was measured."""

    rule: str
    """J1 to J8 for the JVM; P1..., N1..., G1... for the others."""
    level: str
    """error, warning, note"""
    message: str
    evidence: str = ""
    name: str = ""
    """The environment variable to set; "" where the fix is another one."""
    value: str = ""
    fix: str = ""
    """In words, where it is no variable."""


class Jvm(Value, frozen=True, kw_only=True):
    """What the image's own JVM takes under limits; asked by -XX:+PrintFlagsFinal."""

    memory_limit: int
    processors: float
    collector: str
    heap_bytes: int
    container_support: bool = True
    version: str = ""
    with_proposal: bool = False
    """With the proposed settings; else with the image's own."""


class Probe(Value, frozen=True, kw_only=True):
    """A health check's command that is in the image and was run in it."""

    words: list[str] = []
    exit_code: int | None = None
    seconds: float | None = None
    origin: str = ""
    """healthcheck (the image's own), interpreter, program"""


class Tried(Value, frozen=True, kw_only=True):
    """The image under a memory limit, with the settings that a file would give it."""

    memory_limit: int
    processors: float | None = None
    environment: dict[str, str] = {}
    survived: bool
    start_seconds: float | None = None
    peak: int | None = None
    load: Load | None = None
    detail: str = ""


class ImageFacts(Value, frozen=True, kw_only=True):
    """Of one image; `name` is "original", a variant's name, or "image" where only one was given."""

    name: str = "image"
    reference: str
    image_id: str = ""
    platform: str = "linux/amd64"
    watched_seconds: float = 0.0
    """How long it ran in all, over `runs` runs."""
    runs: int = 0
    ends: bool = False
    """The program ends by itself: it is no service."""
    exit_code: int | None = None
    entrypoint: list[str] = []
    command: list[str] = []
    workdir: str = "/"
    environment: dict[str, str] = {}
    """Of the image; values that look like secrets are left out."""
    given_environment: list[str] = []
    """Names that the user or Compose gave it for these runs."""
    stop_signal: str = ""
    volumes: list[str] = []
    start: Start = Start()
    memory: Memory = Memory()
    load: Load | None = None
    ports: list[Port] = []
    written: list[Written] = []
    user: User | None = None
    capabilities: Capabilities = Capabilities()
    read_only_root: ReadOnlyRoot = ReadOnlyRoot()
    stops: list[Stop] = []
    process_one: ProcessOne | None = None
    routes: list[Route] = []
    longest_answer_seconds: float | None = None
    streams: bool = False
    """An answer came in parts over time (server-sent events, chunks with pauses)."""
    websockets: bool = False
    metrics_path: str = ""
    """Where Prometheus's text format was answered."""
    health: Probe | None = None
    """A probe command that works in this image."""
    companions: list[str] = []
    """Services that it needed beside it."""
    asked_hosts: list[str] = []
    """Hosts outside of its companions whose names it looked up."""
    cuda_bytes: int = 0
    gpu_used: bool = False
    language: str = ""
    """java, python, node, go, "" for others."""
    processors: float | None = None
    """That it was given."""
    settings: list[Setting] = []
    jvm: list[Jvm] = []
    tried: list[Tried] = []
    unpacked_bytes: int = 0
    """Live bytes of the image."""
    not_measured: dict[str, str] = {}


class RunFacts(Result, frozen=True, kw_only=True):
    """The images side by side, the original first."""

    schema: str = "imgopt/run-facts/1"
    project: str = ""
    context: str = ""
    """Empty where an image was given."""
    dockerfile: str = ""
    images: list[ImageFacts] = []
    environment: dict[str, str] = {}
    """The machine and the engine."""
    arguments: list[str] = []
    """As of `imgopt/optimize/1`: what the command was given."""
