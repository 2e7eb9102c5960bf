"""recommends: system packages without those that they only recommend."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.image.packages.model import Package
from imgopt.rewrite.lines.layout import add_commands
from imgopt.rewrite.lines.options import verb_index
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import recognise
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every installation of the stage that ships, as one change: it is the whole image that is
    measured."""
    if situation.final is not None:
        return
    found = [
        (run, manager, command)
        for run in _runs(situation)
        for manager, command in _installs(situation, run)
    ]
    edits = [edit for run in _runs(situation) for edit in _edits(situation, run, found)]
    if not edits:
        return
    first = found[0][0]
    said = next(
        (text for run in _runs(situation) for text in _said(situation, run, found[0][1])), ""
    )
    if said:
        yield Skip(f"`{said}` says what becomes of recommended packages", first.line)
        return
    brought = _only_recommended(situation, [command for _, _, command in found])
    if brought is not None:
        opened = next((package for package in brought if _is_opened(situation, package)), None)
        if opened is not None:
            yield Skip(
                f"the service opened files of {opened.name}, which is only recommended", first.line
            )
            return
        if not brought:
            yield Skip("no package came along as recommended", first.line)
            return
    yield Change(_because(brought), first.line, tuple(edits))


def _runs(situation: Situation) -> list[Instruction]:
    return [
        item
        for part in situation.stage.chain
        for item in part.instructions
        if item.keyword == "RUN"
    ]


def _installs(situation: Situation, run: Instruction) -> Iterator[tuple[Manager, Command]]:
    script = script_of(situation.dockerfile, run)
    if script.unknown or run.json is not None or run.heredocs:
        return
    for command in script.commands:
        install = recognise([value or "" for value in command.values], situation.project.ecosystems)
        if install is None or not install.manager.no_recommends or install.manager.static_only:
            continue
        if any(value in install.manager.recommends_for for value in command.values):
            yield install.manager, command


def _said(situation: Situation, run: Instruction, manager: Manager) -> Iterator[str]:
    """Words in which the author speaks of them: the option, its opposite, or a setting."""
    for command in script_of(situation.dockerfile, run).commands:
        for word in command.words:
            text = word.value or word.text
            if (
                any(one in text for one in manager.recommends_said)
                and text != manager.no_recommends
            ):
                yield text[:60]


def _edits(
    situation: Situation, run: Instruction, found: list[tuple[Instruction, Manager, Command]]
) -> tuple[Edit, ...]:
    words = []
    for item, manager, command in found:
        if item is run and manager.no_recommends not in command.values:
            at = command.words[verb_index(manager, command)].span.end
            words.append(Edit(at, at, f" {manager.no_recommends}"))
    return add_commands(situation.dockerfile, run, [], words) if words else ()


def _only_recommended(situation: Situation, commands: list[Command]) -> list[Package] | None:
    """Packages that the installations brought and that nothing asked for needs, largest first;
    None: not measured."""
    evidence = situation.evidence
    if evidence is None:
        return None
    installed = [one for one in evidence.all_packages if one.name in evidence.packages.installed]
    added = [one for one in installed if one.layer >= evidence.base_layers]
    named = {
        (value or "").partition("=")[0].partition(":")[0]
        for command in commands
        for value in command.values
    }
    wanted = {one.name for one in added if one.name in named or one.auto is False}
    needed = evidence.packages.with_dependencies(wanted)
    return sorted(
        (one for one in added if one.name not in needed), key=lambda one: (-one.bytes, one.name)
    )


def _is_opened(situation: Situation, package: Package) -> bool:
    evidence = situation.evidence
    return evidence is not None and any(
        evidence.owner(path) == package.name for path in evidence.opened
    )


def _because(brought: list[Package] | None) -> str:
    if brought is None:
        return (
            "packages come without those that they only recommend; `imgopt optimize` measures how"
            " much that is"
        )
    names = ", ".join(package.name for package in brought[:6]) + (", …" if len(brought) > 6 else "")
    size = sum(package.bytes for package in brought) / 1e6
    if len(brought) == 1:
        return f"{names} of {size:.1f} MB comes only as recommended: nothing asked for needs it"
    return (
        f"{len(brought)} packages of {size:.1f} MB come only as recommended ({names}): nothing"
        " asked for needs them"
    )


STRATEGY = Strategy(
    name="recommends",
    does="Installs system packages without recommended ones.",
    why=(
        "apt installs what a package recommends along with what it depends on: documentation,"
        " helpers, other programs. Most services need none of it, some do without saying so: it is"
        " made only when it is asked for, and proven."
    ),
    safety="suggestion",
    doubt=5,
    references=(
        "https://www.debian.org/doc/debian-policy/ch-relationships.html",
        "https://docs.docker.com/build/building/best-practices/#apt-get",
    ),
    rewrite=rewrite,
    refuses=(
        "A Dockerfile that speaks of recommended packages itself (an option, apt.conf), a service"
        " that opened files of one, an image into which none came."
    ),
    table=(
        (
            (
                "`--no-install-recommends` behind the verb of each installation of the stage that"
                " ships"
            ),
            "written",
        ),
        (
            "a package that the smoke run opened a file of, and that is only recommended",
            "all stays",
        ),
        ("an option or a setting of the author", "stays, and is the last word"),
        ("here-documents, the exec form, scripts that cannot be read", "stay"),
    ),
    examples=(
        Example(
            "apt-get",
            before="FROM debian:12\nRUN apt-get update && apt-get install -y curl\n",
            after=(
                "FROM debian:12\nRUN apt-get update && apt-get install --no-install-recommends -y"
                " curl\n"
            ),
        ),
        Example(
            "each installation",
            before=(
                "FROM d\nRUN apt install a\nRUN apt-get -y install b && apt-get install"
                " --no-install-recommends c\n"
            ),
            after=(
                "FROM d\nRUN apt install --no-install-recommends a\nRUN apt-get -y install"
                " --no-install-recommends b && apt-get install --no-install-recommends c\n"
            ),
        ),
        Example(
            "said in apt's settings",
            before=(
                "FROM d\nRUN echo 'APT::Install-Recommends 0;' > /etc/apt/apt.conf.d/a\nRUN apt-get"
                " install b\n"
            ),
            after=None,
            refused="says what becomes",
        ),
        Example(
            "wanted",
            before="FROM d\nRUN apt-get install --install-recommends b\n",
            after=None,
            refused="says what",
        ),
        Example(
            "there", before="FROM d\nRUN apt-get install --no-install-recommends b\n", after=None
        ),
        Example(
            "no installation",
            before="FROM d\nRUN apt-get update && apt-get upgrade -y\n",
            after=None,
        ),
    ),
)
