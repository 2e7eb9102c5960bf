"""A service of any cluster, asked on this machine's loopback: `kubectl proxy`, whose API server
passes each request on to one of the pods that are ready."""

from __future__ import annotations

import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from imgopt.deploy.prove.cluster import Cluster
from imgopt.deploy.prove.loaded import Address
from imgopt.errors import EnvironmentFailure

_SERVING = re.compile(r"127\.0\.0\.1:(\d+)")
_SECONDS = 20.0


@contextmanager
def service_through_server(
    cluster: Cluster, namespace: str, service: str, port: int
) -> Iterator[Address]:
    process = subprocess.Popen(
        [*cluster.enter, *cluster.command, "proxy", "--port=0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        prefix = f"/api/v1/namespaces/{namespace}/services/{service}:{port}/proxy"
        yield Address("127.0.0.1", _port(process), enter=cluster.enter, prefix=prefix)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    deadline = time.monotonic() + _SECONDS
    line = ""
    while time.monotonic() < deadline and process.poll() is None:
        if select.select([process.stdout], [], [], 0.2)[0]:
            line = process.stdout.readline()
            if match := _SERVING.search(line):
                return int(match[1])
    raise EnvironmentFailure(f"kubectl proxy does not start: {line.strip()}")
