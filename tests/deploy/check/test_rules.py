"""Each rule finds what its examples say, on their lines, and nothing in those that are good."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.deploy.check.kit import check_rule
from imgopt.deploy.check.rule import Rule
from imgopt.deploy.check.rules import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.id}-{rule.name}")
def test_the_examples_of_a_rule_hold(rule: Rule, tmp_path: Path) -> None:
    check_rule(rule, tmp_path)


def test_rules_have_numbers_and_names_of_their_own_and_more_good_examples_than_bad() -> None:
    assert len({rule.id for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)
    assert sum(len(rule.good) for rule in RULES) > sum(len(rule.bad) for rule in RULES)
