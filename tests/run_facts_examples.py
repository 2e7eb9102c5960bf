"""Run facts as a real run gives them: a web service beside a database, one for a JVM, a program
that ends. For tests of what reads them; `msgspec.structs.replace` makes others of them."""

from __future__ import annotations

import msgspec

from imgopt.results.run_facts import (
    Capabilities,
    ImageFacts,
    Jvm,
    Load,
    Memory,
    Port,
    Probe,
    ProcessOne,
    ReadOnlyRoot,
    Route,
    RunFacts,
    Samples,
    Setting,
    Start,
    Stop,
    Tried,
    User,
    Written,
)

MIB = 1 << 20


def web_image() -> ImageFacts:
    """The original of a small notes service: root, one worker, drains on SIGTERM."""
    return ImageFacts(
        name="original",
        reference="notes:1.4",
        image_id="sha256:" + "5a" * 32,
        watched_seconds=96.4,
        runs=11,
        entrypoint=[],
        command=["gunicorn", "--bind", "0.0.0.0:8000", "app:app"],
        workdir="/app",
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"},
        given_environment=["DATABASE_URL"],
        start=Start(
            by="GET :8000/",
            cold=Samples(values=[1.92]),
            warm=Samples(values=[0.84, 0.79, 0.81]),
            processor_seconds=Samples(values=[0.71, 0.69, 0.70]),
        ),
        memory=Memory(
            settled=61 * MIB, peak_start=64 * MIB, peak_load=212 * MIB, watched_seconds=60.2
        ),
        load=Load(
            path="/",
            seconds=20.0,
            workers=8,
            requests=18_240,
            failed=0,
            per_second=912.0,
            middle_seconds=0.0082,
            p95_seconds=0.0141,
            longest_seconds=0.212,
            processor_seconds_each=0.00094,
        ),
        ports=[Port(number=8000, speaks="http", exposed=True)],
        written=[
            Written(folder="/tmp", bytes=4096, files=1, examples=["/tmp/wgunicorn-4c1"]),
            Written(folder="/app/uploads", bytes=18_432, files=3, examples=["/app/uploads/a.png"]),
        ],
        user=User(said="", uid=0, gid=0, name="root", home="/root", home_is_writable=True),
        capabilities=Capabilities(
            needed=[], tried=True, detail="the same answers without any of them"
        ),
        read_only_root=ReadOnlyRoot(
            works=True,
            tmpfs=["/app/uploads", "/tmp"],
            detail="the same answers with these two writable",
        ),
        stops=[
            Stop(signal="SIGTERM", seconds=0.31, exit_code=0),
            Stop(signal="SIGTERM", in_flight=8, seconds=0.62, exit_code=0, finished=8, refused=14),
        ],
        process_one=ProcessOne(
            words=["/usr/local/bin/python3.12", "/usr/local/bin/gunicorn", "app:app"],
            program="/usr/local/bin/python3.12",
            kind="program",
            catches=["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGCHLD"],
            children=1,
        ),
        routes=[
            Route(path="/", port=8000, seconds=0.008),
            Route(path="/healthz", port=8000, seconds=0.002, is_health=True, fits="liveness"),
            Route(
                path="/readyz",
                port=8000,
                seconds=0.006,
                is_health=True,
                reaches=["db"],
                fits="readiness",
            ),
        ],
        longest_answer_seconds=0.212,
        metrics_path="/metrics",
        companions=["db"],
        asked_hosts=[],
        language="python",
        unpacked_bytes=412 * MIB,
        not_measured={
            "streams": "no answer came in parts; only what was asked is known",
        },
    )


def web_facts() -> RunFacts:
    """Original and its slim variant, which runs as a numeric user and has no shell."""
    original = web_image()
    slim = msgspec.structs.replace(
        original,
        name="slim",
        reference="notes:1.4-slim",
        image_id="sha256:" + "6b" * 32,
        user=User(said="65532:65532", uid=65532, gid=65532, home="/nonexistent"),
        unpacked_bytes=148 * MIB,
        health=Probe(
            words=[
                "/usr/bin/python3.12",
                "-c",
                "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)",
            ],
            exit_code=0,
            seconds=0.09,
            origin="interpreter",
        ),
    )
    return RunFacts(
        project="notes",
        context=".",
        dockerfile="Dockerfile",
        images=[original, slim],
        environment={"engine": "Docker 28.1.1", "processors": "2", "memory": "8 GiB"},
        arguments=["."],
    )


