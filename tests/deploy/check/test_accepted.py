"""A comment with a reason accepts a finding on its line, or in the object below it."""

from __future__ import annotations

from pathlib import Path

from imgopt.deploy.check.examples import deployment
from imgopt.deploy.check.run import check
from imgopt.errors import EnvironmentFailure
from imgopt.image import Image
from imgopt.results.deploy import DeployCheck

LATEST = deployment("resources: {limits: {memory: 1Gi}}\n").replace("shop:1.4", "shop:latest")


def checked(text: str, folder: Path, name: str = "web.yaml") -> DeployCheck:
    def nothing_here(reference: str) -> Image:
        raise EnvironmentFailure(f"the engine has no image {reference}")

    (folder / name).write_text(text)
    return check([folder / name], open_=nothing_here)


def ids(result: DeployCheck) -> list[str]:
    return [one.id for one in result.findings]


def test_on_the_line_and_on_the_line_above(tmp_path: Path) -> None:
    word = "# imgopt: ignore D34 because the registry has one"
    for text in (
        LATEST.replace("shop:latest", f"shop:latest  {word}"),
        LATEST.replace("          image", f"          {word}\n          image"),
    ):
        result = checked(text, tmp_path)
        assert ids(result) == ["D31"]
        assert [(one.finding.id, one.because) for one in result.accepted] == [
            ("D34", "the registry has one")
        ]


def test_above_an_object_it_holds_for_all_of_it_and_for_no_other(tmp_path: Path) -> None:
    word = "# imgopt: ignore D34, D31 because a demonstration\n"
    two = word + LATEST + "---\n" + LATEST.replace("name: web", "name: other")
    result = checked(two, tmp_path)
    assert sorted(one.finding.id for one in result.accepted) == ["D31", "D34"]
    assert {one.object for one in result.findings} == {"Deployment/other"}


def test_above_a_service_of_compose(tmp_path: Path) -> None:
    text = (
        "services:\n  # imgopt: ignore D34 because it is only for development\n"
        "  web:\n    image: shop\n  db:\n    image: db\n"
    )
    result = checked(text, tmp_path, "compose.yaml")
    assert [one.object for one in result.findings] == ["service db"]


def test_without_a_reason_nothing_is_accepted(tmp_path: Path) -> None:
    for word in ("# imgopt: ignore D34", "# imgopt: ignore", "# imgopt:ignore D34 because"):
        result = checked(LATEST.replace("latest", f"latest  {word}"), tmp_path)
        assert sorted(ids(result)) == ["D0", "D31", "D34"]
        assert not result.accepted


def test_a_comment_that_accepts_nothing_any_more_is_told(tmp_path: Path) -> None:
    result = checked(LATEST.replace("latest", "1  # imgopt: ignore D34 because old"), tmp_path)
    (told,) = [one for one in result.findings if one.id == "D0"]
    assert (told.level, told.fix) == ("note", "strike the comment")


def test_another_rule_stays(tmp_path: Path) -> None:
    text = LATEST.replace("latest", "latest  # imgopt: ignore D33 because of another thing")
    assert "D34" in ids(checked(text, tmp_path))
