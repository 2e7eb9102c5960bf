"""Builds the images that are checked from their Dockerfiles, and removes them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from imgopt.ci.subjects import Subject
from imgopt.config import Config

Say = Callable[[str], None]


@contextmanager
def built(subjects: Sequence[Subject], config: Config, *, rebuild: bool, say: Say) -> Iterator[list[Subject]]:
    """The subjects with references; those without one (all, where `rebuild`) are built for as long as this is open.

    Raises BuildFailure (exit code 1) with the line that fails, EnvironmentFailure where no engine answers.
    """
    if not rebuild and all(subject.reference for subject in subjects):
        yield list(subjects)
        return
    from imgopt.engine import Session, configured, connect

    with Session(connect()) as session:
        ready = []
        for subject in subjects:
            if subject.dockerfile is None or subject.context is None or (subject.reference and not rebuild):
                ready.append(subject)
                continue
            say(f"building {subject}")
            request = replace(
                configured(subject.context, config),
                dockerfile=subject.dockerfile,
                target=subject.target,
                platform=subject.platform or config.build.platform,
                file=str(subject.dockerfile),
            )
            done = session.build(request)
            ready.append(replace(subject, reference=done.reference))
        yield ready