def ignoring_facts() -> RunFacts:
    """A service that takes no notice of SIGTERM, runs as a user by name, and cuts its answers."""
    facts = web_facts()
    deaf = msgspec.structs.replace(
        facts.images[0],
        command=["python", "app.py"],
        user=User(said="app", uid=1000, gid=1000, name="app", home="/home/app"),
        stops=[
            Stop(signal="SIGTERM", seconds=10.2, exit_code=137, killed=True),
            Stop(
                signal="SIGTERM",
                in_flight=8,
                seconds=10.2,
                exit_code=137,
                killed=True,
                finished=8,
                cut=8,
            ),
        ],
        process_one=ProcessOne(
            words=["python", "app.py"], program="/usr/local/bin/python3.12", kind="program"
        ),
    )
    return msgspec.structs.replace(facts, images=[deaf])


def jvm_facts() -> RunFacts:
    """A service on a JVM with a slow start, whose settings were tried under limits."""
    image = msgspec.structs.replace(
        web_image(),
        reference="rates:2",
        entrypoint=["java", "-jar", "/app/app.jar"],
        command=[],
        environment={"JAVA_OPTS": "-Xmx256m", "JAVA_HOME": "/opt/java"},
        start=Start(
            by="GET :8080/",
            cold=Samples(values=[11.4]),
            warm=Samples(values=[6.9, 7.2, 6.8]),
            processor_seconds=Samples(values=[9.8, 10.1, 9.9]),
        ),
        memory=Memory(
            settled=260 * MIB, peak_start=318 * MIB, peak_load=402 * MIB, watched_seconds=74.0
        ),
        ports=[Port(number=8080, speaks="http", exposed=True)],
        written=[
            Written(folder="/tmp", bytes=36_864, files=4, examples=["/tmp/hsperfdata_root/1"])
        ],
        read_only_root=ReadOnlyRoot(works=True, tmpfs=["/tmp"]),
        process_one=ProcessOne(
            words=["java", "-jar", "/app/app.jar"],
            program="/opt/java/bin/java",
            kind="program",
            catches=["SIGHUP", "SIGINT", "SIGTERM"],
        ),
        routes=[
            Route(path="/", port=8080, seconds=0.02),
            Route(
                path="/actuator/health/liveness",
                port=8080,
                is_health=True,
                seconds=0.01,
                fits="liveness",
            ),
            Route(
                path="/actuator/health/readiness",
                port=8080,
                is_health=True,
                seconds=0.01,
                reaches=["db"],
                fits="readiness",
            ),
        ],
        language="java",
        settings=[
            Setting(
                rule="J1",
                level="error",
                message="JAVA_OPTS is read by nobody: the image starts java itself",
                evidence="heap 128 MiB with and without it",
                name="JAVA_TOOL_OPTIONS",
                value="-XX:MaxRAMPercentage=70 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError",
            )
        ],
        jvm=[
            Jvm(
                memory_limit=512 * MIB,
                processors=1.0,
                collector="Serial",
                heap_bytes=128 * MIB,
                version="21.0.4",
            ),
            Jvm(
                memory_limit=512 * MIB,
                processors=1.0,
                collector="Serial",
                heap_bytes=358 * MIB,
                version="21.0.4",
                with_proposal=True,
            ),
        ],
        tried=[
            Tried(
                memory_limit=512 * MIB,
                processors=1.0,
                environment={"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=70 -XX:+UseSerialGC"},
                survived=True,
                start_seconds=9.1,
                peak=431 * MIB,
            )
        ],
    )
    return RunFacts(
        project="rates",
        context=".",
        dockerfile="Dockerfile",
        images=[image],
        environment={"engine": "Docker 28.1.1"},
    )


def job_facts() -> RunFacts:
    """A program that ends by itself: no port, no route, nothing to stop."""
    image = ImageFacts(
        reference="report:1",
        ends=True,
        exit_code=0,
        runs=5,
        watched_seconds=12.0,
        command=["/report"],
        start=Start(by="ended with 0", warm=Samples(values=[1.1, 1.0, 1.1])),
        memory=Memory(peak_start=24 * MIB, watched_seconds=1.1),
        user=User(said="1000", uid=1000, gid=1000),
        capabilities=Capabilities(tried=True),
        read_only_root=ReadOnlyRoot(works=True),
        not_measured={"load": "it ends by itself", "stops": "it ends by itself"},
    )
    return RunFacts(project="report", images=[image])
