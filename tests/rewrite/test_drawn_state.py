"""No line that is written names a file that only this build knows: a day, a digest, a counter, a
drawn id."""

from __future__ import annotations

import lzma
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from imgopt.dockerfile import parse
from imgopt.dockerfile.typed import Copy as CopyInstruction
from imgopt.engine import BuildFailure
from imgopt.inspect.files.drawn_names import is_of_one_build
from imgopt.loop.drawn_state import drawn_state
from imgopt.rewrite.final.copies import CopyPlan, plan_copies
from imgopt.rewrite.final.fates import Carved, PathFact, Verdict
from imgopt.rewrite.final.final_stage import Copy

from .kit import ROOT

LASTING = [
    "/app/package.json",
    "/app/dist/main.js",
    "/app/node_modules/lodash.debounce",
    "/app/static/fonts/inter-v13-latin-regular.woff2",
    "/app/target/rates-1.4.0.jar",
    "/app/templates",
    "/etc/ssl/certs/ca-certificates.crt",
    "/opt/venv/lib/python3.11/site-packages",
    "/srv/reports/2026/q4.csv",
    "/usr/lib/x86_64-linux-gnu/libatomic.so.1",
    "/usr/local/bin/node",
    "/usr/local/lib/libpython3.11.so.1.0",
    "/usr/share/zoneinfo/Europe/Berlin",
    "/usr/src/app/tsconfig.build.json",
]
PASSING = [
    "/root/.config/go/telemetry/local/go@go1.26.11-go1.26.11-linux-amd64-2026-11-30.v1.count",
    "/root/.npm/_logs/2026-11-30T03_10_04_811Z-debug-0.log",
    "/tmp/node-compile-cache/v26.12.1-x64-310b2ce3-0/0535d717",
    "/tmp/tmpab12cd34/setup.py",
    "/var/cache/fontconfig/3830d5c3ddfd5cd38a049b759396e72e-le64.cache-8",
    "/app/dist/assets/index-BxYz12Ab.js",
    "/app/.next/static/yoYvvaVl-sNcBYKAQjmQ5/_buildManifest.js",
    "/app/logs/build.20261130.txt",
    "/app/cache/1764471004811.json",
    "/root/.tool/daemon.pid",
]


def test_names_that_last_are_told_from_names_of_one_build() -> None:
    assert [path for path in LASTING if is_of_one_build(path)] == []
    assert [path for path in PASSING if not is_of_one_build(path)] == []


def planned(kept: list[str], dropped: list[str], size: int = 10) -> CopyPlan:
    everything = {path: PathFact(path, "file", size, 1) for path in (*kept, *dropped)}
    return plan_copies(everything, frozenset(kept), frozenset[str]().__contains__)


def test_plain_files_of_a_folder_are_named_where_something_else_in_it_is_dropped() -> None:
    plan = planned(["/app/dist/a.js", "/app/dist/b.js"], ["/app/dist/c.map"])
    assert plan.copies == (Copy(("/app/dist/a.js", "/app/dist/b.js"), "/app/dist/"),)


def test_a_folder_with_a_drawn_name_is_copied_whole() -> None:
    plan = planned(
        ["/app/dist/index-BxYz12Ab.js", "/app/dist/b.js"], ["/app/dist/c.map", "/app/x.ts"], 600_000
    )
    assert plan.copies == (Copy(("/app/dist",), "/app/dist"),)
    assert plan.removals == ("/app/dist/c.map",)


def test_of_more_than_eight_files_the_folder_is_copied_where_little_in_it_is_not_wanted() -> None:
    files = [f"/app/dist/part{number}.js" for number in range(9)]
    few, sources = (
        ["/app/dist/.tsbuildinfo", "/app/x.ts"],
        [f"/app/dist/part{number}.ts" for number in range(9)],
    )
    assert planned(files, few, 600_000).copies == (Copy(("/app/dist",), "/app/dist"),)
    assert planned(files, [*sources, "/app/x.ts"], 600_000).copies == (
        Copy(tuple(files), "/app/dist/"),
    )
    assert planned(files[:8], few, 600_000).copies == (Copy(tuple(files[:8]), "/app/dist/"),)


class Again:
    """A second build of the original, counted."""

    def __init__(self, *paths: str, fails: bool = False) -> None:
        self._paths, self._fails, self.asked = paths, fails, 0

    def tree(self) -> Any:
        self.asked += 1
        if self._fails:
            raise BuildFailure(
                "it does not build again", kind="step", step=None, steps=(), location=None
            )
        return SimpleNamespace(get=dict.fromkeys(self._paths, 1).get)


def found(kept: list[str], again: Any, opened: tuple[str, ...] = ()) -> tuple[str, ...]:
    facts = {path: PathFact(path, "file", 10, 1) for path in kept}
    carved = Carved(dict.fromkeys(kept, Verdict("kept", "")), facts)
    final: Any = SimpleNamespace(carved=carved, copies=(Copy((kept[0],), "/x"),))
    view = SimpleNamespace(image=SimpleNamespace(layer_history=()))
    evidence: Any = SimpleNamespace(facts=facts, opened=opened, view=view)
    return drawn_state(final, evidence, again)


NOTE = "/root/.local/tool/run-2026-11-30.log"


def test_state_under_another_name_in_each_build_is_left_out() -> None:
    kept = [NOTE, "/root/.local/tool/seen", "/root/.local/share/model.bin", "/app/2026-11-30.txt"]
    again = Again("/root/.local/tool/run-2026-12-01.log", "/root/.local/share/model.bin")
    assert found(kept, again) == ("/root/.local/tool/run-2026-11-30.log", "/root/.local/tool/seen")


@pytest.mark.parametrize(
    ("kept", "opened"),
    [
        (["/root/.cache/hub/model.bin"], ()),
        (["/app/dist/2026-11-30.json"], ()),
        (["/root/.config/app/settings"], ()),
    ],
)
def test_nothing_is_built_again_where_no_name_is_in_doubt(
    kept: list[str], opened: tuple[str, ...]
) -> None:
    again = Again()
    assert (found(kept, again, opened), again.asked) == ((), 0)


@pytest.mark.parametrize(
    ("again", "opened"),
    [(Again(NOTE), ()), (Again(), (NOTE,)), (Again(fails=True), ())],
    ids=["both", "read", "fails"],
)
def test_what_both_builds_have_or_the_service_read_stays(
    again: Again, opened: tuple[str, ...]
) -> None:
    assert found([NOTE], again, opened) == ()


RESULTS = sorted((ROOT / "benchmarks" / "results" / "samples").glob("*.json.xz"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name.partition(".")[0])
def test_no_copy_in_a_samples_result_names_a_file_of_one_build(path: Path) -> None:
    result = msgspec.json.decode(lzma.decompress(path.read_bytes()))
    for variant in result["variants"]:
        copies = [item.typed for item in parse(variant["dockerfile"]).instructions]
        sources = [
            str(word)
            for copy in copies
            if isinstance(copy, CopyInstruction)
            for word in copy.sources
        ]
        assert [source for source in sources if is_of_one_build(source)] == [], variant["name"]
