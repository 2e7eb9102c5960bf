"""A file with several names weighs once, and is saved only when its last name goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from image.crafting import Item, config, docker_archive, f, hard, sym, tar

from analysis.test_findings import analysis, one
from imgopt.analysis import analyze
from imgopt.bench.figures import waterfalls
from imgopt.ci.facts import Facts, image_facts
from imgopt.ci.measures import Sides, live_files, path_measure
from imgopt.ci.rebuild import Rebuild
from imgopt.ci.settings import Budget, Rule
from imgopt.image import Image, open_image
from imgopt.image.memory import Memory
from imgopt.results.analysis import Analysis

M = 1_000_000
SITE = "usr/lib/python3/site-packages"
UV = "root/.cache/uv/archive-v0/AbC"
PNPM = "root/.local/share/pnpm/store/v10/files/ab"
META = f(f"{SITE}/pk-1.0.dist-info/METADATA", b"Name: pk\nVersion: 1.0\n")
RECORD = f(f"{SITE}/pk-1.0.dist-info/RECORD", b"pk/big.so,,\npk-1.0.dist-info/METADATA,,\n")

STAY: dict[str, list[Item]] = {
    "uv's cache, linked into site-packages": [
        f(f"{UV}/pk/big.so", 3 * M), hard(f"{SITE}/pk/big.so", f"{UV}/pk/big.so"), META, RECORD,
    ],
    "the same, with the installed name first": [
        f(f"{SITE}/pk/big.so", 3 * M), hard(f"{UV}/pk/big.so", f"{SITE}/pk/big.so"), META, RECORD,
    ],
    "a store of pnpm": [
        f(f"{PNPM}/cdef", 3 * M),
        hard("app/node_modules/.pnpm/big@1.0.0/node_modules/big/data.bin", f"{PNPM}/cdef"),
        f("app/node_modules/.pnpm/big@1.0.0/node_modules/big/package.json", b'{"name":"big"}'),
        sym("app/node_modules/big", ".pnpm/big@1.0.0/node_modules/big"),
    ],
    "packages of conda": [
        f("opt/conda/pkgs/num-1.0-0/lib/libnum.so", 3 * M),
        hard("opt/conda/lib/libnum.so", "opt/conda/pkgs/num-1.0-0/lib/libnum.so"),
    ],
    "documentation that a program reads": [
        f("usr/share/doc/thing/model.bin", 3 * M),
        hard("usr/lib/thing/model.bin", "usr/share/doc/thing/model.bin"),
    ],
    "a repository of Maven, linked beside the service": [
        f("root/.m2/repository/a/a.jar", 3 * M), hard("srv/a.jar", "root/.m2/repository/a/a.jar"),
    ],
    "a static library under a second name that stays": [
        f("usr/lib/libx.a", 3 * M), hard("srv/x.archive", "usr/lib/libx.a"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", STAY)
def test_a_name_that_stays_keeps_the_file_out_of_every_saving(name: str, tmp_path: Path) -> None:
    result = analysis(tmp_path, STAY[name])
    assert [finding.id for finding in result.findings] == []
    assert sum(row.bytes for row in result.junk) < M


GO: dict[str, tuple[list[Item], str, int]] = {
    "two names in one cache": (
        [f(f"{UV}/a", 3 * M), hard("root/.cache/uv/b", f"{UV}/a")], "installer-caches", 3 * M,
    ),
    "only the cache's own file beside a linked one": (
        [*STAY["uv's cache, linked into site-packages"], f(f"{UV}/alone", 2 * M)],
        "installer-caches", 2 * M,
    ),
    "two names of documentation": (
        [f("usr/share/doc/a/x", 2 * M), hard("usr/share/doc/b/x", "usr/share/doc/a/x")],
        "docs", 2 * M,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GO)
def test_a_file_whose_names_all_go_counts_once(name: str, tmp_path: Path) -> None:
    items, id, size = GO[name]
    result = analysis(tmp_path, items)
    assert one(result, id).bytes == size
    assert sum(row.bytes for row in result.junk) == pytest.approx(size, abs=10_000)


def test_a_cached_test_suite_is_junk_once_and_promised_by_neither_finding(tmp_path: Path) -> None:
    items = [f(f"{UV}/pk/tests/big", 3 * M), hard(f"{SITE}/pk/tests/big", f"{UV}/pk/tests/big")]
    result = analysis(tmp_path, items)
    assert [(row.kind, row.bytes) for row in result.junk] == [("installer-caches", 3 * M)]
    assert [finding.id for finding in result.findings] == []


def test_development_packages_weigh_what_goes_with_them(tmp_path: Path) -> None:
    linked = [
        f("app/package.json", json.dumps({"devDependencies": {"a": "1", "b": "1"}}).encode()),
        f("app/node_modules/a/x", 2 * M), hard("app/node_modules/b/x", "app/node_modules/a/x"),
        f("app/node_modules/a/y", 4 * M), hard("srv/y", "app/node_modules/a/y"),
    ]  # fmt: skip
    assert one(analysis(tmp_path, linked), "dev-dependencies").bytes == 2 * M


def test_one_model_under_two_endings_is_no_second_format(tmp_path: Path) -> None:
    items = [f("m/model.safetensors", 3 * M), hard("m/model.bin", "m/model.safetensors")]
    assert analysis(tmp_path, items).findings == []


def test_the_list_of_files_has_each_once_and_its_package(tmp_path: Path) -> None:
    result = analysis(tmp_path, STAY["uv's cache, linked into site-packages"])
    assert [(file.path, file.package) for file in result.files if file.bytes > M] == [
        (f"/{UV}/pk/big.so", "pk")
    ]


def _image(tmp_path: Path, name: str, items: list[Item]) -> Image:
    blobs = [tar(f("bin/sh", 10)), tar(*items)]
    history = [{"created_by": "ADD rootfs"}, {"created_by": "RUN install"}]
    archive = docker_archive(tmp_path / f"{name}.tar", blobs, config(blobs, history))
    return open_image(str(archive), memory=Memory(None))


def _both(tmp_path: Path, items: list[Item]) -> tuple[Facts, Analysis]:
    image = _image(tmp_path, "i", items)
    return image_facts(image, 1), analyze(image)


OWNED: dict[str, tuple[list[Item], str]] = {
    "uv, the cache's name first": (STAY["uv's cache, linked into site-packages"], "python:pk"),
    "uv, the installed name first": (STAY["the same, with the installed name first"], "python:pk"),
    "pnpm": (STAY["a store of pnpm"], "node:big"),
    "a link of a link": (
        [f(f"{UV}/x", 3 * M), hard(f"{UV}/y", f"{UV}/x"), hard(f"{SITE}/pk/big.so", f"{UV}/y"),
         META, RECORD], "python:pk",
    ),
    "a system package whose file another name led": (
        [f("a/first", 3 * M), hard("usr/bin/perl", "a/first"),
         f("var/lib/dpkg/status", b"Package: perl\nStatus: install ok installed\nVersion: 1\n"),
         f("var/lib/dpkg/info/perl.list", b"/usr/bin/perl\n")], "deb:perl",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OWNED)
def test_a_package_owns_its_file_by_any_name_in_analyze_and_in_ci(
    name: str, tmp_path: Path
) -> None:
    items, package = OWNED[name]
    facts, result = _both(tmp_path, items)
    assert facts.packages[package].own == facts.packages[package].live
    assert facts.packages[package].own >= 3 * M
    assert [row.bytes for row in result.packages if row.name == package.partition(":")[2]] == [
        facts.packages[package].live
    ]
    assert facts.junk < M


def test_the_order_of_names_in_the_archive_changes_no_figure(tmp_path: Path) -> None:
    first = _image(tmp_path, "one", STAY["uv's cache, linked into site-packages"])
    other = _image(tmp_path, "other", STAY["the same, with the installed name first"])
    assert image_facts(first, 1).paths == image_facts(other, 1).paths


def test_a_file_without_package_is_told_by_its_first_name_also_through_a_link_of_a_link(
    tmp_path: Path,
) -> None:
    for number, items in enumerate(
        (
            [f("z/x", 3 * M), hard("y/x", "z/x"), hard("a/x", "y/x")],
            [f("a/x", 3 * M), hard("y/x", "a/x"), hard("z/x", "a/x")],
        )
    ):
        assert image_facts(_image(tmp_path, str(number), items), 1).paths == {"/a/x": 3 * M}


def test_the_waterfall_takes_a_linked_file_for_what_is_used(tmp_path: Path) -> None:
    before = _image(tmp_path, "before", [f("etc/x", 0)])
    after = _image(tmp_path, "after", STAY["packages of conda"])
    fall = next(fall for fall in waterfalls(before, after, (1, 1)) if fall.size == "payload")
    grown = {cause.name: cause.bytes for cause in fall.causes if cause.bytes > M}
    assert list(grown.values()) == [3 * M]
    assert "installer caches" not in grown


def test_a_budget_for_a_path_counts_a_linked_file_once(tmp_path: Path) -> None:
    image = _image(tmp_path, "i", [f("srv/a", 3 * M), hard("srv/b", "srv/a"), hard("x", "srv/a")])
    budget = Budget(match="/srv/**", rule=Rule(level="error"))
    for files in (live_files(image.tree()), live_files(image.tree())[::-1]):
        sides = Sides(image_facts(image, 1), None, "live", files, Rebuild(None))
        assert path_measure(sides, budget).now == 3 * M
