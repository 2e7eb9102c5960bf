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

from imgopt.errors import InputError, Location

FACTS = "facts.toml"


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of an ecosystem file."""


class Hook(Fact, frozen=True):
    """A script of a manifest that installations run, of which it is known what it reads."""

    command: str
    """Regular expression over the whole command."""
    reads: list[str] = []
    """Files and folders beside the manifest."""


class Program(Fact, frozen=True):
    """A command that installs nothing, and what it does with files: whether it may stand in front of a COPY."""

    commands: list[str]
    """Words that it begins with; the first program of all ecosystems that fits decides."""
    does: str
    """Its row in the table of `imgopt.rewrite.passing`: nothing, tidies, accounts, folders, files, settings."""
    unless: list[str] = []
    """Options with which it does something else, of which nothing is known here."""
    only_with: list[str] = []
    """Options one of which has to be there for all this to hold."""
    writes: list[str] = []
    """Options whose value is a path that it writes to; its plain words are none then."""
    here: list[str] = []
    """Options with which it writes into its working directory, under a name from elsewhere."""
    here_unless: list[str] = []
    """It writes into its working directory, but with one of these options."""
    least: int = 0
    """With less plain words than this it asks the project."""
    here_below: int = 0
    """It writes into its working directory where it has less words than this behind its name (`git clone URL`)."""
    words: str = ""
    """Regular expression: its first plain word, where that is no path."""
    files: list[str] = []
    """Files of the working directory that it writes."""
    files_with: list[str] = []
    """Words with which alone it writes them."""
    files_surely: list[str] = []
    """Words that say so; without them it depends on the version."""
    files_unless: list[str] = []
    """Words with which it writes files of the user instead, or none."""
    makes: str = ""
    """It fills the folder that its last plain word names, this one without a word (`uv venv`)."""


class CacheFolder(Fact, frozen=True):
    """A folder of a manager's cache, and for whom it is there."""

    folder: str
    """As the tool finds it, of variables and fallbacks: `${GOMODCACHE:-${GOPATH:-~/go}/pkg/mod}`; `~` is the home."""
    used_by: list[str] = []
    """Commands that read or fill it; none: every one of the manager's."""
    bases: list[str] = []
    """Base images (glob patterns of the name's last part) that have it there; none: all that are known."""
    when: list[str] = []
    """`FILE: TEXT`, all of which must hold in the context: which version of the manager it is, and how it is set."""
    unless: list[str] = []
    """Files and folders of the context with which nothing is downloaded: the project has its dependencies with it."""
    unless_said: list[str] = []
    """Options that say the same."""
    static_only: bool = False
    """A mount there could not be tried, or where the folder is depends on what is not known: it is told, never made."""
    among_installed: bool = False
    """It lies in a folder of installed packages: who copies that folder does not mean it."""
    locked: bool = False
    """Two builds at a time would disturb each other in it: one waits for the other."""
    follows: list[str] = []
    """Variables that may move it: they name the tool's own home, and the cache goes where they say."""


class PackageLists(Fact, frozen=True):
    """What a package manager fetches once and reads in later steps: where it is removed, those steps may fail."""

    folders: list[str]
    """Where they lie."""
    programs: list[str]
    """Programs that read them, whatever their first word (glob patterns)."""
    fetch: list[str]
    """Words of their command lines that say that it fetches the lists itself."""
    harmless: list[str] = []
    """First words after options with which they read no list."""
    readers: list[str] = []
    """Other programs that install by them, or words that make one do so (glob patterns)."""


class Locks(Fact, frozen=True):
    """How to see that a lock file lacks a dependency: an installation writes it, and a COPY behind it puts it back."""

    file: str
    when: str
    """Pattern that holds in the locks that this is about."""
    entry: str
    """Pattern with {name} and {range} that holds for every dependency."""
    kinds: list[str]
    """Tables of the manifest with the dependencies."""
    plain: str
    """Pattern of the ranges that stand in the lock as they are."""


class Pruner(Fact, frozen=True):
    """How a version of a manager removes development packages."""

    command: str
    when: list[str] = []
    """`FILE: PATTERN`, one of which must hold in the image, by lines, for this to be the right command; none: it is."""


