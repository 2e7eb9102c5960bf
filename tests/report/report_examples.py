"""Results for the tests of reports: like real ones, with hostile names in every text that an image
could bring."""

from __future__ import annotations

import random

from imgopt.bench.statistics import compare, interval
from imgopt.results.bench import (
    Arm,
    BenchResult,
    Compared,
    Comparison,
    Environment,
    Exact,
    Measure,
    Samples,
)
from imgopt.results.figures import Cause, LayerFigure, PathFigure, StepFigure, Waterfall
from imgopt.results.optimize import (
    Check,
    OptimizeResult,
    Original,
    Part,
    Parts,
    Sizes,
    StepOutcome,
    Timing,
    Variant,
)
from imgopt.results.rewrite import Change, Skip

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "\x1b]0;owned\x07\x1b[31mred",
    "a/" * 149 + "deep",
    "x" * 300,
    "evil\u202egpj.exe",
    "{{ 7 * 7 }}{% raw %}",
    "</style><style>*{display:none}",
    "|pipe`tick`@mention",
    "not-utf8-\\xff",
)

NAIVE = """# Our service
FROM python:3.11
WORKDIR /app
COPY . .
RUN apt-get update && apt-get install -y build-essential libpq-dev
RUN pip install -r requirements.txt
EXPOSE 8000
CMD python app.py
"""

SLIM = """# Our service
FROM python:3.11 AS builder
WORKDIR /app
RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y build-essential libpq-dev
RUN python -m venv /opt/venv
COPY requirements.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt

FROM python:3.11-slim
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /opt/venv /opt/venv
COPY . .
USER 65532:65532
EXPOSE 8000
CMD ["python", "app.py"]
"""

CHANGES = [
    Change(
        strategy="layer-order",
        line=4,
        because="a source edit no longer installs the dependencies again",
    ),
    Change(
        strategy="multi-stage", line=5, because="compilers are needed to build, not to run: 312 MB"
    ),
    Change(
        strategy="installer-caches", line=6, because="pip's cache stays out of the image: 41 MB"
    ),
    Change(strategy="non-root", line=None, because="the service writes only below /app/data"),
    Change(strategy="exec-form", line=8, because="signals reach python and not a shell"),
]

SKIPS = [
    Skip(strategy="distroless-base", line=2, reason="the entry point needs a shell"),
    Skip(strategy="cpu-wheels", line=None, reason=f"not asked for {HOSTILE[0]}"),
]

CHECKS = [
    Check(
        name="configuration", verdict="passed", detail="14 keys compared, user differs as intended"
    ),
    Check(
        name="application files",
        verdict="passed",
        detail="212 files, the same bytes at the same paths",
    ),
    Check(name="opened files", verdict="not measured", detail="the engine is on another machine"),
    Check(
        name=f"smoke {HOSTILE[1]}", verdict="passed", detail="GET / 200, 5 links, the same answers"
    ),
]


