"""heavy-light: packages that are large and seldom change are installed in a step of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.managers import Subset
from imgopt.dockerfile import Dockerfile, Edit, Instruction, Stage
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.stages import from_words
from imgopt.image.packages.names import plain_name
from imgopt.rewrite.lines.base_name import image_text
from imgopt.rewrite.lines.layout import new_step
from imgopt.rewrite.lines.paths import join
from imgopt.rewrite.lines.steps import files_copy, script_of, source_copy, workdir_at
from imgopt.rewrite.order.install_commands import Install, recognise
from imgopt.rewrite.order.manifests_read import named_manifests
from imgopt.rewrite.order.reorder import begin
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy
from imgopt.strategies.heavy_light_examples import EXAMPLES

STAGE = "heavy-packages"
_LIST, _PART = "/tmp/all-packages.txt", "/tmp/heavy-packages.txt"
_ROW = 70
"""Characters of names, about, on a line."""
_HARMLESS = ("COPY", "ADD", "WORKDIR", "LABEL", "EXPOSE")
"""What may stand between the COPY of the list and the installation."""


@dataclass(frozen=True, slots=True)
class _Site:
    """An installation of a list: where it stands and what it reads."""

    stage: Stage
    run: Instruction
    command: Command
    commands: tuple[Command, ...]
    install: Install
    subset: Subset


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """The first installation of a list of packages in the stage that ships."""
    if STAGE in situation.dockerfile.stages.named:
        return
    for site in _sites(situation):
        if isinstance(site, Skip):
            yield site
            continue
        found = _split(situation, site)
        if found is not None:
            yield found
            return


def _sites(situation: Situation) -> Iterator[_Site | Skip]:
    ecosystems = situation.project.ecosystems
    for stage in situation.stage.chain:
        for run in stage.instructions:
            commands = script_of(situation.dockerfile, run).commands if run.keyword == "RUN" else ()
            for command in commands:
                install = recognise([value or "" for value in command.values], ecosystems)
                if install is None:
                    continue
                if install.manager.subset is not None and named_manifests(install):
                    yield _Site(stage, run, command, commands, install, install.manager.subset)
                elif install.manager.whole and install.ecosystem.heavy:
                    yield Skip(
                        f"`{install.words[0]}` installs no part by itself: {install.manager.whole}",
                        run.line,
                    )


def _split(situation: Situation, site: _Site) -> Change | Skip | None:
    """None where there is nothing to gain."""
    words = _words(site)
    if isinstance(words, str):
        return Skip(words, site.run.line)
    copy = _copy_of(situation, site)
    if copy is None:
        return Skip(
            f"no COPY of the same stage is known to bring {named_manifests(site.install)[0]}",
            site.run.line,
        )
    source, instruction = copy
    text = situation.project.context.text(source)
    heavy, light = _parted(text, site.subset, site.install.ecosystem)
    if not heavy or not light:
        return None
    refused = _refused(situation, site, instruction, source, text)
    if refused:
        return Skip(refused, site.run.line)
    names = f"{heavy[0]}" if len(heavy) == 1 else f"{heavy[0]} and {len(heavy) - 1} more"
    return Change(
        f"{names} of {source}: large and seldom raised; in a layer of their own they are pulled"
        " again only when they change themselves",
        site.run.line,
        _edits(situation, site, instruction, source, words),
    )


def _parted(text: str, subset: Subset, ecosystem: Ecosystem) -> tuple[list[str], list[str]]:
    """Names of pinned heavy packages, and of all others, in the list's order."""
    heavy: list[str] = []
    light: list[str] = []
    for line in text.splitlines():
        pinned = re.match(subset.pinned, line)
        named = pinned or re.match(r"([A-Za-z0-9][\w.-]*)", line)
        if named is None:
            continue
        name = plain_name(named[1])
        fits = pinned and any(fnmatchcase(name, glob) for glob in ecosystem.heavy)
        (heavy if fits else light).append(name)
    return heavy, light


def _words(site: _Site) -> list[str] | str:
    """The command's words without the list; or what of them does not allow two steps."""
    subset, command = site.subset, site.command
    if len(named_manifests(site.install)) != 1:
        return "several lists are installed at once: what is pinned in one may be wanted in another"
    if not _is_first(site):
        return "commands in front of the installation prepare it, or go on where it fails"
    start = len(command.words) - len(site.install.arguments)
    kept = [_source(site, 0, start)]
    index = start
    while index < len(command.words):
        word = command.values[index] or ""
        name = word.partition("=")[0]
        taken = 2 if name in (*subset.lists, *subset.value_options) and "=" not in word else 1
        if name in subset.lists or word.startswith(subset.lists[0]):
            index += taken
            continue
        if name not in subset.value_options and not _allowed(word, subset.options):
            return f"`{word}` stands beside the list: two steps may install something else"
        kept.append(_source(site, index, min(index + taken, len(command.words))))
        index += taken
    return kept


def _allowed(word: str, options: Iterable[str]) -> bool:
    return any(fnmatchcase(word, glob) for glob in options)


def _is_first(site: _Site) -> bool:
    """Whether the installation is the first command of its step, which fails where it does."""
    command = site.command
    return (
        all(other.operator in ("", "&&") and not other.conditional for other in site.commands)
        and command.operator == ""
        and not command.conditional
        and not command.negated
        and not command.redirections
        and command.cwd == "."
        and command.span.start <= site.run.value_span.start + 1
    )