class Manager(Fact, frozen=True):
    """One package manager: which commands install, what they read, what they leave behind."""

    name: str
    commands: list[str] = []
    """Words that a command begins with, for instance "npm ci"; options may stand between them."""
    static_only: bool = False
    """Its rules could not be tried by a real build: they are told, never made."""
    manifests: list[str] = []
    """Files that the command must find in its working directory (glob patterns)."""
    optional: list[str] = []
    """Files and folders that it reads when they are there."""
    folders: dict[str, list[str]] = {}
    """Folders that it reads as a whole where they hold a file of one of these names (glob patterns)."""
    settings: list[str] = []
    """Which of these are settings (glob patterns of names): what they name in the context is read as well."""
    above: list[str] = []
    """`FILE: TEXT`: a file in a folder above, or beside the manifest, which makes it a member of something larger."""
    ready: list[str] = []
    """Files that tell that the dependencies are in the context already."""
    adds: list[str] = []
    """Those of its commands that write the packages which they name into the manifest ("npm install")."""
    adds_not_with: list[str] = []
    """Options with which they do not."""
    changes_with: list[str] = []
    """Options with which an installation changes the lock file, which a COPY behind it would put back."""
    locks: Locks | None = None
    """The lock file of a manager that compares it with the manifest at every later command."""
    value_options: list[str] = []
    """Options whose value is the next word, and no package."""
    everywhere: list[str] = []
    """Options, or whole commands, that install a program for the machine and not for the project."""
    everywhere_reads: list[str] = []
    """What such an installation reads in its working directory."""
    everywhere_tools: list[str] = []
    """Such programs (glob patterns) that the project's own steps would use as well."""
    scripts: list[str] = []
    """Commands that run scripts of the project: these find the project's own programs before those of the machine."""
    path_options: list[str] = []
    """Options that name a folder or a file to read, where it is no manifest."""
    everywhere_below: list[str] = []
    """Options that make it install for every project below the folder, where none of `workspace_files` says which."""
    workspace_files: list[str] = []
    target_options: list[str] = []
    """Options that name where to install to."""
    steers: list[str] = []
    """Options that say where a build command reads and writes, or what it builds: a fetch would have to follow them."""
    lays: list[str] = []
    """What an installation makes beside the manifest: the same from this machine, copied later, would lie over it."""
    lays_variables: list[str] = []
    """Variables that say where it makes that."""
    lays_named: dict[str, str] = {}
    """Names of files that are read (glob patterns) -> a regular expression: group 1 is a folder that is filled."""
    lays_not_with: list[str] = []
    """Options with which it leaves files of these names as they are, but not folders."""
    manifest_options: list[str] = []
    """Options whose value is a manifest, for instance "-r"."""
    rather: list[str] = []
    """Files that take the place of the manifests where they are there (a solution names its projects)."""
    searched: list[str] = []
    """Other files (glob patterns of names) that are searched like manifests."""
    named: str = ""
    """Regular expression: an argument that is a manifest by itself (`dotnet restore shop.sln`)."""
    include: str = ""
    """Regular expression: in a manifest, group 1 is another file that it reads."""
    local: str = ""
    """Regular expression: an argument that makes the command read the source tree."""
    dependencies: list[str] = []
    """Tables of a manifest in JSON that say where packages come from."""
    local_values: str = ""
    """Regular expression: a value of these tables that makes the command read the source tree."""
    local_lines: str = ""
    """Regular expression: a line of a manifest that makes the command read the source tree."""
    hooks: str = ""
    """Regular expression: a manifest text that runs the project's own code on install."""
    no_hooks: list[str] = []
    """Options that together keep the project's own code from running ("--ignore-scripts")."""
    workspaces: str = ""
    """Regular expression: a line of a manifest that names members, whose manifests are read too (package.json)."""
    fetch: str = ""
    """Command that fetches the dependencies from the manifests alone; an option: the install command with it."""
    needs_lock: bool = False
    """Whether `fetch` is of no use without a lock file."""
    fetch_before: list[str] = []
    """Words of the commands before which `fetch` helps, for instance "go build"."""
    fetch_unless: str = ""
    """Regular expression: an argument with which such a command builds something else than the project."""
    fetch_options: list[str] = []
    """Beginnings of options that `fetch` takes over from the build command, for instance "-P"."""
    fetch_project: str = ""
    """Shell command that installs what the metadata of the project declare, {lists} of them, where {install} installs
    the project itself; {python} is the interpreter beside it."""
    fetch_project_base: str = ""
    """Regular expression: base images whose interpreter can read the metadata."""
    manifest_option: list[str] = []
    """Options that name the manifest of a build command, for instance "-f"."""
    stub: str = ""
    """Layout whose sources are known: the build command itself runs ahead on the least source that builds ("cargo")."""
    stub_refuses: str = ""
    """Regular expression: settings with which it would build or look elsewhere."""
    unstub: list[str] = []
    """Paths of what is built from the stub of a {package}: removed, for the real source may look older."""
    caches: list[str] = []
    """Folders of the manager's cache; `~` is the home folder."""
    cache: list[CacheFolder] = []
    """Folders that a build may keep between runs by a cache mount, where this is known to be safe."""
    cache_sharing: str = ""
    uses_cache: list[str] = []
    """Further commands that read or fill the cache, for instance "pip wheel"."""
    fetches_nothing: list[str] = []
    """Commands that a cache is of no use to, for instance "go telemetry"."""
    elsewhere: list[str] = []
    """Options that say where the cache is, or that there is none."""
    elsewhere_files: list[str] = []
    """`FILE: TEXT`: settings of the project that say so (regular expressions)."""
    moved_by: list[str] = []
    """Commands that say so for all that follow (regular expressions over words parted by single blanks)."""
    shared_by_steps: bool = False
    """Any command of its programs may read what an earlier step downloaded: all of a stage get the mount, or none.
    So it is with each that has `fetch_before`."""
    starts_built: str = ""
    """Regular expression over a start's words: the program builds nothing there (`dotnet shop.dll`)."""
    needs_cache: list[str] = []
    """Commands, of whatever program, that read from the cache what they do not fetch: it has to be in a layer."""
    offline_variables: list[str] = []
    """`NAME=VALUE` with which it downloads nothing: what is missing in the cache is an error."""
    offline: list[str] = []
    """Options with which it builds from what an earlier step downloaded."""
    cache_variables: list[str] = []
    """Variables that move the cache to another folder or turn it off."""
    keep_cache_option: str = ""
    """Option that keeps the cache out of the layer, for instance "--no-cache-dir"."""
    keep_cache_replaces: list[str] = []
    """Options that say nothing any more beside it."""
    clean: str = ""
    """Command that removes the cache at the end of the same step; {program}: the one that the step itself called."""
    clean_after: list[str] = []
    """Words of the command that fetches package lists: without one in the step, `clean` has nothing to remove."""
    clean_when: list[str] = []
    """`FILE: TEXT`, one of which must hold in the context for `clean` to be right; none: it always is."""
    lists: PackageLists | None = None
    cleaners: list[str] = []
    """Commands that remove what an installation left ("apt-get clean")."""
    removers: list[str] = []
    """Commands that remove the packages that they name ("apk del")."""
    no_recommends: str = ""
    """Option that installs packages without those that they only recommend."""
    recommends_for: list[str] = []
    """First words after options for which it says something ("install")."""
    recommends_said: list[str] = []
    """Parts of words in which the author says himself what becomes of recommended packages."""
    pruner: list[Pruner] = []
    """Commands that remove development packages after the build, by the manager's version."""


