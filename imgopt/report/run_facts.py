"""How run facts are shown, on one screen: what counts in a sentence, then a line for each thing,
and the next command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgopt.report.command import command_line, words_of
from imgopt.report.common import safe_markdown, safe_terminal, table_markdown
from imgopt.report.run_facts_words import headline, missing, side_by_side, watched
from imgopt.results.run_facts import ImageFacts, RunFacts, Setting

if TYPE_CHECKING:
    from rich.console import RenderableType

_KEPT = "--output=json:"
_LEVELS = {"error": "bold red", "warning": "yellow", "note": "dim"}


def text(result: RunFacts) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.layout import Words

    parts: list[RenderableType] = []
    for image in result.images:
        head = Words.assemble(
            (safe_terminal(_name(image, result)), "bold"), f": {safe_terminal(headline(image))}"
        )
        parts += [head, Words(f"  {safe_terminal(watched(image))}", style="dim")]
    parts += [Words(""), _table(result.images)]
    for image in result.images:
        parts += [Words(safe_terminal(line), style="yellow") for line in _missing(image, result)]
    parts += settings_text(result)
    parts += [Words(""), Words(f"Next: {next_command(result)}", style="bold")]
    return Group(*parts)


def _table(images: Sequence[ImageFacts]) -> RenderableType:
    from imgopt.report.layout import Column, Grid

    alone = len(images) == 1
    names = ["" if alone else safe_terminal(image.name) for image in images]
    rows = [
        (name, *(safe_terminal(text) for text in texts)) for name, texts in side_by_side(images)
    ]
    return Grid([Column(), *(Column(name, wraps=True) for name in names)], rows)


def settings_text(result: RunFacts) -> list[RenderableType]:
    """What would be better set otherwise, the worst first."""
    from imgopt.report.layout import Words

    return [
        Words.assemble(
            (f"{setting.rule} {setting.level}: ", _LEVELS.get(setting.level, "")),
            safe_terminal(setting_text(setting)),
        )
        for image in result.images
        for setting in image.settings
    ]


def setting_text(setting: Setting) -> str:
    """A proposal in a sentence, with what it rests on."""
    said = setting.message
    said += f" ({setting.evidence})" if setting.evidence else ""
    fix = f"{setting.name}={setting.value}" if setting.name else setting.fix
    return f"{said}: {fix}" if fix else said


def _name(image: ImageFacts, result: RunFacts) -> str:
    return image.reference if len(result.images) == 1 else image.name


def _missing(image: ImageFacts, result: RunFacts) -> list[str]:
    prefix = f"{image.name}: " if len(result.images) > 1 else ""
    return [f"not measured: {prefix}{line}" for line in missing(image)]


def next_command(result: RunFacts) -> str:
    """Ready to paste: files for a cluster from what was measured; what has to be kept for that; or,
    for what does not start, the same with what it lacks."""
    words = words_of(result.arguments, result.context or _reference(result), result.dockerfile)
    again = command_line("run-facts", words)
    if any(image.runs < 2 and "start" in image.not_measured for image in result.images):
        return safe_terminal(f"{again} --env NAME=VALUE   (say what it needs to start)")
    kept = next((word for word in words if word.startswith(_KEPT)), "")
    if not kept:
        return safe_terminal(
            f"{again} {_KEPT}facts.json   (what `imgopt deploy` writes files from)"
        )
    return safe_terminal(command_line("deploy", "kubernetes", "--facts", kept.removeprefix(_KEPT)))


def _reference(result: RunFacts) -> str:
    return result.images[0].reference if result.images else "."


def markdown(result: RunFacts) -> str:
    """For a pull request."""
    names = [image.name for image in result.images]
    rows = [
        (safe_markdown(name), *(safe_markdown(text) for text in texts))
        for name, texts in side_by_side(result.images)
    ]
    notes = [
        f"- not measured: {safe_markdown(line)}"
        for image in result.images
        for line in missing(image)
    ]
    notes += [
        f"- {safe_markdown(f'{one.rule} {one.level}: {setting_text(one)}')}"
        for image in result.images
        for one in image.settings
    ]
    heads = [
        f"**{safe_markdown(_name(image, result))}** {safe_markdown(headline(image))}"
        f" ({safe_markdown(watched(image))})"
        for image in result.images
    ]
    parts = [
        "## What running it shows",
        *heads,
        table_markdown(("", *(safe_markdown(name) for name in names)), rows),
        "\n".join(notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
