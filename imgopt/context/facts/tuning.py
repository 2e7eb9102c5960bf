"""What a run time makes of the limits of its container, how it is asked and how it is told; and by
which signal a program ends gently."""

from __future__ import annotations

from typing import Literal

from imgopt.context.facts.fact import Fact


class Asked(Fact, frozen=True, kw_only=True):
    """How a run time says by itself what it takes under the limits of its container."""

    arguments: list[str]
    """What it is started with; options of the start stand in front of them."""
    value: str
    """Regular expression over one line of what it says: groups `name` and `value`, and `default`
    where nobody chose the value."""
    heap: str
    """The name of the value that is the most bytes of its heap."""
    share: str = ""
    """The name of the value that is the heap's share of the limit, in per cent."""
    container: str = ""
    """The name of the value that is true where it looks at the container's limits."""
    collectors: dict[str, str] = {}
    """Names of values, one of which is true -> what its collector is called."""
    version: str = ""
    """Regular expression over all that it says, with a group `version`."""


class Collector(Fact, frozen=True, kw_only=True):
    """Which collector a run time takes where nobody names one."""

    small: str
    """The option for the one that it takes below either limit."""
    large: str
    """The option for the one that it takes from both limits on."""
    memory: int
    """Bytes."""
    processors: int
    options: str
    """Regular expression: an option that names one."""
    before: int
    """From this major version on neither limit decides."""
    source: str


class Dumps(Fact, frozen=True, kw_only=True):
    """What a run time does when its heap is full."""

    dump: str
    """The option that makes it write its heap down."""
    place: str
    """The beginning of the option that says where to, without the path."""
    end: str
    """The option that makes it end."""
    ends: list[str]
    """All options that do."""


class Report(Fact, frozen=True, kw_only=True):
    """How a run time says at its end where its memory went."""

    options: list[str]
    variable: str
    """In which they are given for one run."""
    whole: str
    """Regular expression, with a group `bytes` of all that it took, and `unit` where it may be
    another one than bytes."""
    heap: str
    """The same of its heap alone."""


class Heap(Fact, frozen=True, kw_only=True):
    """A run time with a heap of its own, which a limit of the container has to be above."""

    most: str
    """Regular expression over a word of its start: an option that fixes its most, with groups
    `size` and `unit`."""
    unit: int = 1
    """Bytes of a size without a unit."""
    share: str = ""
    """Regular expression over a word of its start: an option that gives it a share of the limit."""
    set_most: str = ""
    """The option that fixes its most, with {mebibytes} or {bytes}."""
    set_share: str = ""
    """The option that gives it a share of the limit, with {percent}."""
    small_limit: int = 0
    """Bytes, below which it takes another option for the same."""
    set_small_share: str = ""
    """That option, with {percent}."""
    usual_percent: int = 75
    """Of the limit, where what else the run time takes is not known."""
    least_percent: int = 25
    """Below it the limit is too small rather than the share."""
    counts_all: bool = False
    """The option bounds all that the run time takes, not the heap alone."""
    unless_packages: list[str] = []
    """Packages in the program that give it the option by themselves."""
    always: bool = False
    """Without the option the limit is not seen at all: it is proposed wherever there is one."""


class Processors(Fact, frozen=True, kw_only=True):
    """How a run time chooses how many threads it runs at once."""

    variable: str
    sees_limit_from: str = ""
    """The version from which it looks at the container's limit by itself; "": none does."""
    unless_packages: list[str] = []
    """Packages in the program that look at it for older ones."""


class Workers(Fact, frozen=True, kw_only=True):
    """A server that answers in several processes, as many as it is told."""

    programs: list[str]
    """Names of the program (glob patterns), or the words `-m NAME` that an interpreter is given."""
    options: list[str]
    variables: list[str] = []
    option_variables: list[str] = []
    """Variables that hold options as the start does."""
    aside: str = ""
    """Regular expression over the words of processes below it that are no workers."""
    usual: int = 1
    """How many where nobody says."""
    most_each: int = 2
    """Workers for each processor, and one, above which more only take memory."""
    source: str = ""


class Tuning(Fact, frozen=True, kw_only=True):
    """A run time of a language: what is asked of it, and what may be set."""

    language: str = ""
    """What the results call it; "": there is nothing to set."""
    programs: list[str] = []
    """Names of what runs it (glob patterns)."""
    rules: dict[str, str] = {}
    """A rule of `imgopt.run.tuning.rules` -> the number under which the results have it."""
    linked: str = ""
    """Packages of this ecosystem in a program say that it is one: the part that is the run time."""
    option: str = ""
    """Regular expression over a word of the start: an option of the run time itself."""
    stops_reading: list[str] = []
    """Words behind which no option of the run time stands any more."""
    with_value: list[str] = []
    """Options whose value is a word of its own."""
    variables: list[str] = []
    """Variables whose options every start reads, in front of its own."""
    variables_after: list[str] = []
    """Those that count over what the start says."""
    set_by: str = ""
    """The one of them that is proposed."""
    variables_from: dict[str, int] = {}
    """Those that only this major version and later ones read."""
    unread: list[str] = []
    """Names (glob patterns) of variables that only scripts put into a start: without such a script
    nobody reads them."""
    like_options: str = ""
    """Regular expression: what such a variable holds, if it is meant for the run time."""
    asked: Asked | None = None
    heap: Heap | None = None
    collector: Collector | None = None
    dumps: Dumps | None = None
    report: Report | None = None
    processors: Processors | None = None
    compilers: list[str] = []
    """Paths (glob patterns) of what only compiles."""
    whole_archives: list[str] = []
    """Endings of archives that may hold the libraries beside the application."""
    inside_archives: str = ""
    """Regular expression over names in such an archive: a library."""


class GentleStop(Fact, frozen=True, kw_only=True):
    """A program that finishes its work on another signal than on the usual one."""

    programs: list[str]
    """Names of the program (glob patterns)."""
    signal: str
    """"": as the first process no signal ends it by itself."""
    usual: Literal["cuts", "waits", "ignores", "restarts"]
    """What it does on the usual one: cuts: ends at once, with what it was answering; waits: goes
    on as long as anybody is connected; ignores, restarts: does not end, as the first process."""
    arguments: str = ""
    """Regular expression over its words, joined by blanks; without a match the fact is none."""
    unless: str = ""
    """The same; with a match it is none."""
    source: str
    """Where the program's makers say so."""


class OwnProbe(Fact, frozen=True, kw_only=True):
    """How a program asks itself, or the service beside it, whether it is well."""

    programs: list[str] = []
    """Names of the program that the image starts (glob patterns)."""
    words: list[str]
    """The command; {program} is the path of what is started."""
    sources: str = ""
    """Regular expression over the project's sources; without a match the program has none. A group
    `name` stands for {name} in the words."""
    source_endings: list[str] = []
    source: str = ""
    """Where the program's makers say so; "" where the project's own sources do."""


class Prober(Fact, frozen=True, kw_only=True):
    """A small program that asks a service for a page, for images in which no other can: it is built
    in a stage of its own."""

    images: list[str]
    """Names of images that can build it, tried in order."""
    source: str
    file: str
    """Where the source lies in that stage."""
    build: str
    """The shell command that makes it."""
    program: str
    """Where it lies, there and in the image."""
