"""pin-digest writes the digest that it is told, beside the tag, in builders and in the carved
stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imgopt.rewrite.draft import new_draft, run_strategy
from imgopt.rewrite.final.fates import Carved
from imgopt.rewrite.final.final_stage import FinalStage
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies import pin_digest

DIGESTS = {"python:3.11": "sha256:" + "1" * 64, "host:5000/team/base": "sha256:" + "2" * 64}


def test_every_base_gets_the_digest_of_its_registry(tmp_path: Path) -> None:
    text = "FROM python:3.11 AS a\nRUN x\nFROM host:5000/team/base\nCOPY --from=a /x /x\nCOPY --from=local /y /y\n"
    project = Project(
        ContextFiles(tmp_path, {}), (), digest=DIGESTS.get, allow=frozenset(["pin-digest"])
    )
    once = run_strategy(new_draft(text), pin_digest.STRATEGY, project)
    first, second = DIGESTS.values()
    assert once.text.startswith(
        f"FROM python:3.11@{first} AS a\nRUN x\nFROM host:5000/team/base@{second}\n"
    )
    assert run_strategy(new_draft(once.text), pin_digest.STRATEGY, project).text == once.text


def test_an_image_of_this_machine_is_refused(tmp_path: Path) -> None:
    project = Project(ContextFiles(tmp_path, {}), (), digest=DIGESTS.get)
    draft = run_strategy(new_draft("FROM mine:1\nRUN x\n"), pin_digest.STRATEGY, project)
    assert draft.text == "FROM mine:1\nRUN x\n"
    assert "no digest of a registry" in draft.skips[0].reason


def test_the_carved_stage_is_pinned_too(tmp_path: Path) -> None:
    project = Project(ContextFiles(tmp_path, {}), (), digest=DIGESTS.get)
    final = FinalStage(builder="builder", base="python:3.11", shell=True, carved=Carved({}, {}))
    draft = replace(new_draft("FROM python:3.11 AS builder\nRUN x\n"), final=final)
    done = run_strategy(draft, pin_digest.STRATEGY, project)
    assert done.final is not None
    assert done.final.base == f"python:3.11@{DIGESTS['python:3.11']}"
