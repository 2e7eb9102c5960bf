"""What a later edit of a project looks like in a language: where a line goes that uses something
new, and how that is written down. Texts are templates in {name}."""

from __future__ import annotations

from imgopt.context.facts.fact import Fact


class StartedFile(Fact, frozen=True):
    """How the source that runs first is found. The first that finds one file decides."""

    words: str = ""
    """Regular expression over the start (its words with blanks between them, then the variables of
    the image, NAME=VALUE, one a line); the group `file` names the source."""
    listed: str = ""
    """`FILE: PATTERN`: a manifest that says what the words (as {file}) stand for, in a group
    `file`; without `words` it says so by itself."""
    holds: str = ""
    """Regular expression: the text of the source that has the main function. Of several the one
    counts whose folder or name the start names."""
    dotted: bool = False
    """The name is that of a module: dots are folders."""
    built: bool = False
    """The name is that of what a build made: folders in front are left out until a source fits."""
    endings: list[str] = []
    """What the source ends in, tried in order in the place of the name's own ending."""


class LaterSource(Fact, frozen=True):
    """Sources of one form, and how each kind of use is written in them.

    Templates know {id} (a word that no other edit has), {folder} (of the source, with `/`, or ""),
    {package} (what `package` matched), {module} (the dotted name of the folder, with `.`, or ""),
    {root} (the project's folder, as {folder}), {listed} (what `listed` matched).
    """

    files: list[str]
    """Names of files (glob patterns)."""
    when: str = ""
    """Regular expression that the text holds."""
    after: str = ""
    """Regular expression: a line goes behind what it matches first. "": no line is put into the
    source, a file of its own says all (`own`)."""
    own: str = ""
    """The path of a file that is built together with the source and runs before its main
    function."""
    own_text: str = ""
    """Its text, of {use}."""
    package: str = ""
    """Regular expression: the line that says to what the source belongs."""
    listed: str = ""
    """`FILE: PATTERN`: what a manifest above says, as the group `name`."""
    data: str = ""
    """Reads the file {path}, and fails loudly where it is not there. "": it reads no files."""
    program: str = ""
    """Runs {program} with the words {words} ("a", "b", ...), and fails loudly."""
    uses: str = "{use}"
    """Uses a package, by the {use} of the dependency."""
    module: dict[str, str] = {}
    """Files of a new module or package -> their texts."""
    module_use: str = ""
    """Uses it."""
    module_end: str = ""
    """What stands at the end of the source for it."""


class LaterDependency(Fact, frozen=True):
    """A package that registries serve, small and without dependencies of its own."""

    kind: str
    """pure; compiled (it has parts for this machine alone); program (it brings one)."""
    name: str
    version: str
    group: str = ""
    use: str = ""
    """What uses it in a source."""
    program: str = ""
    """The program, as a start finds it."""
    words: list[str] = []
    """With these it says something, and ends well."""


class DependencyLine(Fact, frozen=True):
    """How a manifest gets a dependency; the first that fits."""

    file: str
    """Name of the manifest (glob pattern)."""
    when: str = ""
    """Regular expression that its text holds."""
    after: str = ""
    """Regular expression: the line goes behind what it matches first. "": `command` writes it."""
    line: str = ""
    """Of {name}, {version}, {group}."""
    unless: str = ""
    """Regular expression of manifests that a line alone does not do for."""
    unless_said: str = ""
    locks: dict[str, str] = {}
    """Lock files that have to follow -> the shell command that has them follow, run beside the
    manifests in the stage of the original that has `program`."""
    program: str = ""


class ProjectVersion(Fact, frozen=True):
    """Where the version of the project stands: the group `version` of a pattern."""

    file: str
    pattern: str
    name: str = ""
    """Where the project's name stands: the group `name`."""
    also: dict[str, str] = {}
    """Further files -> where it stands there, if it does; of {name} and {version}."""
    in_names: str = ""
    """Regular expression of {version}: where it is a part of a name that a Dockerfile says."""


class Lives(Fact, frozen=True):
    """Ordinary later edits of a project of this language."""

    started: list[StartedFile] = []
    source: list[LaterSource] = []
    dependency: list[LaterDependency] = []
    dependency_line: list[DependencyLine] = []
    version: list[ProjectVersion] = []
    base_versions: list[str] = []
    """Versions of its bases, as tags say them, in order."""
    browser_folders: list[str] = []
    """Names of folders whose files go to browsers as they are."""
    browser_endings: list[str] = []
    """Endings of files by which such a folder is known."""
    browser_files: dict[str, str] = {}
    """New files for browsers -> their texts."""
