"""Builds the images that are checked from their Dockerfiles, and removes them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from imgopt.ci.subjects import Subject
from imgopt.config import Config

Say = Callable[[str], None]


@contextmanager
def built(
    subjects: Sequence[Subject],
    config: Config,
    *,
    rebuild: bool,
    say: Say,
    keep_going: bool = False,
) -> Iterator[list[Subject]]:
    """The subjects with references; those without one (all, where `rebuild`) are built for as long
    as this is open.

    Raises BuildFailure (exit code 1) with the line that fails, or with `keep_going` notes it in the
    subject and builds the others; EnvironmentFailure where no engine answers.
    """
    if not rebuild and all(subject.reference for subject in subjects):
        yield list(subjects)
        return
    from imgopt.engine import BuildFailure, Session, configured, connect

    with Session(connect()) as session:
        ready = []
        for subject in subjects:
            if (
                subject.dockerfile is None
                or subject.context is None
                or (subject.reference and not rebuild)
            ):
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
            try:
                ready.append(replace(subject, reference=session.build(request).reference))
            except BuildFailure as failure:
                if not keep_going:
                    raise
                ready.append(replace(subject, failure=failure))
        yield ready
