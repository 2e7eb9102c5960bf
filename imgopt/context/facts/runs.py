"""What a run needs of a language or a distribution, and what it does not need."""

from __future__ import annotations

from typing import Literal

from imgopt.context.facts.fact import Fact


class Drop(Fact, frozen=True):
    """Paths that a run does not need, with the reason that the report gives."""

    paths: list[str]
    reason: str
    kind: str
    """cache, vcs, source, intermediate, archive, bytecode, manager; toolchain: goes as a whole,
    with the links to it, where the run opened nothing of it"""
    only_compiled: bool = False
    """Holds only where the image starts a program that was compiled in the build."""


class State(Fact, frozen=True):
    """What a tool keeps for itself: counters, logs, locks, caches that the next start makes again.
    No file of the application, also where the service read it: dropped, given to no user, no reason
    to refute. Not for data that a start would miss or fetch again (models, browsers, packages,
    settings). The proof has a list of its own (`ToolsOwn`): where the service read what only this
    table calls state, the proof asks for it."""

    paths: list[str]
    """Glob patterns as in `[[drop]]`; each covers what lies below it."""
    reason: str
    """What it is, for the report."""
    source: str
    """Where the tool's makers say so."""


class Spare(Fact, frozen=True):
    """Development packages that another package asks for in a `try`, and does the same without."""

    packages: list[str]
    asked_by: str
    reason: str
    source: str
    """Where the package's makers say so."""


class JsonManifest(Fact, frozen=True):
    """A manifest in JSON: a project has one, and each of its packages."""

    file: str
    developers: str
    """The section of what only a developer needs."""
    listed: list[str] = []
    """The sections of a project's own packages, that one included."""
    partners: list[str] = []
    """The sections of what a package uses where it is there."""
    packages: str = ""
    """The folder of installed packages, beside a project's."""
    notes: str = ""
    """The file in that folder in which the installer notes which packages are for development."""
    programs: str = ""
    """The folder in it of the packages' programs, which launchers put in front of PATH."""
    usual_starts: dict[str, str] = {}
    """A file of the project -> what `start` runs where the manifest has no such script."""


class Base(Fact, frozen=True):
    """A family of base images, and what may stand in its place at run time."""

    repository: str
    already: str = ""
    """Regular expression on the tag: this one is slim."""
    slim: list[str] = []
    """Templates in {version}, {suite}, {release}, {flavor}, {major}, tried in order."""
    env: dict[str, str] = {}
    """Variables that its images set, of those that say where a cache is."""
    other_user: str = ""
    """Regular expression on the tag: these start as a user who is not root."""
    entry_scripts: list[str] = []
    """Its entry scripts that do nothing for a service: they prepare the build tool and start the
    command."""


class Version(Fact, frozen=True):
    """Where a run time says of which version it is, in its own files; the first that says it."""

    program: str
    """Regular expression over the path of its program."""
    parts: int
    """How many parts of the version are its interface; the rest are patches."""
    inside: list[str] = []
    """Regular expressions over the bytes of the program, group 1 is the version; `{named}` is the
    number with which the program's name ends."""
    library: str = ""
    """What the name of a library begins with that holds it before the program does; a program that
    is no ELF file is none then."""
    beside: str = ""
    """The file that is looked through in the program's place, from its folder."""
    folders: list[str] = []
    """Folders below which one is called as the version."""
    by_path: str = ""
    """Regular expression over the program's path: what is known where nothing else says it."""


class Runtime(Fact, frozen=True):
    """The program that runs code of this language."""

    version: Version | None = None
    programs: list[str] = []
    """Names of its executables (glob patterns)."""
    runs_compiled: bool = False
    """What it runs was compiled in the build: sources are no part of what ships."""
    trees: list[str] = []
    """Paths that make up the interpreter (glob patterns), kept together."""
    unneeded: list[str] = []
    """Parts of the trees that only a build or a developer uses (glob patterns); what was opened is
    kept."""
    static_files: list[str] = []
    in_slim: bool = False
    """The slim bases have the same trees without compilers: a base without any takes them from
    there."""
    bare: list[str] = []
    """Templates of bare distributions on which such a tree runs, tried before the slim bases."""
    drawing_libraries: list[str] = []
    """Libraries (glob patterns of file names) that may draw text, for which a small base has no
    fonts."""
    drawing_classes: list[str] = []
    """Names in compiled classes that say the same."""


