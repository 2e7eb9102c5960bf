"""What a package manager is told, reads, lays down and leaves behind."""

from __future__ import annotations

from imgopt.context.facts.fact import Fact


class CacheFolder(Fact, frozen=True):
    """A folder of a manager's cache, and for whom it is there."""

    folder: str
    """As the tool finds it, of variables and fallbacks: `${GOMODCACHE:-${GOPATH:-~/go}/pkg/mod}`;
    `~` is the home."""
    used_by: list[str] = []
    """Commands that read or fill it; none: every one of the manager's."""
    bases: list[str] = []
    """Base images (glob patterns of the name's last part) that have it there; none: all that are
    known."""
    when: list[str] = []
    """`FILE: TEXT`, all of which must hold in the context: which version of the manager it is, and
    how it is set."""
    unless: list[str] = []
    """Files and folders of the context with which nothing is downloaded: the project has its
    dependencies with it."""
    unless_said: list[str] = []
    """Options that say the same."""
    static_only: bool = False
    """A mount there could not be tried, or where the folder is depends on what is not known: it is
    told, never made."""
    among_installed: bool = False
    """It lies in a folder of installed packages: who copies that folder does not mean it."""
    locked: bool = False
    """Two builds at a time would disturb each other in it: one waits for the other."""
    follows: list[str] = []
    """Variables that may move it: they name the tool's own home, and the cache goes where they
    say."""


class PackageLists(Fact, frozen=True):
    """What a package manager fetches once and reads in later steps: where it is removed, those
    steps may fail."""

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
    """How to see that a lock file lacks a dependency: an installation writes it, and a COPY behind
    it puts it back."""

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
    """`FILE: PATTERN`, one of which must hold in the image, by lines, for this to be the right
    command; none: it is."""


class Subset(Fact, frozen=True):
    """How a manager installs those packages of a list that are pinned to one version, and nothing
    else, so that the same command for the whole list finds them installed and leaves them so."""

    option: str
    """Takes no dependencies beside what is listed ("--no-deps")."""
    lists: list[str]
    """Options that name the list, the shortest first."""
    options: list[str]
    """Options (glob patterns) with which this holds, for both steps."""
    pinned: str
    """Regular expression: a line of a list pins the package of group 1, and nothing newer can come
    for it."""
    split: str
    """Shell command, on lines that may stay lines: from {list} into {part} the lines that say where
    packages come from, and the pinned ones of packages whose names fit {names}, an extended
    regular expression."""
    unless_lines: str
    """Regular expression: a line of a list with which this does not hold."""
    value_options: list[str] = []
    """Those whose value is the next word."""
    unless_variables: list[str] = []
    """Variables with which an installation does not keep what is installed."""


