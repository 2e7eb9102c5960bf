"""The page of `imgopt/rewrite/1`."""

from __future__ import annotations

from imgopt.report.view import Section, View
from imgopt.report.views import sections
from imgopt.results.rewrite import RewriteResult, StaticVariant


def view(result: RewriteResult) -> View:
    changes = sum(len(variant.changes) for variant in result.variants)
    return View(
        title=result.dockerfile,
        kind="rewrite",
        level="bad" if result.findings else "neutral",
        word="unproven",
        headline=f"{changes} changes from text alone"
        if changes
        else "Nothing can be changed from the text alone",
        rule="Nothing was built: `imgopt optimize` builds, runs and proves.",
        tiles=[],
        sections=[
            *sections.findings_section(result.findings),
            *(part for variant in result.variants for part in _dockerfile(result, variant)),
            *sections.refusals_section(
                [(one.name, skip) for one in result.variants for skip in one.skips]
            ),
        ],
        raw=sections.raw_result(result),
    )


def _dockerfile(result: RewriteResult, variant: StaticVariant) -> list[Section]:
    names = (result.dockerfile, f"Dockerfile.{variant.name}")
    ident, title = f"dockerfile-{variant.name}", f"The Dockerfile, side by side ({variant.name})"
    return sections.dockerfile_section(
        result.original, variant.dockerfile, names, variant.changes, ident, title
    )
