"""Pages about the rules of `imgopt deploy check`, from the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding

from imgopt.deploy.check.examples import marked
from imgopt.deploy.check.rule import Case, Rule
from imgopt.report.common import safe_markdown, table_markdown
from imgopt.report.layout import Column, Grid, Listing, Words

_NEEDS = {"image": "needs the image", "facts": "needs run facts"}


def listing(rules: Iterable[Rule]) -> RenderableType:
    """One line each."""
    rows = [(f"  {one.id}", one.name, one.level, one.title) for one in rules]
    grid = Grid((Column(), Column(), Column(), Column(wraps=True)), rows)
    return Group(grid, Words(""), Words("Next: imgopt deploy check --rules D5", style="bold"))


def page(rule: Rule) -> RenderableType:
    """What it finds and why, files of both kinds, where it comes from."""
    needs = ", ".join(_NEEDS[one] for one in rule.needs) or "from the files alone"
    parts: list[RenderableType] = [
        Words(f"{rule.id} {rule.name} ({rule.level}; {needs})", style="bold"),
        Words(rule.title),
        Padding(Words(rule.why), (0, 0, 1, 0)),
    ]
    parts += [_case("Found", case) for case in rule.bad]
    parts += [_case("Good", case) for case in rule.good]
    parts += [Words("References", style="bold"), Words(f"  {rule.reference}")]
    return Group(*parts)


def _case(word: str, case: Case) -> RenderableType:
    lines = case.text.splitlines()
    here = marked(case)
    listed = [(f"    {line}", "red" if n == here else "") for n, line in enumerate(lines, 1)]
    parts: list[RenderableType] = [Words(f"{word}: {case.name}", style="bold"), Listing(listed)]
    if case.image is not None:
        said = ", ".join(f"{key} {value}" for key, value in case.image.config.items())
        has = ", ".join(case.image.files) or "nothing"
        parts.append(Words(f"    (the image: {said + '; ' if said else ''}{has})", style="dim"))
    if case.facts is not None:
        parts.append(Words("    (with what a run of the image showed)", style="dim"))
    return Padding(Group(*parts), (0, 0, 1, 0))


def table(rules: Iterable[Rule]) -> str:
    """All of them, for the documentation."""
    rows = [
        (
            one.id,
            f"`{one.name}`",
            one.level,
            safe_markdown(one.title),
            " and ".join(one.needs) or "",
        )
        for one in rules
    ]
    return table_markdown(("", "rule", "level", "what it finds", "needs"), rows)
