"""Ecosystem facts: what one language or package manager needs, read from TOML.

The built-in ones lie in `imgopt/strategies/ecosystems/NAME/facts.toml`; a project adds its own by
`[rewrite] ecosystems = [PATH]`, a file or such a folder.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from imgopt.context.facts.builds import Account, Asker, Hook, Launcher, Made, Program, Stamps, Stray
from imgopt.context.facts.fact import Fact
from imgopt.context.facts.judged import (
    FileOfBuild,
    InstallersNote,
    MayBeAbsent,
    PickedUp,
    ToolsOwn,
)
from imgopt.context.facts.lives import Lives
from imgopt.context.facts.lookups import Compiled, Modules, Table
from imgopt.context.facts.managers import Manager
from imgopt.context.facts.requests import BodyField, SocketRoute, WriteRoute
from imgopt.context.facts.runs import (
    Accelerator,
    Base,
    BuildTools,
    Bytecode,
    DistrolessImage,
    Drop,
    JsonManifest,
    LogFailure,
    Runtime,
    Spare,
    State,
    SystemPackages,
    WebServer,
)
from imgopt.context.facts.sources import ProgramCall, ReadRoute, WritingCall, WrittenPlace
from imgopt.context.facts.starts import Bookkeeping, FileServer, HandedOn, Runner, Start
from imgopt.context.facts.tests import OwnTests
from imgopt.context.facts.tuning import GentleStop, OwnProbe, Prober, Tuning, Workers
from imgopt.errors import InputError, Location

FACTS = "facts.toml"


class Ecosystem(Fact, frozen=True):
    """One folder's facts: a language or a system package manager."""

    name: str
    title: str
    support: Literal["static", "built", "proven"] = "static"
    """static: its rules rest on text and manuals alone; built: real builds were made by them;
    proven: samples were rewritten and proven by them."""
    samples: list[str] = []
    """Samples that prove it, by the names of their folders."""
    manifests: list[str] = []
    """Files that tell that a project is of this ecosystem."""
    sources: list[str] = []
    """Files that a developer edits most (glob patterns)."""
    interpreted: list[str] = []
    """Endings of sources that are run by being read."""
    source_endings: list[str] = []
    """Endings of sources that are read for what they name."""
    archives: list[str] = []
    """Endings of what builds pack a project into."""
    compiled: list[str] = []
    """Those of them that are no part of what ships: the program that is made of them is."""
    pages: list[str] = []
    """Endings of sources that a web server runs at an address of their own name."""
    installed: list[str] = []
    """Names of folders that hold installed packages and nothing of the author's
    ("node_modules")."""
    foreign: list[str] = []
    """Parts of paths, with `/` around them, in which sources of others lie: those of packages and
    of tools."""
    build_scripts: list[str] = []
    """Names of programs in the project that only its build runs ("setup.py")."""
    settings: list[str] = []
    """Paths of the image (glob patterns, `~` is the home folder of any user) where its tools find
    settings."""
    tool_settings: list[str] = []
    """Names of files (glob patterns) that only tools of its builds read, beside its manifests."""
    steering: list[str] = []
    """Variables (glob patterns over the whole ENV) that say where a build puts things or finds
    them."""
    versions: list[str] = []
    """Files of a working directory by which installers choose a version ("rust-toolchain.toml")."""
    variables: list[str] = []
    """Names (glob patterns) of variables that lead its tools to settings, certificates and
    packages."""
    build_variables: list[str] = []
    """Names (glob patterns) of variables that only its compilers and installers read."""
    descriptive: list[str] = []
    """Variables by which its official images say what they are."""
    descriptive_labels: list[str] = []
    """Labels by which an image says what it is, to people and catalogues (glob patterns)."""
    toolchain_path: list[str] = []
    """Folders of PATH that hold nothing but its compilers."""
    library_endings: list[str] = []
    """Endings of shared libraries beside `.so`."""
    runs_scripts: list[str] = []
    """Programs that run a script of the project's manifest (`PROGRAM run NAME`)."""
    installers: list[str] = []
    """Words of a step that installs packages, whatever it is told to install."""
    windows_bases: list[str] = []
    """Parts of the names of images that are for Windows alone."""
    asker: list[Asker] = []
    compiles_with: list[str] = []
    """Names (glob patterns) among them that say how it compiles: they are nothing to a step that
    only fetches."""
    program: list[Program] = []
    account: list[Account] = []
    brings_files: list[str] = []
    """Commands that bring files from elsewhere, of which nothing is known."""
    compiles: list[str] = []
    """Commands that make programs which a kernel starts by themselves (glob patterns of the
    program)."""
    plain_bases: list[str] = []
    """Further base images (glob patterns) that start as root, with /root as home, and set no
    variable of a cache."""
    other_bases: list[str] = []
    """Images (glob patterns of names without their registry) that are called as one of these, and
    are not so."""
    manager: list[Manager] = []
    made: list[Made] = []
    stray: list[Stray] = []
    reads_git: list[str] = []
    """Words of sources and manifests that read version control data."""
    stamps: Stamps = Stamps()
    hook: list[Hook] = []
    """Code of manifests in JSON that runs on install and is known (`scripts`)."""
    launcher: list[Launcher] = []
    start: list[Start] = []
    runner: list[Runner] = []
    bookkeeping: list[Bookkeeping] = []
    handed_on: list[HandedOn] = []
    file_server: list[FileServer] = []
    own_tests: list[OwnTests] = []
    failed_test: list[str] = []
    """Lines of a test run (regular expressions) by which a test fails, whose name is the group
    `test`."""
    write_route: list[WriteRoute] = []
    body_field: list[BodyField] = []
    socket_route: list[SocketRoute] = []
    read_route: list[ReadRoute] = []
    program_call: list[ProgramCall] = []
    written_place: list[WrittenPlace] = []
    writing_call: list[WritingCall] = []
    writes_beside: list[str] = []
    """Files (patterns of names) of frameworks that write beside the source by themselves."""
    remote_calls: list[str] = []
    """Words of sources (regular expressions) by which a service speaks a protocol that is not asked
    here."""
    compiling_servers: list[str] = []
    """Commands that compile what they serve while they run."""
    serves_bare: list[str] = []
    """Programs that do so where no word but options follows."""
    drives: dict[str, str] = {}
    """Packages that do nothing but drive a program -> the program, which a service with them
    needs."""
    drop: list[Drop] = []
    state: list[State] = []
    looked_up: list[Table] = []
    compiled_at_run_time: list[Compiled] = []
    must_compile: list[Compiled] = []
    modules: list[Modules] = []
    may_be_absent: list[MayBeAbsent] = []
    file_of_build: list[FileOfBuild] = []
    picked_up: list[PickedUp] = []
    installers_note: list[InstallersNote] = []
    log_failure: list[LogFailure] = []
    must_stay: list[Table] = []
    """What the proof misses by itself: a rewrite asks `looked_up`."""
    tools_own: ToolsOwn = ToolsOwn()
    spare: list[Spare] = []
    json_manifest: JsonManifest | None = None
    base: list[Base] = []
    runtime: Runtime = Runtime()
    build_tools: BuildTools = BuildTools()
    bytecode: Bytecode | None = None
    accelerator: Accelerator | None = None
    heavy: list[str] = []
    """Packages (glob patterns of names) of 5 MB and more on the wire in every recent version, which
    are seldom raised: in layers they lie apart from the others."""
    system: SystemPackages | None = None
    distroless: list[DistrolessImage] = []
    web_server: WebServer | None = None
    lives: Lives = Lives()
    tuning: Tuning = Tuning()
    workers: list[Workers] = []
    gentle_stop: list[GentleStop] = []
    inits: list[str] = []
    """Names (glob patterns) of first processes that start others and hand signals on."""
    own_probe: list[OwnProbe] = []
    prober: Prober | None = None


@cache
def builtin_ecosystems() -> tuple[Ecosystem, ...]:
    """The ecosystems that come with imgopt, by name."""
    folder = files("imgopt") / "strategies" / "ecosystems"
    found = sorted(
        (item for item in folder.iterdir() if (item / FACTS).is_file()), key=lambda item: item.name
    )
    return tuple(
        _read((item / FACTS).read_text(encoding="utf-8"), f"{item.name}/{FACTS}") for item in found
    )


def load_ecosystems(extra: list[str], folder: Path) -> tuple[Ecosystem, ...]:
    """The built-in ones, with a project's own files over them by name."""
    own = tuple(_read_file(folder / name) for name in extra)
    names = {ecosystem.name for ecosystem in own}
    return (*own, *(ecosystem for ecosystem in builtin_ecosystems() if ecosystem.name not in names))


def _read_file(path: Path) -> Ecosystem:
    if path.is_dir():
        path = path / FACTS
    try:
        return _read(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", location=Location(str(path))) from None


def _read(text: str, name: str) -> Ecosystem:
    try:
        return msgspec.convert(tomllib.loads(text), Ecosystem)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InputError(f"not an ecosystem file: {error}", location=Location(name)) from None
