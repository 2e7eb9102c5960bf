"""Small results of the other kinds, every text of them hostile somewhere."""

from __future__ import annotations

import msgspec
from report_examples import HOSTILE, contents

from imgopt.results.analysis import (
    Analysis,
    DuplicateRow,
    FileRow,
    Finding,
    ImageSizes,
    JunkRow,
    LayerRow,
    PackageRow,
    Place,
    Rest,
    WasteRow,
    Where,
)
from imgopt.results.cache import (
    Agreement,
    CacheResult,
    CacheScenario,
    CacheStep,
    ScenarioStep,
    SkippedScenario,
)
from imgopt.results.ci import Attribution, Cause, CiResult, FourSizes, ImageCheck
from imgopt.results.ci import Finding as CiFinding
from imgopt.results.ci import Place as CiPlace
from imgopt.results.diff import Change, Diff, InstructionChange, PackageChange, Side
from imgopt.results.fleet import (
    CostLayer,
    CostSubject,
    FleetCost,
    FleetLayout,
    LayoutChange,
    LayoutGroup,
    LayoutOption,
    Lever,
    PullCost,
    RolloutCost,
    UsedParameter,
)
from imgopt.results.lives import History, LaterEdit, Lives, LivesResult, Past
from imgopt.results.proof import Compared, Failure, ProofCheck, ProofResult

BAD = HOSTILE[0]
SIZES = ImageSizes(wire=400, tar=1500, payload=1000, live=900, wire_estimated=True, wire_error=3)


def analysis() -> Analysis:
    return Analysis(
        image=BAD,
        digest="sha256:1",
        platform="linux/amd64",
        source="engine",
        sizes=SIZES,
        layers=[
            LayerRow(
                index=0,
                diff_id="a",
                instruction=f"RUN {BAD}",
                entries=3,
                sizes=SIZES,
                ledger={"live": 900},
                base=True,
            )
        ],
        ledger={"live": 900, "deleted": 100},
        waste=[WasteRow(path=f"/{BAD}", bytes=60, kind="deleted", shipped_by=0, killed_by=1)],
        waste_rest=Rest(count=4, bytes=40),
        junk=[
            JunkRow(
                kind="docs",
                bytes=10,
                files=2,
                layers={"0": 10},
                places=[Place(path=f"/{BAD}", bytes=10)],
            )
        ],
        duplicates=[DuplicateRow(digest="d", size=1, bytes=1, paths=["/a", "/b"], layers=[0, 0])],
        duplicates_rest=Rest(count=0, bytes=0),
        packages=[PackageRow(ecosystem="deb", name=BAD, version="1", bytes=300, files=2, layer=0)],
        unowned=600,
        files=[FileRow(path=f"/{BAD}/{number}", bytes=10) for number in range(50)],
        directories=[],
        findings=[
            Finding(
                id="x",
                level="warning",
                bytes=60,
                message=BAD,
                where=Where(file=BAD, line=3, instruction=BAD),
                hint=BAD,
            )
        ],
    )


def diff() -> Diff:
    side = Side(image=BAD, digest="d", platform="p", source="s", sizes=SIZES, layers=2)
    larger = msgspec.structs.replace(
        side, sizes=ImageSizes(wire=500, tar=1700, payload=1300, live=1000)
    )
    paths = contents(40)
    return Diff(
        before=side,
        after=larger,
        classes=[
            Change(name="live", before=900, after=1000),
            Change(name="deleted", before=100, after=300),
        ],
        instructions=[
            InstructionChange(instruction=f"RUN {BAD}", kind="changed", before=1000, after=1300)
        ],
        base=Change(name="base image", before=100, after=300),
        own=Change(name="own layers", before=900, after=1000),
        packages=[
            PackageChange(
                ecosystem="deb",
                name=f"p{n}",
                version_before="",
                version_after="1",
                before=0,
                after=n,
            )
            for n in range(700)
        ],
        paths=paths,
    )


def proof() -> ProofResult:
    failure = Failure(kind="missing-library", subject=BAD, path="/x", needed_by=BAD, message=BAD)
    return ProofResult(
        original=Compared(image=BAD, user="root", layers=3, tar_bytes=10_000, build_seconds=3.0),
        candidate=Compared(
            image="b", dockerfile=BAD, user="1", layers=2, tar_bytes=5_000, build_seconds=2.0
        ),
        verdict="refuted",
        reason=BAD,
        checks=[
            ProofCheck(name="configuration", verdict="passed", detail="14 keys", allowed=[BAD]),
            ProofCheck(name="libraries", verdict="failed", detail=BAD, failures=[failure]),
        ],
        log=[BAD, "\x1b[31mred"],
        hints=[BAD],
    )


