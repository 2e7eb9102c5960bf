"""A folder of packages that is copied over that of a base must not leave two versions of one
package there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from recipes import Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.image.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.checks.language_packages import check_language_packages
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.final.build_tools import outdated_in_base
from imgopt.rewrite.strategy import ContextFiles, Project, Situation

SITE = "/usr/local/lib/python3.11/site-packages"


def packages(site: str = SITE, **versions: str) -> dict[str, str]:
    found = {}
    for name, version in versions.items():
        found[f"{site}/{name}/__init__.py"] = f"version = {version!r}\n"
        about = f"{site}/{name}-{version}.dist-info"
        found[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        found[f"{about}/RECORD"] = f"{name}/__init__.py,,\n"
    return found


def image(*layers: Mapping[str, str]) -> Recipe:
    return Recipe(tuple((f"RUN {number}", layer) for number, layer in enumerate(layers)), {})


def without(layer: dict[str, str], *names: str) -> dict[str, str]:
    """Whiteouts for the metadata of these."""
    return {**layer, **{f"{SITE}/.wh.{name}": "" for name in names}}


BASE = packages(pip="24.0", wheel="0.45")
UPGRADED = without(packages(pip="26.3", flask="3.0"), "pip-24.0.dist-info")
CANDIDATES = {
    "copied over the base's": (
        image(BASE, packages(pip="26.3", flask="3.0")),
        "twice: 24.0 and 26.3",
    ),
    "the base's removed before": (
        image(BASE, without({}, "pip-24.0.dist-info"), packages(pip="26.3", flask="3.0")),
        "",
    ),
    "another folder": (
        image(BASE, UPGRADED, packages("/app/venv/lib/python3.11/site-packages", pip="23.1")),
        "",
    ),
}


@pytest.mark.parametrize(("candidate", "said"), CANDIDATES.values(), ids=CANDIDATES)
def test_two_versions_in_one_folder_refute(
    view_of: Callable[..., ImageView], candidate: Recipe, said: str
) -> None:
    check = check_language_packages(
        view_of(image(BASE, UPGRADED), 1), view_of(candidate, 1), Allowances()
    )
    assert (check.verdict, [item.message.rpartition(" is in ")[2] for item in check.items]) == (
        ("failed", [f"{SITE} {said}"]) if said else ("passed", [])
    )


def test_what_the_original_has_twice_may_stay_so(view_of: Callable[..., ImageView]) -> None:
    both = image(BASE, packages(pip="26.3"))
    assert (
        check_language_packages(view_of(both, 1), view_of(both, 1), Allowances()).verdict
        == "passed"
    )


OUTDATED = {
    "upgraded": (UPGRADED, "pip uninstall --yes pip"),
    "the base's own": (packages(flask="3.0"), ""),
    "in another folder": (packages("/app/venv/lib/python3.11/site-packages", pip="26.3"), ""),
}


@pytest.mark.parametrize(("layer", "command"), OUTDATED.values(), ids=OUTDATED)
def test_an_older_package_of_the_base_is_removed_first(
    view_of: Callable[..., ImageView],
    image_of: Callable[[Recipe], Image],
    layer: dict[str, str],
    command: str,
) -> None:
    evidence = Evidence(view_of(image(BASE, layer), 1), SystemPackages())
    project = Project(ContextFiles(Path("/nowhere"), {}), builtin_ecosystems(), evidence=evidence)
    assert (
        outdated_in_base(Situation(project, parse("FROM python:3.11\n")), image_of(image(BASE)))
        == command
    )
