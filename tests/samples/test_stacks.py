"""The samples that are more than one image: read as their files say, run with their companions, and
refuted where a variant loses what only a companion shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imgopt.cli.found import settled
from imgopt.cli.options import BuildOptions, RequestOptions, SmokeOptions
from imgopt.compose.companions import beside_of
from imgopt.compose.finding import find_all
from imgopt.config import Config
from imgopt.engine import Session, configured
from imgopt.image import open_image
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.trial import Trial, watch
from imgopt.run.settings import configured_settings

SAMPLES = Path(__file__).parents[2] / "samples"
TABLE = SAMPLES.parent / "build" / "bases.toml"


def of(sample: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Config]:
    if TABLE.is_file():
        monkeypatch.setenv("IMGOPT_BASES", str(TABLE))
    return settled(SAMPLES / sample, BuildOptions(), SmokeOptions(), RequestOptions())


def test_notes_stack_has_a_database_a_migration_and_a_cache(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    context, config = of("notes-stack", monkeypatch)
    assert context.name == "api"
    found = beside_of(config)
    assert found is not None and found.hidden == ("/srv",)
    assert config.smoke.env["NOTES_PER_PAGE"] == "20"
    said = capsys.readouterr().err
    assert "the service api is built from api/Dockerfile" in said
    assert "db (postgres:15), migrate (the same image, to its end), cache (redis:7)" in said


def test_agent_chat_has_a_store_a_memory_and_a_model_that_is_answered_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, config = of("agent-chat", monkeypatch)
    settings = configured_settings(config, context)
    assert settings.beside is not None
    assert [one.name for one in settings.beside.companions] == ["store", "memory"]
    assert {one.host for one in settings.answers} == {"api.model.example"}
    assert [one.streams for one in settings.answers] == [False, True]


@pytest.mark.engine
def test_shop_bake_has_three_targets_out_of_one_folder() -> None:
    found = find_all(SAMPLES / "shop-bake")
    assert [one.name for one in found] == ["api", "report", "worker"]
    assert {one.build.context for one in found} == {SAMPLES / "shop-bake"}
    assert [one.build.target for one in found] == ["api", None, "worker"]


BROKEN = {
    "notes-stack": {
        "libpq": ("RUN rm $(ldconfig -p | grep -o '/.*libpq.so.5')", "GET :8000/health"),
        "the migration": ("RUN rm -r migrations/versions", "GET :8000/notes"),
    },
    "agent-chat": {
        "the library that streams": ("RUN pip uninstall -y httpx-sse", "POST :8080/chat"),
    },
}


@pytest.mark.engine
@pytest.mark.parametrize("sample", BROKEN)
def test_a_stack_is_proven_as_it_is_and_refuted_without_what_only_others_need(
    sample: str,
    session: Session,
    base: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base("python:3.11"), base("postgres:15"), base("redis:7")
    context, config = of(sample, monkeypatch)
    settings = configured_settings(config, context)
    request = replace(configured(context, config), dockerfile=Path(config.build.file or ""))
    built = session.build(request)
    original = ImageView(open_image(built.image_id or ""))
    runs = watch(session, original, settings)
    assert runs[0].started and len(runs) == 2, (runs[0].reason, runs[0].log_tail)
    assert all(answer.status and answer.status < 300 for answer in runs[0].answers if answer.probe.source == "user")
    trial = Trial(session, original, runs, settings)
    assert {run.reached for run in runs} == {frozenset(runs[0].companions)}
    same = trial.judge(original, Allowances())
    assert {one.name: one.verdict for one in same.checks if one.verdict == "failed"} == {}
    for lost, (line, said) in BROKEN[sample].items():
        text = f"FROM {built.reference}\n{line}\n"
        other = session.build(replace(request, dockerfile=text, target=None))
        judged = trial.judge(ImageView(open_image(other.image_id or "")), Allowances())
        shown = "\n".join(str(item) for one in judged.checks for item in one.items)
        assert judged.verdict == "refuted" and said in shown, (lost, shown)