def cache() -> CacheResult:
    states = [("hit", None), ("miss", "miss"), ("unknown", "hit")]
    steps = [ScenarioStep(predicted=p, measured=m, reason=BAD, seconds=1.0) for p, m in states]  # type: ignore[arg-type]
    return CacheResult(
        steps=[CacheStep(stage="", line=n, instruction=f"RUN {BAD} {n}") for n in range(3)],
        scenarios=[CacheScenario(name="edit-source", edit=BAD, steps=steps, failure=BAD)],
        agreement=Agreement(decided=2, right=2, wrong=0, unknown=1),
        skipped=[SkippedScenario(name="edit-lock", reason=BAD)],
        cold_seconds=12.5,
        notes=[BAD],
    )


def ci() -> CiResult:
    """One image that grew, and one that does not build."""
    place = CiPlace(file=BAD, line=3)
    grown = Attribution(
        metric="tar",
        before=1000,
        after=1400,
        base=Cause(name="base image", before=500, after=600, detail=BAD),
        instructions=[Cause(name=f"RUN {BAD}", before=500, after=800, places=[place])],
    )
    finding = CiFinding(
        id="own-layers:a", rule="own-layers", level="error", image=BAD, platform="linux/amd64", message=BAD,
        measured=300, limit=100, place=place, causes=[BAD], hint=BAD,
    )  # fmt: skip
    image = ImageCheck(
        name=BAD, platform="linux/amd64", reference=BAD, source="store", digest="sha256:ab", state="compared",
        sizes=FourSizes(tar=1400), before=FourSizes(tar=1000), attribution=grown, findings=[finding], notes=[BAD],
    )  # fmt: skip
    broken = msgspec.structs.replace(
        image,
        name="broken",
        platform="",
        state="not-built",
        sizes=FourSizes(),
        before=None,
        attribution=None,
    )
    return CiResult(
        status="failed", metric="tar", baseline=BAD, against=BAD, tool="0", images=[image, broken]
    )


def lives() -> LivesResult:
    return LivesResult(
        project=BAD,
        context="shop",
        dockerfile="Dockerfile",
        verdict="breaks",
        message=f"one later edit breaks it: {BAD}",
        candidates=[
            Lives(
                name=BAD,
                edits=[
                    LaterEdit(name="new-module", means="a module more", verdict="holds"),
                    LaterEdit(name="data", verdict="breaks", check="smoke", detail=BAD),
                ],
            ),
            Lives(name="safe", why_not=BAD),
        ],
        history=[
            History(
                name=BAD,
                commits=[
                    Past(commit="c" * 40, time=0, changed=[BAD], verdict="breaks", detail=BAD)
                ],
            )
        ],
    )


def fleet_cost() -> FleetCost:
    pulled = PullCost(
        wire=400,
        layers=1,
        download_seconds=1.0,
        unpack_seconds=0.5,
        pull_seconds=1.5,
        ready_seconds=100.0,
        pull_share=0.015,
        start_bound=True,
    )
    subject = CostSubject(
        name=BAD,
        history="tags",
        releases=3,
        releases_per_month=2.5,
        wire=400,
        estimated=True,
        cold=pulled,
        update=pulled,
        rollout=RolloutCost(pods=3, surge="25%", unavailable="0", batch=1, waves=3, seconds=300.0),
        bytes_per_node_month=1000,
        bytes_per_month=100_000,
        dollars_per_month=0.01,
        layers=[CostLayer(label=BAD, wire=400, changes_per_month=2.5, bytes_per_node_month=1000)],
        levers=[
            Lever(
                name="half",
                what="half of it",
                bytes_per_node_month=500,
                ready_seconds=99.0,
                rollout_seconds=297.0,
            )
        ],
        notes=[BAD],
        next=f"imgopt fleet layout {BAD}",
    )
    figure = UsedParameter(
        name="nodes", what="nodes", value=3.0, unit="nodes", given=True, source="given"
    )
    return FleetCost(subjects=[subject], parameters=[figure], skipped=[BAD])


def fleet_layout() -> FleetLayout:
    option = LayoutOption(
        name="today",
        what="as the image lies now",
        layers=[["base"], ["light"]],
        expected_bytes_per_node_month=1000,
        replayed_bytes_per_node_month=900,
        proposed=True,
    )
    return FleetLayout(
        name=BAD,
        releases=3,
        releases_per_month=2.5,
        history=BAD,
        groups=[
            LayoutGroup(
                name="light", wire=400, changes_per_month=2.5, members=[BAD], member_count=2
            )
        ],
        options=[option],
        original="FROM a\n",
        change=LayoutChange(
            strategy="heavy-light", dockerfile=f"FROM a\n# {BAD}\n", because=[BAD], skips=[BAD]
        ),
        notes=[BAD],
        next=f"imgopt optimize {BAD}",
    )