def contents(count: int, seed: int = 1) -> list[PathFigure]:
    """Files of a made-up image; a third of them is gone afterwards, some are new, some have hostile
    names."""
    source = random.Random(seed)
    folders = [
        f"/{top}/{middle}/{source.choice(('lib', 'bin', 'share'))}-{number}"
        for top in ("usr", "opt", "app", "var")
        for middle in ("lib", "local", "share", "cache")
        for number in range(max(count // 800, 1))
    ]
    figures = []
    for number in range(count):
        size = int(source.paretovariate(0.9) * 300)
        fate = source.random()
        folder = source.choice(folders)
        before, after = (size, 0) if fate < 0.33 else (0, size) if fate < 0.36 else (size, size)
        figures.append(
            PathFigure(
                path=f"{folder}/file-{number}.so",
                before=before,
                after=after,
                files_before=int(before > 0),
                files_after=int(after > 0),
            )
        )
    hostile = [
        PathFigure(path=f"/app/{name}", before=9_000_000, after=9_000_000) for name in HOSTILE
    ]
    return [*figures, *hostile]


def _steps(slow: float) -> list[StepFigure]:
    names = (
        "FROM python:3.11",
        "WORKDIR /app",
        "COPY . .",
        f"RUN apt-get install {HOSTILE[2]}",
        "RUN pip install",
    )
    seconds = (0.1, 0.05, 0.4, 12.0 * slow, 21.0 * slow)
    return [
        StepFigure(name=name, line=index + 2, start=sum(seconds[:index]), seconds=seconds[index])
        for index, name in enumerate(names)
    ]


def _measure(
    name: str, before: float, after: float, kind: str = "build", unit: str = "seconds"
) -> Measure:
    source = random.Random(name)
    values = {
        "original": [before * source.gauss(1, 0.02) for _ in range(6)],
        "slim": [after * source.gauss(1, 0.02) for _ in range(6)],
    }
    samples = []
    for arm, series in values.items():
        bounds = interval(series)
        steps = [
            StepFigure(
                name=step.name, line=step.line, cached=index < (2 if arm == "original" else 4)
            )
            for index, step in enumerate(_steps(1))
        ]
        samples.append(
            Samples(
                arm=arm,
                values=series,
                warm_up=[series[0] * 1.4],
                median=bounds.median,
                low=bounds.low,
                high=bounds.high,
                wire_bytes=38_000_000 if arm == "original" else 12_345,
                steps=steps,
            )
        )
    said = compare(values["original"], values["slim"])
    compared = Compared(
        before="original",
        after="slim",
        ratio=said.ratio,
        low=said.low,
        high=said.high,
        p=said.p,
        verdict=said.verdict,
        reason=said.reason,
    )
    return Measure(
        name=name,
        kind=kind,
        unit=unit,
        edit="app.py: one line added" if kind == "build" else "",
        samples=samples,
        comparisons=[compared],
        noise_floor=0.031,
    )


def bench_result(files: int = 500) -> BenchResult:
    inside = contents(files)
    before, after = sum(figure.before for figure in inside), sum(figure.after for figure in inside)
    base = LayerFigure(
        instruction="debian", base=True, wire=50_000_000, tar=120_000_000, payload=119_000_000
    )
    layers = [
        base,
        LayerFigure(instruction="COPY . .", line=4, wire=1_000, tar=20_000, payload=18_000),
        LayerFigure(
            instruction=f"RUN {HOSTILE[2]}",
            line=5,
            wire=90_000_000,
            tar=300_000_000,
            payload=290_000_000,
        ),
        LayerFigure(
            instruction="RUN pip install",
            line=6,
            wire=30_000_000,
            tar=90_000_000,
            payload=88_000_000,
        ),
    ]
    arms = [
        Arm(
            name="original",
            role="original",
            dockerfile="Dockerfile",
            text=NAIVE,
            image="sha256:" + "1" * 64,
            exact=Exact(
                sizes=Sizes(wire=171_001_000, tar=510_020_000, payload=497_018_000, live=before),
                layers=4,
                files=files,
                packages=412,
                context_bytes=1_200_000,
                context_files=90,
            ),
            layers=layers,
            steps=_steps(1.0),
        ),
        Arm(
            name="slim",
            role="variant",
            dockerfile="Dockerfile.slim",
            text=SLIM,
            image="sha256:" + "2" * 64,
            proof="proven",
            exact=Exact(
                sizes=Sizes(wire=40_001_000, tar=110_020_000, payload=107_018_000, live=after),
                layers=3,
                files=files // 2,
                packages=112,
                context_bytes=30_000,
                context_files=12,
            ),
            layers=[layers[1], layers[3]],
            steps=_steps(0.4),
            changes=CHANGES,
            skips=SKIPS,
            checks=CHECKS,
        ),
    ]
    causes = [
        Cause(name="base image", bytes=-200_000_000, detail="python:3.11 → python:3.11-slim"),
        Cause(name="build tools", bytes=-180_000_000, detail="gcc, make, headers"),
        Cause(name="installer caches", bytes=-20_000_000, detail=HOSTILE[0]),
        Cause(name="new bytecode", bytes=10_000_000),
    ]
    fall = Waterfall(size="payload", start=497_018_000, end=107_018_000, causes=causes)
    return BenchResult(
        context="samples/flask",
        command=["imgopt", "bench", "samples/flask", "--seed", "7"],
        seed=7,
        runs=6,
        warm_up=1,
        alpha=0.05,
        min_effect=0.05,
        environment=Environment(
            imgopt="0.1.0",
            engine="28.5.2",
            buildx="0.29.1",
            cpu="A CPU",
            cpus=2,
            memory_bytes=25_000_000_000,
            load=[0.5],
        ),
        arms=arms,
        comparisons=[
            Comparison(before="original", after="slim", waterfalls=[fall], contents=inside)
        ],
        measures=[
            _measure("cold", 41.0, 22.0),
            _measure("no-change", 0.61, 0.6),
            _measure("edit-source", 33.0, 0.9),
            _measure("edit-manifest", 34.0, 21.0),
            _measure("start", 0.8, 0.79, kind="run"),
            _measure("memory", 41_000_000, 40_500_000, kind="run", unit="bytes"),
        ],
        seconds=512.5,
    )


def optimize_result() -> OptimizeResult:
    kept = [
        Part(path=f"/app/{name}", bytes=1_000 * index, reason="of the context")
        for index, name in enumerate(HOSTILE)
    ]
    dropped = [Part(path="/usr/lib/gcc", bytes=180_000_000, reason="toolchain")]
    return OptimizeResult(
        context="samples/flask",
        dockerfile="Dockerfile",
        verdict="proven",
        message="slim is proven",
        original=Original(
            image="sha256:" + "1" * 64,
            dockerfile=NAIVE,
            sizes=Sizes(
                wire=412_300_000, tar=1_100_000_000, payload=1_080_000_000, live=1_000_000_000
            ),
            build_seconds=41.2,
            layers=9,
            edit_bytes=181_000_000,
            steps=[StepOutcome(name="RUN pip install", cached=False, seconds=21.5)],
        ),
        recommended="slim",
        variants=[
            Variant(
                name="slim",
                verdict="proven",
                dockerfile=SLIM,
                sizes=Sizes(
                    wire=96_100_000, tar=240_000_000, payload=230_000_000, live=229_000_000
                ),
                build_seconds=33.0,
                layers=7,
                user="65532:65532",
                base="python:3.11-slim",
                base_swap_bytes=250_000_000,
                own_edit_bytes=66_200_000,
                edit_bytes=1_200_000,
                edit_bytes_at_most=True,
                changes=CHANGES,
                skips=SKIPS,
                repairs=["libpq5 added: libpq.so.5 was missing"],
                checks=CHECKS,
                parts=Parts(kept=kept, dropped=dropped),
                timings={
                    "edit-source": Timing(
                        before=[33.0, 32.1, 33.4],
                        after=[0.9, 0.8, 0.9],
                        ratio=36.7,
                        p=0.25,
                        verdict="inconclusive",
                    )
                },
            ),
            Variant(name="distroless", verdict="refuted", reason="GET / answered 500"),
        ],
        builds=6,
        environment={"engine": "28.5.2"},
        bases={"python:3.11": "imgopt.local/python:3.11"},
    )
