from __future__ import annotations

from collections.abc import Callable

import pytest
from run_facts_examples import ignoring_facts, job_facts, jvm_facts, web_facts

from imgopt.results import from_json, to_json
from imgopt.results.run_facts import RunFacts


@pytest.mark.parametrize("make", [web_facts, ignoring_facts, jvm_facts, job_facts])
def test_what_is_written_is_read_again(make: Callable[[], RunFacts]) -> None:
    facts = make()
    assert from_json(to_json(facts), RunFacts) == facts