class Launcher(Fact, frozen=True):
    """A start command that builds first."""

    command: str
    """Its words, for instance "go run"."""
    kind: str
    """How its other words are read: go-run, cargo-run, spring-boot-run, node-script (`imgopt.rewrite.build_start`)."""
    anywhere: bool = False
    """The second word is a goal that may stand anywhere among the words."""
    sometimes: bool = False
    """Whether it builds depends on what the project's manifest makes of its words."""


class Drop(Fact, frozen=True):
    """Paths that a run does not need, with the reason that the report gives."""

    paths: list[str]
    reason: str
    kind: str
    """cache, vcs, source, intermediate, archive, bytecode, manager; toolchain: goes as a whole, with the links to it,
    where the run opened nothing of it"""
    only_compiled: bool = False
    """Holds only where the image starts a program that was compiled in the build."""


class State(Fact, frozen=True):
    """What a tool keeps for itself: counters, logs, locks, caches that the next start makes again. No file of the
    application, also where the service read it: dropped, given to no user, no reason to refute. Not for data that a
    start would miss or fetch again (models, browsers, packages, settings). The proof has a list of its own
    (`imgopt/proof/state.py`): where the service read what only this table calls state, the proof asks for it."""

    paths: list[str]
    """Glob patterns as in `[[drop]]`; each covers what lies below it."""
    reason: str
    """What it is, for the report."""
    source: str
    """Where the tool's makers say so."""


