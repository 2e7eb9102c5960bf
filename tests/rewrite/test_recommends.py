"""recommends with measured facts: what came along, how much it is, and what speaks against leaving
it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from recipes import Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.draft import Draft, new_draft, run_strategy
from imgopt.rewrite.evidence import Evidence, Seen
from imgopt.rewrite.gather import system_packages
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.registry import find_strategy

TEXT = "FROM debian:12\nRUN apt-get update && apt-get install -y curl\n"
BASE = {"libc6": ("", 1000), "tzdata": ("", 500)}
NEW = {
    "curl": ("libcurl4 (>= 7)", 2_000_000),
    "libcurl4": ("libc6", 1_000_000),
    "ca-certificates": ("openssl", 300_000),
    "openssl": ("libc6", 700_000),
    "publicsuffix": ("", 100_000),
}
"""Package -> what it depends on, bytes. curl depends on libcurl4, and recommends the last three."""


def layer(packages: Iterable[str]) -> dict[str, str]:
    """The package database with these packages, and a file of each."""
    known = {**BASE, **NEW}
    status = [f"Package: {one}\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"
              f"Depends: {known[one][0]}\n" for one in packages]  # fmt: skip
    files = {"var/lib/dpkg/status": "\n".join(status)}
    for one in packages:
        files |= {
            f"usr/lib/{one}/data": "x" * known[one][1],
            f"var/lib/dpkg/info/{one}.list": f"/usr/lib/{one}/data\n",
        }
    return files


def recommends(
    view_of: Callable[..., ImageView], folder: Path, opened: Iterable[str] = (), text: str = TEXT,
    packages: Iterable[str] = NEW, manual: Iterable[str] = ("curl",),
) -> Draft:  # fmt: skip
    packages, by_hand = list(packages), set(manual)
    states = "\n".join(
        f"Package: {one}\nAuto-Installed: 1\n" for one in packages if one not in by_hand
    )
    second = {**layer([*BASE, *packages]), "var/lib/apt/extended_states": states}
    second = {
        path: data for path, data in second.items() if not any(f"/{one}" in path for one in BASE)
    }
    view = view_of(
        Recipe((("ADD rootfs", layer(BASE)), ("RUN apt-get install -y curl", second)), {}), 1
    )
    seen = Seen(opened=frozenset(opened))
    evidence = Evidence(view, system_packages(view.tree, 1), seen)
    project = Project(
        ContextFiles(folder, {}),
        builtin_ecosystems(),
        evidence=evidence,
        allow=frozenset(["recommends"]),
    )
    return run_strategy(new_draft(text), find_strategy("recommends"), project)


def test_what_came_only_as_recommended_is_measured_largest_first(
    view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    draft = recommends(view_of, tmp_path, ["/usr/lib/curl/data", "/usr/lib/libcurl4/data"])
    assert "apt-get install --no-install-recommends -y curl" in draft.text
    (change,) = draft.changes
    assert change.because.startswith(
        "3 packages of 1.1 MB come only as recommended (openssl, ca-certificates, publicsuffix)"
    )


@pytest.mark.parametrize("path", ["/usr/lib/ca-certificates/data", "/usr/lib/openssl/data"])
def test_what_the_service_opened_speaks_against_it(
    view_of: Callable[..., ImageView], tmp_path: Path, path: str
) -> None:
    draft = recommends(view_of, tmp_path, [path])
    assert draft.text == TEXT
    name = path.split("/")[3]
    assert [skip.reason for skip in draft.skips] == [
        f"the service opened files of {name}, which is only recommended"
    ]


def test_where_nothing_came_along_nothing_changes(
    view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    draft = recommends(view_of, tmp_path, packages=["curl", "libcurl4"])
    assert (draft.text, [skip.reason for skip in draft.skips]) == (
        TEXT,
        ["no package came along as recommended"],
    )


def test_what_is_asked_for_by_hand_or_by_name_is_not_only_recommended(
    view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    draft = recommends(view_of, tmp_path, manual=["curl", "ca-certificates"])
    assert "publicsuffix of 0.1 MB comes only as recommended" in draft.changes[0].because
    text = TEXT.replace(
        "install -y curl", "install -y curl openssl=1 publicsuffix:amd64 ca-certificates"
    )
    draft = recommends(view_of, tmp_path, text=text)
    assert (draft.text, [skip.reason for skip in draft.skips]) == (
        text,
        ["no package came along as recommended"],
    )


def test_the_bases_own_packages_are_not_counted(
    view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    assert "tzdata" not in recommends(view_of, tmp_path).changes[0].because


def test_the_authors_own_word_is_the_last_one(
    view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    text = TEXT.replace("install -y", "install -y --install-recommends")
    draft = recommends(view_of, tmp_path, text=text)
    assert draft.text == text
    assert "says what becomes of recommended packages" in draft.skips[0].reason
