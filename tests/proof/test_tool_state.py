"""What tools keep for themselves is no file of the application; what a start would miss or fetch
again is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import pytest
from recipes import File, Files, Recipe, runs_that_opened

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.engine.container import Change
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.files.tool_state import is_state
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Comparison
from imgopt.proof.checks.application_files import check_application_files
from imgopt.proof.checks.non_root import check_non_root
from imgopt.proof.derive import derive
from imgopt.proof.judge import judge
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages
from imgopt.rewrite.final.fates import CarveRules, PathFact, carve, drop_rules
from imgopt.rewrite.final.writable import writable
from imgopt.run.observation import Observation, RunPlan

HUB = "/root/.cache/huggingface/hub/models--a--b"
DATA = [
    "/root/.cache/whisper/base.pt",
    f"{HUB}/snapshots/5c38ec7c405ec4b44b94cc5a9bb96e735b38267a/model.safetensors",
    f"{HUB}/blobs/5c38ec7c405ec4b44b94cc5a9bb96e735b38267a5c38ec7c405ec4b44b94cc5a",
    "/root/.cache/torch/hub/checkpoints/resnet50-0676ba61.pth",
    "/root/.cache/ms-playwright/chromium-1187/chrome-linux/chrome",
    "/root/.cache/puppeteer/chrome/linux-131.0.6778.204/chrome",
    "/root/.cache/prisma/master/5c38ec7c405ec4b44b94cc5a9bb96e735b38267a/debian-openssl-3.0.x/libquery_engine",
    "/root/.cache/uv/archive-v0/kXoQ9Ld8aB3/flask/__init__.py",
    "/root/.cache/node/corepack/v1/pnpm/10.1.0/bin/pnpm.cjs",
    "/root/.cache/fastembed/models.json",
    "/root/nltk_data/corpora/stopwords/english",
    "/root/.config/go/env",
    "/root/.config/matplotlib/matplotlibrc",
    "/root/.config/configstore/firebase-tools.json",
    "/root/.config/gcloud/active_config",
    "/root/.cargo/bin/server",
    "/root/.dotnet/tools/dotnet-ef",
    "/root/.gradle/gradle.properties",
    "/root/.gradle/caches/modules-2/files-2.1/org.slf4j/slf4j-api/2.0.17/d9e58ac9c/slf4j-api-2.0.17.jar",
    "/root/.gradle/init.d/mirror.gradle",
    "/root/.local/share/uv/python/cpython-3.13/bin/python3",
    "/root/.local/share/pnpm/global/5/node_modules/serve/package.json",
    "/root/.local/share/virtualenvs/app-lp47FrbD/bin/python",
    "/root/.m2/repository/org/slf4j/slf4j-api/2.0.17/slf4j-api-2.0.17.jar",
    "/root/.m2/settings.xml",
    "/root/.npm/_npx/5c38ec7c405ec4b4/node_modules/serve/build/main.js",
    "/root/.npmrc",
    "/app/.next/cache/fetch-cache/5c38ec7c",
    "/app/tmp/cache/bootsnap/load-path-cache",
    "/app/src/telemetry/local/counter.go",
    "/app/node-compile-cache/index.js",
    "/app/cargo/registry.json",
    "/tmp/uploads/keep.txt",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
]
STATE = [
    "/root/.config/go/telemetry/local/go@go1.26.11-go1.26.11-linux-amd64-2026-11-30.v1.count",
    "/home/app/.config/go/telemetry/local/weekends",
    "/app/.config/go/telemetry/mode",
    "/settings/go/telemetry/local/gopls@v0.20.0-go1.26.11-linux-amd64-2026-11-30.v1.count",
    "/root/.java/fonts/25.0.5/fcinfo-1-5c38ec7c-Linux-6.1-en.properties",
    "/app/node_modules/.vite-temp/vite.config.ts.timestamp-1764471004811-5c38.mjs",
    "/tmp/node-compile-cache/v26.12.1-x64-8e4b1f3d-0/0a1b2c3d",
    "/tmp/v8-compile-cache-0/12.4.254.21-node.33/zSoptzSrunzSa.BLOB",
    "/root/.npm/_logs/2026-11-30T03_10_04_811Z-debug-0.log",
    "/root/.npm/_update-notifier-last-checked",
    "/app/.npm/_logs/2026-11-30T03_10_04_811Z-debug-0.log",
    "/root/.local/state/pnpm/pnpm-state.json",
    "/tmp/yarn--1764471004811-0.5512/node",
    "/root/.cache/uv/.lock",
    "/root/.local/state/pip/log",
    "/root/.m2/repository/org/slf4j/slf4j-api/2.0.17/_remote.repositories",
    "/root/.m2/repository/resolver-status.properties",
    "/root/.gradle/daemon/9.2/daemon-41.out.log",
    "/app/.gradle/9.2/fileHashes/fileHashes.bin",
    "/usr/local/cargo/.package-cache",
    "/usr/local/cargo/.global-cache",
    "/root/.dotnet/10.0.100.dotnetFirstUseSentinel",
    "/tmp/NuGetScratchroot/lock/5c38ec7c",
    "/tmp/hsperfdata_root/41",
    "/tmp/.X99-lock",
    "/opt/conda/pkgs/cache/09cdf8bf.json",
    "/var/cache/fontconfig/3830d5c3ddfd5cd38a049b759396e72e-le64.cache-8",
]


def view(view_of: Callable[..., ImageView], files: Files, **config: object) -> ImageView:
    given = {"Cmd": ["/app/server"], "WorkingDir": "/app", **config}
    steps = (
        ("ADD base", {"bin/sh": File(b"x", 0o755)}),
        ("RUN make", {"app/server": File(b"x", 0o755), **files}),
    )
    return view_of(Recipe(steps, given), 1)


@cache
def drops() -> CarveRules:
    found = drop_rules(builtin_ecosystems(), ["/root", "/home/app", "/app"], compiled=False)
    states = tuple(rule for rule in found if rule.reason.startswith("state of a tool"))
    return CarveRules(states, frozenset((*DATA, *STATE)), {}.get, frozenset(), frozenset())


def fates(*paths: str) -> Mapping[str, str]:
    carved = carve([PathFact(path, "file", 10, 1) for path in paths], drops())
    return {path: verdict.fate for path, verdict in carved.fates.items()}


def test_no_data_is_taken_for_state(view_of: Callable[..., ImageView]) -> None:
    service = view(view_of, {})
    assert [path for path in DATA if is_state(service, path)] == []
    assert {path for path, fate in fates(*DATA).items() if fate != "kept"} == set()


def test_state_is_dropped_also_where_the_run_read_it(view_of: Callable[..., ImageView]) -> None:
    service = view(view_of, {})
    assert [path for path in STATE if not is_state(service, path)] == []
    assert {path for path, fate in fates(*STATE).items() if fate != "dropped"} == set()


def test_the_proof_knows_every_path_that_an_ecosystem_calls_state(
    view_of: Callable[..., ImageView],
) -> None:
    service = view(view_of, {})
    globs = [
        glob
        for ecosystem in builtin_ecosystems()
        for state in ecosystem.state
        for glob in state.paths
    ]
    written = [
        re.sub(r"\*\*/|~", lambda m: "/root" if m[0] == "~" else "", glob).replace("*", "1")
        for glob in globs
    ]
    paths = [path if path.startswith("/") else f"/root/{path}" for path in written]
    assert len(paths) > 60
    assert [path for path in paths if not is_state(service, path)] == []


def test_every_state_says_where_its_tool_says_so() -> None:
    states = [state for ecosystem in builtin_ecosystems() for state in ecosystem.state]
    assert all(state.source.startswith("https://") and state.reason for state in states)


@pytest.mark.parametrize(
    "config", [{"WorkingDir": "/tmp/node-compile-cache/app"}, {"Env": ["WARM=/tmp/.X-data"]}]
)
def test_a_folder_that_the_author_names_is_his(
    config: dict[str, object], view_of: Callable[..., ImageView]
) -> None:
    service = view(view_of, {}, **config)
    own = ["/tmp/node-compile-cache/app/main.js", "/tmp/.X-data/a"]
    assert [is_state(service, path) for path in own] == [
        "WorkingDir" not in config,
        "Env" not in config,
    ]


def test_a_folder_for_what_is_temporary_holds_the_same_state(
    view_of: Callable[..., ImageView],
) -> None:
    service = view(view_of, {}, Env=["TMPDIR=/app/scratch"])
    cache = "/app/scratch/node-compile-cache/v26.12.1-x64-8e4b1f3d-0/0a1b2c3d"
    rules = replace(
        drops(),
        drops=drop_rules(builtin_ecosystems(), ["/root"], compiled=False, temporary="/app/scratch"),
    )
    carved = carve(
        [PathFact(path, "file", 10, 1) for path in (cache, "/app/scratch/keep.txt")], rules
    )
    assert [verdict.fate for verdict in carved.fates.values()] == ["dropped", "kept"]
    assert [is_state(service, path) for path in (cache, "/app/scratch/keep.txt")] == [True, False]
    assert not is_state(view(view_of, {}), cache)


def test_a_home_folder_named_by_a_variable_keeps_no_counters(
    view_of: Callable[..., ImageView],
) -> None:
    service = view(
        view_of, {}, Env=["HOME=/root", "XDG_CONFIG_HOME=/root/.config"], WorkingDir="/root"
    )
    assert is_state(service, STATE[0])


def state_files(stamp: str) -> Files:
    return {
        f"root/.config/go/telemetry/local/go@go1.26.11-{stamp}.v1.count": stamp,
        f"tmp/node-compile-cache/v26-x64-{stamp}/0a1b2c3d": stamp,
        "root/.npm/_update-notifier-last-checked": stamp,
    }


def test_other_counters_of_another_day_refute_nothing(view_of: Callable[..., ImageView]) -> None:
    before, after = (view(view_of, state_files(stamp)) for stamp in ("2026-11-30", "2026-12-01"))
    check = check_application_files(before, after, Allowances())
    assert check.verdict == "passed"
    assert {node.path for node in application_files(before)} == {"/app/server"}


def test_the_same_difference_in_the_applications_own_files_refutes(
    view_of: Callable[..., ImageView],
) -> None:
    before, after = (
        view(view_of, {"app/data/count": stamp, **state_files(stamp)}) for stamp in ("1", "2")
    )
    check = check_application_files(before, after, Allowances())
    assert [item.path for item in check.items] == ["/app/data/count"]


def test_an_image_without_them_is_judged_as_one_with_them(
    view_of: Callable[..., ImageView],
) -> None:
    before, after = view(view_of, state_files("2026-11-30")), view(view_of, {})
    failed = [
        check.name
        for check in judge(Comparison(before, after, Allowances()))
        if check.verdict == "failed"
    ]
    assert failed == []


@pytest.mark.parametrize(
    "day", ["2026-11-30", "2026-12-01", ""], ids=["the same", "another day", "none"]
)
def test_what_the_service_read_of_a_tools_own_is_not_asked_for(
    day: str, view_of: Callable[..., ImageView]
) -> None:
    files = state_files("2026-11-30")
    before, after = (
        view(view_of, {**files, "app/page": "x"}),
        view(view_of, {**(state_files(day) if day else {})}),
    )
    opened = frozenset([*(f"/{path}" for path in files), "/app/page"])
    comparison = Comparison(before, after, derive(before, after, opened), runs_that_opened(opened))
    checks = {check.name: check for check in judge(comparison)}
    assert [item.path for item in checks["opened files"].items] == ["/app/page"]
    assert [item.path for item in checks["application files"].items] == ["/app/page"]


def test_no_folder_that_a_tool_writes_for_itself_is_given_to_the_user(
    view_of: Callable[..., ImageView],
) -> None:
    folders = {"var/lib/svc/.npm/_logs": File(folder=True), "var/lib/up": File(folder=True)}
    steps = (
        ("ADD base", {"bin/sh": File(b"x", 0o755), **folders}),
        ("RUN make", {"app/server": File(b"x", 0o755)}),
    )
    service = view_of(Recipe(steps, {"Env": ["HOME=/var/lib/svc"], "WorkingDir": "/"}), 1)
    log, page = "/var/lib/svc/.npm/_logs/2026-11-30T03_10_04_811Z-debug-0.log", "/var/lib/up/page"
    given = writable(Evidence(service, SystemPackages(), Seen(written=(log, page)))).all
    assert "/var/lib/up" in given
    assert not [path for path in given if path.startswith("/var/lib/svc")]


def test_another_user_need_not_write_where_only_a_tool_wrote(
    view_of: Callable[..., ImageView],
) -> None:
    folders = {"var/lib/svc/.npm/_logs": File(folder=True), "var/lib/up": File(folder=True)}
    recipe = Recipe((("RUN make", folders),), {"Env": ["HOME=/var/lib/svc"], "WorkingDir": "/"})
    before, after = view_of(recipe), view_of(recipe.but(User="1000:1000"))
    log, page = "/var/lib/svc/.npm/_logs/2026-11-30T03_10_04_811Z-debug-0.log", "/var/lib/up/page"
    seen = Observation(
        "x",
        True,
        "",
        RunPlan((), (), (), False, 0.0),
        written=(Change(log, "added"), Change(page, "added")),
    )
    items = check_non_root(before, after, derive(before, after, None), seen).items
    assert [item.path for item in items if item.path.startswith("/var/lib")] == ["/var/lib/up"]
