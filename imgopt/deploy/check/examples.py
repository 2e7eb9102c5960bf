"""Files to write examples of rules with: whole ones, of which an example says what differs.

The line on which a rule finds something ends with `# <-`.
"""

from __future__ import annotations

from textwrap import indent
from typing import Any

from imgopt.deploy.check.rule import Case
from imgopt.results.run_facts import (
    ImageFacts,
    Load,
    Memory,
    Port,
    Samples,
    Start,
    Stop,
    User,
)

MARK = "# <-"

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: {kind}
metadata:
  name: web
spec:
{spec}  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
{pod}      containers:
        - name: web
          image: shop:1.4
{container}"""

SERVICE = """\
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
"""


def deployment(
    container: str = "",
    *,
    pod: str = "",
    spec: str = "replicas: 2\n",
    kind: str = "Deployment",
    more: str = "",
) -> str:
    """One with these lines in its container, its pod and its spec; `more` are further documents."""
    return (
        _DEPLOYMENT.format(
            kind=kind,
            spec=indent(spec, "  "),
            pod=indent(pod, "      "),
            container=indent(container, "          "),
        )
        + more
    )


def service(lines: str, more: str = "", image: str = "image: shop:1.4\n") -> str:
    """A Compose file with one service."""
    return f"services:\n  web:\n{indent(image + lines, '    ')}{more}"


def marked(case: Case) -> int:
    """The line that its mark is on; 0 for none."""
    lines = case.text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if line.endswith(MARK)), 0)


def facts(**given: Any) -> ImageFacts:
    """What a run showed of a small web service; `given` is what differs."""
    known: dict[str, Any] = {
        "reference": "shop:1.4",
        "start": Start(by="GET /", warm=Samples(values=[1.9, 2.0]), cold=Samples(values=[6.0])),
        "memory": Memory(settled=100 << 20, peak_start=120 << 20, peak_load=200 << 20),
        "ports": [Port(number=8080, speaks="http")],
        "user": User(said="65532:65532", uid=65532, gid=65532),
        "load": Load(path="/", seconds=60.0, workers=4, requests=1000, failed=0, per_second=16.0),
        **given,
    }
    return ImageFacts(**known)


def stop(**given: Any) -> Stop:
    known: dict[str, Any] = {"signal": "SIGTERM", "seconds": 0.3, "exit_code": 0, **given}
    return Stop(**known)
