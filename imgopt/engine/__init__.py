"""The Docker engine: builds through BuildKit, containers, and a session that leaves nothing behind.

    with Session(connect()) as session:
        build = session.build(BuildRequest(context=Path(".")))
        with session.start(RunRequest(image=build.reference, ports=("8000/tcp",))) as container:
            print(container.logs().text)

`Session` adds to `Engine` that everything made carries the label `imgopt.session` and is removed on
every exit.
"""

from __future__ import annotations

from imgopt.engine.build import Build, BuildFailure, BuildRequest, configured
from imgopt.engine.client import Engine, connect
from imgopt.engine.container import Change, Container, Logs, Output, Process
from imgopt.engine.facts import EngineFacts
from imgopt.engine.rawjson import BuildEvent, Step
from imgopt.engine.run_request import RunRequest
from imgopt.engine.session import Session, sweep

__all__ = [
    "Build",
    "BuildEvent",
    "BuildFailure",
    "BuildRequest",
    "Change",
    "Container",
    "Engine",
    "EngineFacts",
    "Logs",
    "Output",
    "Process",
    "RunRequest",
    "Session",
    "Step",
    "configured",
    "connect",
    "sweep",
]
