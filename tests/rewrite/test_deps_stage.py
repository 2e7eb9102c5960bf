"""What is installed above the source comes from a stage that ends there, where nothing behind the
source touches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from recipes import Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import apply_edits, parse
from imgopt.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.final.fates import Carved
from imgopt.rewrite.final.final_stage import Copy, FinalStage
from imgopt.rewrite.strategy import Change, ContextFiles, Project, Repairs, Situation
from imgopt.strategies.deps_stage import STRATEGY

SITE = "/usr/local/lib/python3.11/site-packages"
PIP = "RUN /bin/sh -c pip install --no-cache-dir -r requirements.txt # buildkit"
PREPARE = "RUN /bin/sh -c python prepare.py # buildkit"
LARGE = "x" * 6_000_000
Layers = Mapping[str, Mapping[str, str]]
LAYERS: Layers = {
    "FROM": {"etc/ssl/openssl.cnf": "1"},
    "COPY requirements.txt ./ # buildkit": {"app/requirements.txt": "flask"},
    PIP: {f"{SITE}/flask.py": LARGE},
    "COPY . . # buildkit": {"app/main.py": "1"},
    PREPARE: {"app/index": "2"},
}
GOOD = """\
FROM python:3.11 AS builder
WORKDIR /app
COPY requirements.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
# the service
COPY . .
RUN python prepare.py
"""
COPIES = (
    Copy(("/etc/ssl/openssl.cnf",), "/etc/ssl/openssl.cnf"),
    Copy((SITE,), SITE),
    Copy(("/app",), "/app"),
)


def divided(
    image_of: Callable[[Recipe], Image],
    text: str = GOOD,
    layers: Layers = LAYERS,
    copies: tuple[Copy, ...] = COPIES,
    early: tuple[str, ...] = (),
    prepare: tuple[str, ...] = (),
    repairs: tuple[str, ...] = (),
) -> tuple[str, FinalStage] | None:
    image = image_of(Recipe(tuple(layers.items()), {"WorkingDir": "/app"}))
    files = ContextFiles(Path("/nowhere"), {"requirements.txt": 2, "main.py": 5})
    project = Project(
        files,
        builtin_ecosystems(),
        evidence=Evidence(ImageView(image, base_layers=1), SystemPackages()),
        repairs=Repairs(paths=repairs),
    )
    final = FinalStage(
        "builder", "base", True, Carved({}, {}), copies=copies, early=early, prepare=prepare
    )
    found = [*STRATEGY.rewrite(Situation(project, parse(text), final))]
    if not found:
        return None
    (change,) = found
    assert isinstance(change, Change)
    assert change.final is not None
    new = apply_edits(text, change.edits)
    assert not parse(new).errors
    return new, change.final


def stages(final: FinalStage) -> list[str]:
    return [copy.stage for copy in final.copies]


def test_the_builder_ends_where_the_source_comes(image_of: Callable[[Recipe], Image]) -> None:
    found = divided(image_of)
    assert found is not None
    text, final = found
    assert text == GOOD.replace("AS builder", "AS packages").replace(
        "# the service\n", "\nFROM packages AS builder\n# the service\n"
    )
    assert stages(final) == ["packages", "packages", ""]


def test_our_own_steps_move_to_a_stage_beside_it(image_of: Callable[[Recipe], Image]) -> None:
    prepare = (f"cd {SITE} && python3 -m compileall flask.py", "rm -rf /app/tests")
    found = divided(image_of, prepare=prepare)
    assert found is not None
    text, final = found
    assert (
        f"FROM packages AS production\n# hadolint ignore=DL3003\nRUN {prepare[0]}\n\nFROM packages AS builder\n"
        in text
    )
    assert stages(final) == ["production", "production", ""]
    assert final.prepare == ("rm -rf /app/tests",)


def test_what_is_early_stays_above(image_of: Callable[[Recipe], Image]) -> None:
    text = GOOD.replace("RUN python prepare.py\n", "")
    layers = {step: files for step, files in LAYERS.items() if "prepare" not in step}
    found = divided(image_of, text, layers, early=(f"rm -rf {SITE}/pip",))
    assert found is not None
    assert f"requirements.txt\nRUN rm -rf {SITE}/pip\n\nFROM packages AS builder\n" in found[0]
    assert (found[1].early, stages(found[1])) == ((), ["packages", "packages", ""])


def test_a_stage_that_does_nothing_above_the_source_uses_the_one_it_goes_on_from(
    image_of: Callable[[Recipe], Image],
) -> None:
    text = GOOD.replace("AS builder", "AS deps").replace(
        "# the service\n", "FROM deps AS builder\n"
    )
    found = divided(image_of, text)
    assert found is not None
    assert found[0] == text
    assert stages(found[1]) == ["deps", "deps", ""]


REFUSED: Mapping[str, tuple[str, Layers, dict[str, tuple[str, ...]]]] = {
    "a later step writes into the packages": (GOOD, {**LAYERS, PREPARE: {f"{SITE}/made.py": "1"}}, {}),
    "a later step removes some of them": (GOOD, {**LAYERS, PREPARE: {f"{SITE}/.wh.pip": ""}}, {}),
    "a proof asked for something there": (GOOD, LAYERS, {"repairs": (f"{SITE}/x",)}),
    "a new step that may write anywhere": (GOOD + "RUN somebody --does this\n", LAYERS, {}),
    "a new step that writes there": (GOOD + f"RUN touch {SITE}/x\n", LAYERS, {}),
    "a command that concerns the source too": (GOOD, LAYERS, {"prepare": (f"rm -rf {SITE}/pip /app/tests",)}),
    "the source comes first": (
        "FROM python:3.11 AS builder\nCOPY . .\nRUN pip install --no-cache-dir -r requirements.txt\n", LAYERS, {},
    ),
    "little is installed": (GOOD, {**LAYERS, PIP: {f"{SITE}/flask.py": "1"}}, {}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "layers", "more"), REFUSED.values(), ids=REFUSED)
def test_it_stays_whole(
    image_of: Callable[[Recipe], Image], text: str, layers: Layers, more: dict[str, tuple[str, ...]]
) -> None:
    found = divided(image_of, text, layers, **more)  # type: ignore[arg-type]
    assert found is None or SITE not in [c.sources[0] for c in found[1].copies if c.stage]
