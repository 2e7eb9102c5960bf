"""What loses requests on a real node is predicted: eight changes of a Deployment that loses none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from imgopt.deploy.check.examples import facts, stop
from imgopt.deploy.check.rule import Image as ImageOfRule
from imgopt.deploy.check.run import check
from imgopt.errors import EnvironmentFailure
from imgopt.image import Image, Memory, open_image
from imgopt.image.recipe import write_image
from imgopt.results.run_facts import ImageFacts, RunFacts

from .check_known import IMAGES

GOOD = (Path(__file__).parent / "files" / "good" / "whole-deployment.yaml").read_text()
STARTUP = GOOD[GOOD.index("          startupProbe") : GOOD.index("          readinessProbe")]
READINESS = GOOD[GOOD.index("          readinessProbe") : GOOD.index("          livenessProbe")]
PRE_STOP = GOOD[GOOD.index("          lifecycle") : GOOD.index("          resources")]
DRAINS = facts(stops=[stop(in_flight=4, finished=4, refused=2, seconds=1.5)])


def found(
    text: str, folder: Path, image: ImageOfRule | None = None, known: ImageFacts | None = None
) -> Sequence[str]:
    """Rules that find something, but for those that only note."""
    path = folder / "shop.yaml"
    path.write_text(text)
    images, measured = [], []
    if image is not None:
        write_image(folder / "image.tar", (("COPY . .", image.files),), image.config)
        images.append(f"shop={folder / 'image.tar'}")
    if known is not None:
        (folder / "facts.json").write_bytes(msgspec.json.encode(RunFacts(images=[known])))
        measured.append(f"shop={folder / 'facts.json'}")

    def opened(reference: str) -> Image:
        if not reference.endswith(".tar"):
            raise EnvironmentFailure(f"the engine has no image {reference}")
        return open_image(reference, memory=Memory(None))

    result = check([path], images, measured, opened)
    return [one.id for one in result.findings if one.level != "note"]


def changed(*pairs: tuple[str, str]) -> str:
    text = GOOD
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_nothing_is_predicted_for_the_one_that_loses_none(tmp_path: Path) -> None:
    assert found(GOOD, tmp_path) == []
    assert found(GOOD, tmp_path, IMAGES["image"], DRAINS) == []


@pytest.mark.parametrize("known", [None, DRAINS], ids=["files", "measured"])
def test_no_readiness(known: ImageFacts | None, tmp_path: Path) -> None:
    text = changed((STARTUP, ""), (READINESS, ""))
    assert "D15" in found(text, tmp_path, known=known)


def test_no_drain_and_no_pre_stop(tmp_path: Path) -> None:
    cuts = facts(stops=[stop(in_flight=4, finished=1, cut=3, refused=1, exit_code=143)])
    assert found(changed((PRE_STOP, "")), tmp_path) == ["D19"]
    assert found(changed((PRE_STOP, "")), tmp_path, known=cuts) == ["D21", "D19"]


def test_drains_and_no_pre_stop(tmp_path: Path) -> None:
    assert found(changed((PRE_STOP, "")), tmp_path, known=DRAINS) == ["D19"]


def test_goes_on_listening_by_itself_and_no_pre_stop(tmp_path: Path) -> None:
    listens = facts(stops=[stop(in_flight=4, finished=9, seconds=3.2)])
    assert found(changed((PRE_STOP, "")), tmp_path, known=listens) == []


def test_grace_too_short(tmp_path: Path) -> None:
    text = changed(
        ("GracePeriodSeconds: 30", "GracePeriodSeconds: 4"), ("seconds: 5", "seconds: 3")
    )
    assert found(text, tmp_path) == ["D20"]
    slow = facts(longest_answer_seconds=8.0, stops=DRAINS.stops)
    assert found(text, tmp_path, known=slow) == ["D20"]
    assert found(GOOD, tmp_path, known=slow) == []


def test_liveness_gives_up_before_the_start_is_over(tmp_path: Path) -> None:
    text = changed(
        (STARTUP, ""), ("livenessProbe:\n", "livenessProbe:\n            periodSeconds: 1\n")
    )
    assert found(text, tmp_path) == ["D8"]
    assert found(text, tmp_path, known=DRAINS) == ["D8"]


def test_user_by_name(tmp_path: Path) -> None:
    text = changed(("        runAsUser: 65532\n", ""))
    assert found(text, tmp_path, IMAGES["named"]) == ["D3"]
    assert found(text, tmp_path, IMAGES["image"]) == []


def test_probe_program_that_is_not_there(tmp_path: Path) -> None:
    http = "            httpGet:\n              path: /readyz\n              port: http\n"
    text = changed((http, "            exec:\n              command: [curl, localhost]\n"))
    assert found(text, tmp_path, IMAGES["image"]) == ["D1"]


def test_limit_below_the_peak(tmp_path: Path) -> None:
    text = GOOD.replace("memory: 256Mi", "memory: 128Mi")
    assert found(text, tmp_path, known=DRAINS) == ["D6"]


WRITTEN = {
    "limit below the peak": (
        "memory: 256Mi\n          securityContext",
        "memory: 128Mi # measured: peak 212 MiB x 1.15, 60 s of load\n          securityContext",
        "D6",
    ),
    "startup probe shorter than the start": (
        "          startupProbe:\n",
        "          # measured: 3 x the worst of 4 starts (31 s)\n          startupProbe:\n",
        "D8",
    ),
    "grace shorter than an answer": (
        "GracePeriodSeconds: 30",
        "GracePeriodSeconds: 30 # measured: 5 s of drain + longest answer 41.2 s + 5 s",
        "D20",
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_was_measured_stands_beside_the_figure_of_a_written_file(
    name: str, tmp_path: Path
) -> None:
    old, new, rule = WRITTEN[name]
    text = changed((old, new)).replace(
        "memory: 256Mi\n            limits", "memory: 64Mi\n            limits"
    )
    assert found(text, tmp_path) == [rule]
