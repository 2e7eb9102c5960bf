"""What runs of images of several kinds show."""

from __future__ import annotations

from imgopt.results.run_facts import (
    Capabilities,
    ImageFacts,
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

MIB = 2**20
HOSTILE = "a: b # {{ .Values.x }} $(rm) ${HOME} \"'\\\n- kind: Secret\n\u2028\ue0000\ue001\x1b[31m"


def web(**more: object) -> ImageFacts:
    """A service with health routes that was loaded for a minute."""
    usual: dict[str, object] = {
        "reference": "registry.example/notes:1.4",
        "watched_seconds": 62.0,
        "runs": 5,
        "workdir": "/app",
        "entrypoint": ["/usr/local/bin/serve"],
        "start": Start(
            by="GET /health", cold=Samples(values=[1.9, 2.1]), warm=Samples(values=[0.9, 1.1])
        ),
        "memory": Memory(
            settled=150 * MIB, peak_start=180 * MIB, peak_load=212 * MIB, watched_seconds=62
        ),
        "load": Load(
            path="/",
            seconds=60,
            workers=4,
            requests=12_000,
            failed=0,
            per_second=200,
            longest_seconds=0.3,
            processor_seconds_each=0.004,
        ),
        "ports": [Port(number=8000, speaks="http", exposed=True)],
        "written": [Written(folder="/tmp", bytes=3 * MIB, files=2)],
        "user": User(said="1000:1000", uid=1000, gid=1000),
        "capabilities": Capabilities(tried=True),
        "read_only_root": ReadOnlyRoot(works=True, tmpfs=["/tmp"]),
        "stops": [Stop(signal="SIGTERM", in_flight=4, seconds=0.8, finished=4, refused=3)],
        "routes": [
            Route(path="/health", port=8000, seconds=0.01, is_health=True, fits="liveness"),
            Route(
                path="/ready",
                port=8000,
                seconds=0.2,
                is_health=True,
                fits="readiness",
                reaches=["db"],
            ),
        ],
        "longest_answer_seconds": 1.3,
        "health": Probe(words=["/usr/local/bin/serve", "--check"], exit_code=0, seconds=0.1),
    }
    return ImageFacts(**{**usual, **more})  # every name is a field's


def plain_web(**more: object) -> ImageFacts:
    """No route of health, no load, root, nothing tried."""
    usual: dict[str, object] = {
        "reference": "site",
        "load": None,
        "memory": Memory(settled=20 * MIB, peak_start=24 * MIB, watched_seconds=20),
        "routes": [Route(path="/about", port=8000), Route(path="/", port=8000)],
        "user": User(said="", uid=0, gid=0),
        "capabilities": Capabilities(),
        "read_only_root": ReadOnlyRoot(),
        "health": None,
        "stops": [],
        "longest_answer_seconds": None,
    }
    return web(**{**usual, **more})


def ending(**more: object) -> ImageFacts:
    usual: dict[str, object] = {
        "reference": "registry.example/report:2",
        "ends": True,
        "exit_code": 0,
        "start": Start(by="ended with 0", warm=Samples(values=[4.0, 5.0])),
        "ports": [],
        "routes": [],
        "stops": [],
        "load": None,
        "health": None,
    }
    return web(**{**usual, **more})


def jvm(**more: object) -> ImageFacts:
    options = "-XX:MaxRAMPercentage=70 -XX:+ExitOnOutOfMemoryError"
    usual: dict[str, object] = {
        "reference": "registry.example/rates:3",
        "language": "java",
        "start": Start(by="GET /", warm=Samples(values=[21.0, 24.0])),
        "memory": Memory(settled=300 * MIB, peak_start=310 * MIB, peak_load=330 * MIB),
        "settings": [
            Setting(
                rule="J3",
                level="warning",
                message="heap is a quarter",
                name="JAVA_TOOL_OPTIONS",
                value="-XX:MaxRAMPercentage=70",
            ),
            Setting(
                rule="J6",
                level="note",
                message="goes on after it is out of memory",
                name="JAVA_TOOL_OPTIONS",
                value="-XX:+ExitOnOutOfMemoryError",
            ),
        ],
        "tried": [
            Tried(memory_limit=256 * MIB, survived=False),
            Tried(
                memory_limit=512 * MIB,
                processors=2,
                environment={"JAVA_TOOL_OPTIONS": options},
                survived=True,
                start_seconds=30.0,
            ),
        ],
    }
    return web(**{**usual, **more})


def streaming(**more: object) -> ImageFacts:
    usual: dict[str, object] = {
        "reference": "registry.example/chat:9",
        "streams": True,
        "longest_answer_seconds": 40.0,
        "given_environment": ["MODEL_URL", "MODEL_KEY", "MODE"],
        "companions": ["store", "memory"],
        "asked_hosts": ["api.model.example"],
        "metrics_path": "/metrics",
    }
    return web(**{**usual, **more})


def grpc(**more: object) -> ImageFacts:
    usual: dict[str, object] = {
        "reference": "registry.example/quotes:1",
        "ports": [Port(number=50051, speaks="grpc")],
        "routes": [Route(path="", port=50051, speaks="grpc", is_health=True, fits="liveness")],
    }
    return web(**{**usual, **more})


def named_user(**more: object) -> ImageFacts:
    usual: dict[str, object] = {"user": User(said="app", uid=999, gid=998, name="app")}
    return web(**{**usual, **more})


def writer(**more: object) -> ImageFacts:
    """Needs folders, one of them a volume of the image's."""
    usual: dict[str, object] = {
        "read_only_root": ReadOnlyRoot(works=True, tmpfs=["/tmp", "/var/lib/App Data"]),
        "volumes": ["/data"],
        "written": [
            Written(folder="/var/lib/App Data", bytes=40 * MIB, files=9),
            Written(folder="/data", bytes=MIB, files=1, volume=True),
        ],
    }
    return web(**{**usual, **more})


def worker(**more: object) -> ImageFacts:
    """Serves no port and does not end."""
    usual: dict[str, object] = {"ports": [], "routes": [], "load": None}
    return web(**{**usual, **more})


def deaf(**more: object) -> ImageFacts:
    """Its first process ignores the signal."""
    usual: dict[str, object] = {
        "stops": [Stop(signal="SIGTERM", seconds=10.2, killed=True, exit_code=137)],
        "process_one": ProcessOne(kind="program", program="/usr/bin/run"),
    }
    return web(**{**usual, **more})


def hostile(**more: object) -> ImageFacts:
    """Whatever an image may say is said in the worst way."""
    usual: dict[str, object] = {
        "routes": [
            Route(path=f"/{HOSTILE}", port=8000, is_health=True, fits="liveness"),
            Route(path="/r", port=8000, fits="readiness", reaches=[HOSTILE]),
        ],
        "read_only_root": ReadOnlyRoot(works=True, tmpfs=[f"/x/{HOSTILE}"]),
        "health": Probe(words=["/bin/x", HOSTILE], exit_code=0),
        "settings": [
            Setting(rule=HOSTILE, level="note", message=HOSTILE, name="OPTIONS", value=HOSTILE),
            Setting(rule="X", level="note", message="x", name=HOSTILE, value="x"),
        ],
        "given_environment": [HOSTILE, "FINE"],
        "companions": [HOSTILE],
        "metrics_path": f"/{HOSTILE}",
        "not_measured": {HOSTILE: HOSTILE},
        "process_one": ProcessOne(program=HOSTILE),
    }
    return web(**{**usual, **more})


SHAPES = {
    one.__name__: one
    for one in (
        web,
        plain_web,
        ending,
        jvm,
        streaming,
        grpc,
        named_user,
        writer,
        worker,
        deaf,
        hostile,
    )
}


def run_facts(*images: ImageFacts) -> RunFacts:
    return RunFacts(images=list(images))