class Manager(Fact, frozen=True):
    """One package manager: which commands install, what they read, what they leave behind."""

    name: str
    commands: list[str] = []
    """Words that a command begins with, for instance "npm ci"; options may stand between them."""
    static_only: bool = False
    """What it would need where its step moves could not be tried by a real build: it is told, never
    made."""
    manifests: list[str] = []
    """Files that the command must find in its working directory (glob patterns)."""
    optional: list[str] = []
    """Files and folders that it reads when they are there."""
    folders: dict[str, list[str]] = {}
    """Folders that it reads as a whole where they hold a file of one of these names (glob
    patterns)."""
    settings: list[str] = []
    """Which of these are settings (glob patterns of names): what they name in the context is read
    as well."""
    above: list[str] = []
    """`FILE: TEXT`: a file in a folder above, or beside the manifest, which makes it a member of
    something larger."""
    ready: list[str] = []
    """Files that tell that the dependencies are in the context already."""
    adds: list[str] = []
    """Those of its commands that write the packages which they name into the manifest ("npm
    install")."""
    adds_not_with: list[str] = []
    """Options with which they do not."""
    changes_with: list[str] = []
    """Options with which an installation changes the lock file, which a COPY behind it would put
    back."""
    locks: Locks | None = None
    """The lock file of a manager that compares it with the manifest at every later command."""
    value_options: list[str] = []
    """Options whose value is the next word, and no package."""
    everywhere: list[str] = []
    """Options, or whole commands, that install a program for the machine and not for the
    project."""
    everywhere_reads: list[str] = []
    """What such an installation reads in its working directory."""
    everywhere_tools: list[str] = []
    """Such programs (glob patterns) that the project's own steps would use as well."""
    scripts: list[str] = []
    """Commands that run scripts of the project: these find the project's own programs before those
    of the machine."""
    path_options: list[str] = []
    """Options that name a folder or a file to read, where it is no manifest."""
    everywhere_below: list[str] = []
    """Options that make it install for every project below the folder, where none of
    `workspace_files` says which."""
    workspace_files: list[str] = []
    target_options: list[str] = []
    """Options that name where to install to."""
    steers: list[str] = []
    """Options that say where a build command reads and writes, or what it builds: a fetch would
    have to follow them."""
    lays: list[str] = []
    """What an installation makes beside the manifest: the same from this machine, copied later,
    would lie over it."""
    lays_variables: list[str] = []
    """Variables that say where it makes that."""
    lays_named: dict[str, str] = {}
    """Names of files that are read (glob patterns) -> a regular expression: group 1 is a folder
    that is filled."""
    lays_not_with: list[str] = []
    """Options with which it leaves files of these names as they are, but not folders."""
    manifest_options: list[str] = []
    """Options whose value is a manifest, for instance "-r"."""
    rather: list[str] = []
    """Files that take the place of the manifests where they are there (a solution names its
    projects)."""
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
    """Regular expression: a line of a manifest that names members, whose manifests are read too
    (package.json)."""
    fetch: str = ""
    """Command that fetches the dependencies from the manifests alone; an option: the install
    command with it."""
    needs_lock: bool = False
    """Whether `fetch` is of no use without a lock file."""
    fetch_before: list[str] = []
    """Words of the commands before which `fetch` helps, for instance "go build"."""
    fetch_unless: str = ""
    """Regular expression: an argument with which such a command builds something else than the
    project."""
    fetch_options: list[str] = []
    """Beginnings of options that `fetch` takes over from the build command, for instance "-P"."""
    fetch_project: str = ""
    """Shell command that installs what the metadata of the project declare, {lists} of them, where
    {install} installs the project itself; {python} is the interpreter beside it."""
    fetch_project_base: str = ""
    """Regular expression: base images whose interpreter can read the metadata."""
    manifest_option: list[str] = []
    """Options that name the manifest of a build command, for instance "-f"."""
    stub: str = ""
    """The ecosystem whose language (`imgopt.rewrite.language`) knows the layout of the sources: the
    build command itself runs ahead on the least source that builds."""
    stub_refuses: str = ""
    """Regular expression: settings with which it would build or look elsewhere."""
    unstub: list[str] = []
    """Paths of what is built from the stub of a {package}: removed, for the real source may look
    older."""
    caches: list[str] = []
    """Folders of the manager's cache; `~` is the home folder."""
    cache: list[CacheFolder] = []
    """Folders that a build may keep between runs by a cache mount, where this is known to be
    safe."""
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
    """Commands that say so for all that follow (regular expressions over words parted by single
    blanks)."""
    shared_by_steps: bool = False
    """Any command of its programs may read what an earlier step downloaded: all of a stage get the
    mount, or none. So it is with each that has `fetch_before`."""
    starts_built: str = ""
    """Regular expression over a start's words: the program builds nothing there (`dotnet
    shop.dll`)."""
    needs_cache: list[str] = []
    """Commands, of whatever program, that read from the cache what they do not fetch: it has to be
    in a layer."""
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
    """Command that removes the cache at the end of the same step; {program}: the one that the step
    itself called."""
    clean_after: list[str] = []
    """Words of the command that fetches package lists: without one in the step, `clean` has nothing
    to remove."""
    clean_when: list[str] = []
    """`FILE: TEXT`, one of which must hold in the context for `clean` to be right; none: it always
    is."""
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
    subset: Subset | None = None
    whole: str = ""
    """Why no part of what it installs can be a layer of its own."""