def _source(site: _Site, first: int, last: int) -> str:
    """Words as the author wrote them, on one line."""
    span = site.command.span.start if first == 0 else site.command.words[first].span.start
    text = site.run.text[span : site.command.words[last - 1].span.end]
    return re.sub(r"\s*[\\`]\r?\n\s*", " ", text)


def _copy_of(situation: Situation, site: _Site) -> tuple[str, Instruction] | None:
    """The list's path in the context, and the last COPY that brings it."""
    dockerfile, context = situation.dockerfile, situation.project.context
    place = join(workdir_at(dockerfile.scope_at(site.run)), named_manifests(site.install)[0])
    found = None
    for item in site.stage.instructions:
        if item.span.start > site.run.span.start:
            break
        copy = source_copy(dockerfile, item, context) or files_copy(dockerfile, item, context, ())
        path = copy.in_context(place) if copy is not None else None
        if path in context.sizes and path is not None:
            found = path, item
    return found


def _refused(situation: Situation, site: _Site, copy: Instruction, source: str, text: str) -> str:
    """Why two steps may not install what one does; "" where they do."""
    subset, run = site.subset, site.run
    line = re.search(subset.unless_lines, text, re.MULTILINE)
    if line is not None:
        return f"{source} has a line that is read from where it lies: `{line[0].strip()}`"
    between = [
        item
        for item in site.stage.instructions
        if copy.span.start < item.span.start < run.span.start and item.keyword not in _HARMLESS
    ]
    if between:
        return f"line {between[0].line} stands between the COPY of {source} and its installation"
    scope = situation.dockerfile.scope_at(run)
    said = [*scope.env, *(assignment.name for assignment in site.command.assignments)]
    steered = [name for name in said if _allowed(name, subset.unless_variables)]
    if steered:
        return f"with {steered[0]} the second step would not keep what the first installs"
    if _counts_stages(situation.dockerfile):
        return "a COPY or mount names a stage by its number, and there would be one more in front"
    return "" if re.fullmatch(r"[\w./@+-]+", source) else f"{source}: a name that needs quotes"


def _counts_stages(dockerfile: Dockerfile) -> bool:
    return any(
        one.number and str(one.word).isdigit()
        for stage in dockerfile.stages
        for item in stage.instructions
        for one in from_words(item)
    )


def _edits(
    situation: Situation, site: _Site, copy: Instruction, source: str, words: Sequence[str]
) -> tuple[Edit, ...]:
    dockerfile, eol = situation.dockerfile, situation.dockerfile.eol
    subset = site.subset
    root = site.stage.root.start
    platform = "".join(f"{root.text[flag.span.start : flag.span.end]} " for flag in root.flags)
    stage = (
        f"FROM {platform}{image_text(site.stage)} AS {STAGE}{eol}"
        f"COPY {source} {_LIST}{eol}"
        f"{_splitting(dockerfile, site)}{eol}{eol}"
    )
    flags = "".join(f"{site.run.text[flag.span.start : flag.span.end]} " for flag in site.run.flags)
    option = "" if subset.option in words else f" {subset.option}"
    mount = f"--mount=type=bind,from={STAGE},source={_PART},target={_PART} "
    step = f"RUN {mount}{flags}{' '.join(words)}{option} {subset.lists[0]} {_PART}"
    before, at = begin(site.stage.start), begin(copy)
    text = new_step(dockerfile, step, like=site.run) + eol
    return Edit(before, before, stage), Edit(at, at, text)


def _splitting(dockerfile: Dockerfile, site: _Site) -> str:
    """The step that parts the list. A row of names ends in the middle of a word of the shell, so
    the next one has no indent."""
    more = f"{dockerfile.escape}{dockerfile.eol}"
    rows = [""]
    for glob in site.install.ecosystem.heavy:
        if len(rows[-1]) > _ROW:
            rows.append("")
        rows[-1] += f"|{_pattern(glob)}"
    names = more.join(rows).removeprefix("|")
    text = site.subset.split.replace("{list}", _LIST).replace("{part}", _PART)
    return "RUN " + f" {more}    ".join(text.splitlines()).replace("{names}", names)


def _pattern(glob: str) -> str:
    """A name as an extended regular expression: `-`, `_` and `.` are one letter in names."""
    return glob.replace("-", "[-_.]").replace("*", "[a-z0-9._-]*")


STRATEGY = Strategy(
    name="heavy-light",
    does="Gives large, seldom raised packages their own layer.",
    why=(
        "A list of packages is installed in one step: when one small package of it is raised, all"
        " of them are pushed and pulled again, the large ones with it. Two steps make two layers."
        " Which packages are large is a table of names, and the list is parted in the build: a"
        " package stays in its layer whatever else changes, and later edits of the list need no"
        " edit of the Dockerfile. Only what is pinned to one version goes ahead, without its"
        " dependencies; the author's own command follows, finds it installed, and adds the rest."
        " `imgopt fleet layout` says how much it moves on your own history."
    ),
    safety="suggestion",
    variants=("safe",),
    doubt=87,
    references=(
        "https://pip.pypa.io/en/stable/cli/pip_install/",
        "https://docs.docker.com/build/cache/invalidation/",
    ),
    rewrite=rewrite,
    examples=EXAMPLES,
    refuses=(
        "Managers that install all of a lock file or nothing; several lists at once; packages,"
        " options or variables with which what is installed is not kept; a list with local paths,"
        " includes or constraints; steps between the COPY of the list and its installation; stages"
        " that are named by their number."
    ),
)
