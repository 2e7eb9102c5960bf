from __future__ import annotations

import base64
import json

from imgopt.engine.rawjson import BuildEvent, Progress, Step


def vertex(digest: str, name: str, **more: object) -> str:
    return json.dumps({"vertexes": [{"digest": digest, "name": name, **more}]})


def log(digest: str, text: str) -> str:
    return json.dumps(
        {
            "logs": [
                {"vertex": digest, "stream": 1, "data": base64.b64encode(text.encode()).decode()}
            ]
        }
    )


def at(seconds: float) -> str:
    return f"2026-01-02T03:04:{seconds:012.9f}Z"


def read(*lines: str) -> Progress:
    progress = Progress()
    for line in lines:
        progress.feed(line)
    return progress


def only_step(*lines: str) -> Step:
    [step] = read(*lines).steps()
    return step


def test_the_time_of_a_step_is_its_last_interval_because_the_first_is_the_cache_probe() -> None:
    step = only_step(
        vertex("a", "[2/3] RUN make", started=at(1), completed=at(9)),
        vertex("a", "[2/3] RUN make", started=at(10), completed=at(12.5)),
    )
    assert step.seconds == 2.5
    assert not step.cached


def test_a_step_is_a_hit_when_any_of_its_intervals_is_cached() -> None:
    step = only_step(
        vertex("a", "[2/3] RUN make", started=at(1), completed=at(2), cached=True),
        vertex("a", "[2/3] RUN make", started=at(3), completed=at(4)),
    )
    assert step.cached
    assert step.seconds == 0.0


def test_a_step_that_never_ran_has_no_time() -> None:
    assert only_step(vertex("a", "[2/3] RUN make")).seconds is None


def test_stage_index_and_platform_are_read_from_the_name() -> None:
    step = only_step(vertex("a", "[linux/arm64 builder  9/12] RUN echo ]\nx"))
    assert (step.stage, step.index, step.total, step.keyword) == ("builder", 9, 12, "RUN")
    assert step.name == "RUN echo ]\nx"


def test_internal_vertices_and_exports_are_no_steps() -> None:
    progress = read(
        vertex("a", "[internal] load build context", started=at(1), completed=at(2)),
        vertex("b", "exporting to image", started=at(2), completed=at(4)),
        vertex("c", "[auth] library/python:pull token"),
        vertex("d", "[context base] load metadata for base"),
    )
    assert progress.steps() == ()
    assert progress.activities()["exporting to image"] == 2.0


def test_the_base_of_a_single_stage_gets_its_own_place_back_from_a_concurrent_build() -> None:
    steps = read(
        vertex("a", "[stage-1 1/9] FROM debian", started=at(1), completed=at(1)),
        vertex("b", "[2/3] RUN a", started=at(2)),
        vertex("c", "[3/3] RUN b", started=at(3)),
    ).steps()
    assert [(step.stage, step.index, step.total) for step in steps] == [
        ("", 1, 3),
        ("", 2, 3),
        ("", 3, 3),
    ]


def test_output_is_cut_into_lines_and_a_progress_bar_leaves_its_last_state() -> None:
    step = only_step(
        vertex("a", "[1/1] RUN x"), log("a", "one\ntw"), log("a", "o\n10%\r50%\r100%\nend")
    )
    assert step.log == ("one", "two", "100%", "end")


def test_output_is_bounded_in_lines_and_in_width() -> None:
    step = only_step(vertex("a", "[1/1] RUN x"), log("a", "x\n" * 5000 + "y" * 100_000 + "\n"))
    assert len(step.log) <= 61
    assert max(map(len, step.log)) <= 2000


def test_what_is_no_json_is_kept_as_the_message_with_its_line() -> None:
    progress = read(
        "Dockerfile:3",
        "--------------------",
        "   3 | >>> RUN false",
        "--------------------",
        'ERROR: failed to build: failed to solve: process "/bin/sh -c false" did not complete: exit code: 1',
    )
    assert progress.place == 3
    assert progress.message == 'process "/bin/sh -c false" did not complete: exit code: 1'


def test_the_failed_step_is_not_one_that_was_cancelled_because_of_it() -> None:
    progress = read(
        vertex("a", "[a 1/1] RUN sleep", error="context canceled: context canceled"),
        vertex("b", "[b 1/1] RUN false", error="exit code: 1"),
    )
    failed = progress.failed()
    assert failed is not None
    assert failed.stage == "b"


def test_damaged_lines_are_survived() -> None:
    progress = read(
        "[]",
        "{",
        '{"vertexes": 3, "logs": [{"vertex": "none", "data": "!"}]}',
        "null",
        vertex("a", "[1/1] RUN x"),
    )
    assert len(progress.steps()) == 1


def test_a_listener_hears_of_start_output_and_end() -> None:
    heard: list[BuildEvent] = []
    progress = Progress(heard.append)
    progress.feed(vertex("a", "[1/1] RUN x", started=at(1)))
    progress.feed(log("a", "hello\n"))
    progress.feed(vertex("a", "[1/1] RUN x", started=at(1), completed=at(2)))
    assert [(event.kind, event.text) for event in heard] == [
        ("started", ""),
        ("output", "hello"),
        ("finished", ""),
    ]
