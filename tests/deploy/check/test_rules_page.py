"""docs/deploy-rules.md has the table that the rules make."""

from __future__ import annotations

from pathlib import Path

from imgopt.deploy.check.rules import RULES
from imgopt.report.deploy_rules import table

PAGE = Path(__file__).parents[3] / "docs" / "deploy-rules.md"


def test_the_page_has_every_rule_as_it_is() -> None:
    assert table(RULES) in PAGE.read_text()


def test_the_pages_say_how_many_there_are() -> None:
    for page in (PAGE.parents[1] / "CHANGELOG.md", PAGE.parent / "deploy.md"):
        assert f"against {len(RULES)} rules" in " ".join(page.read_text().split())