class Made(Fact, frozen=True):
    """What commands of a build make where they run: a developer's own must not come to lie over it."""

    commands: list[str]
    """Words that such a command begins with, for instance "npm ci"; options may stand between them."""
    folders: list[str]
    """Folders below the working directory; {last}: the one that the last word names."""
    needs: list[str] = []
    """Files (glob patterns), one of which the command must find there."""
    beside: list[str] = []
    """Files (glob patterns): the folders are beside each of them, at any depth."""
    members: list[str] = []
    """The same for folders that are there already: those of a workspace's members."""
    marks: list[str] = []
    """Paths (glob patterns), one of which a folder has that was made so; one without is the author's own."""
    only: list[str] = []
    """Names (glob patterns): a folder that holds anything else is the author's own."""
    when: str = ""
    """Regular expression over the commands and variables of the Dockerfile, without which nothing is made there."""
    unless: str = ""
    """Regular expression over the command, the variables in force and `unless_in`: it is made elsewhere."""
    unless_in: list[str] = []
    """Files (glob patterns) of the working directory that may say so."""


class Stray(Fact, frozen=True):
    """What lies about in working copies and belongs to no image."""

    names: list[str]
    """Names of files and folders (glob patterns), in the root of the context; with `**/` in front at any depth."""
    kind: Literal["vcs", "project", "machine"]
    """vcs: version control data; project: committed beside the source, for people and for builds; machine: what tools
    leave on one machine."""
    reason: str
    like: str = ""
    """Regular expression: what is in such a file, where its name alone does not say it."""
    inside: str = ""
    """A file in such a folder, without which it is the author's own."""
    beside: str = ""
    """For files: the name of what each is made from, with {stem}; one without it is the author's own."""
    from_sources: list[str] = []
    """Files (glob patterns): where a context has one, running it makes what is named here sooner or later."""


class Spare(Fact, frozen=True):
    """Development packages that another package asks for in a `try`, and does the same without."""

    packages: list[str]
    asked_by: str
    reason: str
    source: str
    """Where the package's makers say so."""


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
    """Its entry scripts that do nothing for a service: they prepare the build tool and start the command."""


class Runtime(Fact, frozen=True):
    """The program that runs code of this language."""

    programs: list[str] = []
    """Names of its executables (glob patterns)."""
    trees: list[str] = []
    """Paths that make up the interpreter (glob patterns), kept together."""
    unneeded: list[str] = []
    """Parts of the trees that only a build or a developer uses (glob patterns); what was opened is kept."""
    static_files: list[str] = []
    in_slim: bool = False
    """The slim bases have the same trees without compilers: a base without any takes them from there."""
    bare: list[str] = []
    """Templates of bare distributions on which such a tree runs, tried before the slim bases."""
    drawing_libraries: list[str] = []
    """Libraries (glob patterns of file names) that may draw text, for which a small base has no fonts."""
    drawing_classes: list[str] = []
    """Names in compiled classes that say the same."""


class BuildTools(Fact, frozen=True):
    """Packages that serve the build only, and how to remove them."""

    packages: list[str] = []
    """Names of those that base images bring."""
    installers: list[str] = []
    """Names of those that a Dockerfile installs to install others, or to check them."""
    opened_always: list[str] = []
    """Files of theirs that the interpreter opens at every start (glob patterns over the whole path)."""
    remove: str = ""
    """Command with {packages}."""
    remove_elsewhere: str = ""
    """The same for an {environment} that the service runs in."""


class Accelerator(Fact, frozen=True):
    """Packages that only a graphics processor uses, and how an installer gets the builds without them."""

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
    """Regular expression: an argument or a line of a manifest in which the author chose a build himself."""
    asked: str
    """Regular expression: a file that says how to run the image asks for the accelerator."""
    asked_in: list[str]
    """Endings of the names of such files."""
    used: str
    """Regular expression: a source that cannot do without."""


