"""Who reads blobs: the same tasks and answers, whether processes of this machine do it or Dask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from imgopt.fleet.scan.facts import Facts, Task
from imgopt.fleet.scan.login import Login

MOST_DEATHS = 3
"""A blob whose worker died so often is not tried again."""
AHEAD = 2
"""Tasks for each worker that are under way: what a crash costs at most."""


class Workers(Protocol):
    """Used as a context; what it started is gone at its end."""

    count: int

    def __enter__(self) -> Workers: ...

    def __exit__(self, *failure: object) -> None: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[Facts]:
        """The facts of each task, in the order in which they come. Raises EnvironmentFailure where
        nobody is left to read."""


Logins = Mapping[str, Login | None]
"""By host."""


def killed(task: Task) -> Facts:
    return Facts(
        digest=task.digest,
        status="damaged",
        trouble="killed",
        problem=f"the process that read it died {MOST_DEATHS} times: too little memory, or a bug",
    )
