from __future__ import annotations

from imgopt.run.facts.in_parts import has_pauses, is_stream, worth_listening
from imgopt.run.facts.page_cache import layer_folders, resident_share
from imgopt.run.probes import Answer, Probe


def answer(path: str, seconds: float, kind: str = "text/plain", status: int = 200) -> Answer:
    probe = Probe("http", "found", 80, path)
    return Answer(probe, status, (("content-type", kind),), b"x", seconds=seconds)


def test_events_are_a_stream_by_their_kind() -> None:
    assert is_stream(answer("/events", 1.0, "text/event-stream; charset=utf-8"))
    assert not is_stream(answer("/events", 1.0, "text/event-stream", 404))
    assert not is_stream(answer("/page", 9.0))


def test_pieces_with_pauses_are_parts_and_one_slow_answer_is_none() -> None:
    assert has_pauses([1.0, 1.2, 1.4])
    assert not has_pauses([1.0, 1.001, 1.5])
    assert not has_pauses([])


def test_the_slowest_are_listened_to() -> None:
    answers = [answer("/quick", 0.01), answer("/slow", 0.5), answer("/slower", 0.9)]
    assert [probe.path for probe in worth_listening(answers)] == ["/slower", "/slow"]


def test_a_store_that_does_not_tell_its_folders_has_none() -> None:
    assert layer_folders({}) == ()
    assert layer_folders({"GraphDriver": {"Data": None}}) == ()
    assert layer_folders({"GraphDriver": {"Data": {"UpperDir": "/no/such/folder"}}}) == ()


def test_nothing_to_look_at_is_not_in_memory() -> None:
    assert resident_share([]) == 0.0