class Bytecode(Fact, frozen=True):
    """What an interpreter makes of sources at every start, unless it is in the image."""

    sources: str
    """Regular expression: sources of its own library and of packages; group 1 is the folder that they belong to."""
    cached: str
    """Regular expression on the names beside: the bytecode of {name}."""
    folder: str
    """The folder beside a source that holds its bytecode."""
    command: str
    """Shell command with {files}, in their folder."""
    clear: str
    """Shell command that removes, in the interpreter's own folder, what was made while packages were installed."""
    off_variables: list[str] = []
    """Variables that keep it at another place."""


class SystemPackages(Fact, frozen=True):
    """A system package manager, as a final stage uses it."""

    distributions: list[str]
    """What ID or ID_LIKE of /etc/os-release says."""
    install: str
    """Shell command with {packages}."""
    add_user: str = ""
    """Shell command with {user}: a group and a user of that number, called app, with a home folder."""
    database: list[str] = []
    """Paths of its own state, which a run does not need."""
    build_tools: list[str] = []
    """Names (glob patterns) of packages that serve a build only."""
    data: list[str] = []
    """Names (glob patterns) of packages that hold data only: they come along where they are recommended."""
    generated: list[str] = []
    """Beginnings of paths below /etc that installation scripts write."""


class WebServer(Fact, frozen=True):
    """A web server that may serve the files of a built site in the place of a program of the site's own language."""

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


class Ecosystem(Fact, frozen=True):
    """One folder's facts: a language or a system package manager."""

    name: str
    title: str
    static_only: bool = False
    """Its rules could not be tried by a real build; nothing that rests on them is claimed proven by us."""
    manifests: list[str] = []
    """Files that tell that a project is of this ecosystem."""
    sources: list[str] = []
    """Files that a developer edits most (glob patterns)."""
    installed: list[str] = []
    """Names of folders that hold installed packages and nothing of the author's ("node_modules")."""
    settings: list[str] = []
    """Paths of the image (glob patterns, `~` is the home folder of any user) where its tools find settings."""
    steering: list[str] = []
    """Variables (glob patterns over the whole ENV) that say where a build puts things or finds them."""
    versions: list[str] = []
    """Files of a working directory by which installers choose a version ("rust-toolchain.toml")."""
    variables: list[str] = []
    """Names (glob patterns) of variables that lead its tools to settings, certificates and packages."""
    compiles_with: list[str] = []
    """Names (glob patterns) among them that say how it compiles: they are nothing to a step that only fetches."""
    program: list[Program] = []
    brings_files: list[str] = []
    """Commands that bring files from elsewhere, of which nothing is known."""
    compiles: list[str] = []
    """Commands that make programs which a kernel starts by themselves (glob patterns of the program)."""
    plain_bases: list[str] = []
    """Further base images (glob patterns) that start as root, with /root as home, and set no variable of a cache."""
    other_bases: list[str] = []
    """Images (glob patterns of names without their registry) that are called as one of these, and are not so."""
    manager: list[Manager] = []
    made: list[Made] = []
    stray: list[Stray] = []
    reads_git: list[str] = []
    """Words of sources and manifests that read version control data."""
    hook: list[Hook] = []
    """Code of manifests in JSON that runs on install and is known (`scripts`)."""
    launcher: list[Launcher] = []
    drop: list[Drop] = []
    state: list[State] = []
    spare: list[Spare] = []
    base: list[Base] = []
    runtime: Runtime = Runtime()
    build_tools: BuildTools = BuildTools()
    bytecode: Bytecode | None = None
    accelerator: Accelerator | None = None
    system: SystemPackages | None = None
    distroless: list[DistrolessImage] = []
    web_server: WebServer | None = None


@cache
def builtin_ecosystems() -> tuple[Ecosystem, ...]:
    """The ecosystems that come with imgopt, by name."""
    folder = files("imgopt.strategies.ecosystems")
    found = sorted((item for item in folder.iterdir() if (item / FACTS).is_file()), key=lambda item: item.name)
    return tuple(_read((item / FACTS).read_text(encoding="utf-8"), f"{item.name}/{FACTS}") for item in found)


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
