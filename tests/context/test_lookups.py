"""What the proof misses, a rewrite keeps: each has facts of its own, and those of the proof are
known to the other."""

from __future__ import annotations

import re

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.lookups import Table

FACTS = builtin_ecosystems()


def test_each_table_that_the_proof_misses_is_kept_by_a_rewrite() -> None:
    kept = {path for one in FACTS for table in one.looked_up for path in table.paths}
    missed = {path for one in FACTS for table in one.must_stay for path in table.paths}
    assert missed <= kept


def test_each_compiler_that_the_proof_misses_is_kept_by_a_rewrite() -> None:
    kept = {path for one in FACTS for fact in one.compiled_at_run_time for path in fact.needs}
    missed = {path for one in FACTS for fact in one.must_compile for path in fact.needs}
    assert missed <= kept


def _has_a_condition(table: Table) -> bool:
    asked = (table.named, table.packages, table.programs, table.opened)
    return any(asked) or table.if_part_opened


def test_each_of_these_facts_has_a_source_and_can_hold() -> None:
    tables = [table for one in FACTS for table in (*one.looked_up, *one.must_stay)]
    compiled = [fact for one in FACTS for fact in (*one.compiled_at_run_time, *one.must_compile)]
    assert all(fact.source.startswith("https://") for fact in (*tables, *compiled))
    assert all(_has_a_condition(table) for table in tables)
    assert all(re.compile(fact.named.encode()) for fact in (*tables, *compiled))
