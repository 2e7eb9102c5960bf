"""How a proof of deployment files is shown."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from imgopt.report import deploy_proof
from imgopt.results.deploy import Case, DeployFinding, DeployProof, Second, Tier

UPDATE = Case(
    name="rolling update",
    verdict="failed",
    requests=2848,
    failed=67,
    detail="67 of 2,848 requests failed: refused 67 (67 release 2)",
    seconds=31.4,
    by_second=[
        Second(second=0, answers={"release 1": 80}),
        Second(second=1, answers={"release 1": 40, "release 2": 10}, failed=30),
        Second(second=2, answers={"release 2": 79}),
    ],
)
RESULT = DeployProof(
    verdict="failed",
    message="rolling update: 67 of 2,848 requests failed",
    files=["web.yaml"],
    tiers=[
        Tier(number=1, name="schemas", verdict="passed", detail="3 objects"),
        Tier(number=2, name="API server", verdict="not measured", detail="no API server"),
    ],
    cases=[
        UPDATE,
        Case(name="node drain", verdict="not measured", detail="the cluster has one node"),
    ],
    findings=[
        DeployFinding(
            id="schema",
            level="error",
            message="unknown field | <b>\x1b[31m",
            file="web.yaml",
            line=7,
            object="Deployment/web",
        )
    ],
)


def shown(result: DeployProof, width: int = 100) -> str:
    target = StringIO()
    Console(file=target, width=width, color_system=None, highlight=False).print(
        deploy_proof.text(result), crop=False
    )
    return target.getvalue()


def test_the_terminal_shows_the_verdict_the_tiers_and_each_trial() -> None:
    text = shown(RESULT)
    assert text.startswith("failed: rolling update: 67 of 2,848 requests failed")
    assert "not measured: the cluster has one node" in text
    assert "web.yaml:7 error Deployment/web" in text


def test_seconds_are_a_line_for_each_release_with_failures_marked() -> None:
    lines = list(deploy_proof.picture(UPDATE))
    assert lines[1:] == [
        " release 1  █▄·",
        " release 2  ·▁█",
        "    failed  ·✗·",
    ]


def test_a_good_update_of_one_release_has_no_picture() -> None:
    from msgspec.structs import replace

    calm = replace(UPDATE, failed=0, by_second=[Second(second=0, answers={"all": 80})])
    assert list(deploy_proof.picture(calm)) == []


def test_names_of_files_cannot_write_into_the_terminal_or_a_table() -> None:
    assert "\x1b" not in shown(RESULT)
    markdown = deploy_proof.markdown(RESULT)
    assert "<b>" not in markdown and "\x1b" not in markdown
    assert "| rolling update | **failed** | 2,848 | 67 |" in markdown


def test_what_is_next_says_what_is_missing() -> None:
    from msgspec.structs import replace

    missing = replace(RESULT, verdict="not measured", cases=[], findings=[])
    assert deploy_proof.next_step(missing) == "no API server"