class BuildTools(Fact, frozen=True):
    """Packages that serve the build only, and how to remove them."""

    packages: list[str] = []
    """Names of those that base images bring."""
    installers: list[str] = []
    """Names of those that a Dockerfile installs to install others, or to check them."""
    only_builds: list[str] = []
    """Names of compilers, linters and the like that other packages name as their partners, and that
    no service needs for it."""
    opened_always: list[str] = []
    """Files of theirs that the interpreter opens at every start (glob patterns over the whole
    path)."""
    remove: str = ""
    """Command with {packages}."""
    remove_elsewhere: str = ""
    """The same for an {environment} that the service runs in."""
    empty: str = ""
    """Command that removes all packages of a {folder} and their scripts among the {programs}."""
    runtimes: list[str] = []
    """Names of run times that only compile: what they make runs without them."""
    may_be_absent: list[str] = []
    """What the proof lets go by itself where the run opened nothing of it: installers, build tools,
    linters, test runners. A rewrite asks `packages` and `installers`."""
    may_be_absent_unseen: list[str] = []
    """Those of them that it lets go also where it is not known what the run opened."""


class Accelerator(Fact, frozen=True):
    """Packages that only a graphics processor uses, and how an installer gets the builds without
    them."""

    packages: list[str]
    """Names (glob patterns) of packages that are there for the accelerator alone."""
    builds: list[str]
    """Packages that come in another build without it, of the same version."""
    brought_by: list[str]
    """Packages that depend on one of those builds."""
    manager: str
    """The manager that the option is for."""
    option: str
    """Option of its install command."""
    chosen: str
    """Regular expression: an argument or a line of a manifest in which the author chose a build
    himself."""
    asked: str
    """Regular expression: a file that says how to run the image asks for the accelerator."""
    asked_in: list[str]
    """Endings of the names of such files."""
    used: str
    """Regular expression: a source that cannot do without."""


class Bytecode(Fact, frozen=True):
    """What an interpreter makes of sources at every start, unless it is in the image."""

    sources: str
    """Regular expression: sources of its own library and of packages; group 1 is the folder that
    they belong to."""
    cached: str
    """Regular expression on the names beside: the bytecode of {name}."""
    folder: str
    """The folder beside a source that holds its bytecode."""
    command: str
    """Shell command with {folder}: compiles all of it but packages that lie in it."""
    clear: str
    """Shell command with {folder}, the interpreter's own: removes what was made while packages were
    installed."""
    off_variables: list[str] = []
    """Variables that keep it at another place."""


class SystemPackages(Fact, frozen=True):
    """A system package manager, as a final stage uses it."""

    distributions: list[str]
    """What ID or ID_LIKE of /etc/os-release says."""
    install: str
    """Shell command with {packages}."""
    add_user: str = ""
    """Shell command with {user}: a group and a user of that number, called app, with a home
    folder."""
    add_user_at: str = ""
    """The same with {home}: the home folder, which is there."""
    database: list[str] = []
    """Paths of its own state, which a run does not need."""
    build_tools: list[str] = []
    """Names (glob patterns) of packages that serve a build only."""
    version_control: list[str] = []
    """Names (glob patterns) of packages that the analysis of an image counts among them."""
    may_be_absent: list[str] = []
    """Names (glob patterns) of packages that the proof lets go by itself where the run opened
    nothing of them: compilers, build systems, and what only package managers use. A rewrite asks
    `build_tools`."""
    data: list[str] = []
    """Names (glob patterns) of packages that hold data only: they come along where they are
    recommended."""
    generated: list[str] = []
    """Beginnings of paths below /etc that installation scripts write."""
    init: str = ""
    """The package of a small first process that hands signals on and buries the dead."""
    init_start: str = ""
    """The words that are put in front of a command for it."""


class WebServer(Fact, frozen=True):
    """A web server that may serve the files of a built site in the place of a program of the site's
    own language."""

    program: str
    """Path of its executable."""
    images: list[str]
    """Names of images that hold it, with {suite}, tried in order."""
    settings: str
    """Path of its settings."""
    start: list[str]
    """The command that runs it in the foreground."""
    user: str = ""
    """The user of these images that it runs as."""
    stop_signal: str = ""
    """The signal that ends it gently."""
    templates: str = ""
    """Folder of settings into which the images' entry script puts the environment's values."""
    templates_go_to: str = ""
    """The variable that says where it writes them."""


class DistrolessImage(Fact, frozen=True):
    kind: str
    """static, base or cc"""
    images: list[str]


SaidKind = Literal[
    "missing-library",
    "missing-file",
    "missing-module",
    "missing-command",
    "missing-locale",
    "missing-time-zone",
    "not-writable",
    "permission",
]
"""What a run time may say that it misses, or may not do."""


class LogFailure(Fact, frozen=True):
    """A message of fixed wording by which a run time says what it misses, or may not do."""

    message: str
    """A regular expression, searched in each line; its first group is what is missing."""
    kind: SaidKind
    subject: str = ""
    """What is missing, where the message does not name it."""
    by: str = ""
    """Who needs it, in a word for the reader."""
    dotted: bool = False
    """It says a/b/C where a source says a.b.C."""
