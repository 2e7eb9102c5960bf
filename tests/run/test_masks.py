from __future__ import annotations

import time

import pytest

from imgopt.run.masks import canonical, differs, mask_of, mismatch, tokens


def same(originals: list[str], candidate: str) -> bool:
    return mismatch(mask_of(originals), candidate) is None


@pytest.mark.parametrize(
    ("first", "second", "candidate"),
    [
        ("now 2026-11-22T11:54:19Z", "now 2026-11-22T11:54:20Z", "now 2026-11-23T00:01:59Z"),
        (
            "at Sun, 22 Nov 2026 11:54:19 GMT.",
            "at Sun, 22 Nov 2026 11:54:25 GMT.",
            "at Mon, 23 Nov 2026 01:00:00 GMT.",
        ),
        ('{"took": "12.5ms"}', '{"took": "9ms"}', '{"took": "101.75ms"}'),
        (
            "id=3f2a9c41-0b1e-4c55-9a07-1f2e3d4c5b6a;",
            "id=aaaa9c41-1b1e-4c55-9a07-1f2e3d4c5b6b;",
            "id=00000000-1111-4c55-9a07-ffffffffffff;",
        ),
        ("<input value='Zx81kd9'>", "<input value='Qp0aa17'>", "<input value='Mn55xz2'>"),
        ("worker-17 of web", "worker-18 of web", "worker-9 of web"),
        ("id TBV8OdU90V6N7kQicid-e;", "id 9xAbOdU90V6N7kQicid_e;", "id gWWpZBOqToXdyPRdeVcYN;"),
        ("a\nextra 5\nb", "a\nb", "a\nextra 7\nb"),
        ("a\nb", "a\nextra 5\nb", "a\nextra 9\nb"),
    ],
)
def test_what_differs_between_two_runs_of_the_original_may_differ(
    first: str, second: str, candidate: str
) -> None:
    assert same([first, second], candidate)
    assert not same([first, first], candidate)


@pytest.mark.parametrize(
    ("first", "second", "candidate"),
    [
        ("now 11:54:19 in Rome", "now 11:54:20 in Rome", "now 11:54:21 in Oslo"),
        ("uptime 12.5 ok", "uptime 13.5 ok", "uptime unknown ok"),
        ("id TBV8OdU90V6N7kQicid-e", "id 9xAbOdU90V6N7kQicid_e", "id none of those that"),
        ("uptime 12.5 ok", "uptime 13.5 ok", "uptime 14.5 ok and more"),
        ("uptime 12.5 ok", "uptime 13.5 ok", ""),
        ("users 3, at 11:54:19", "users 3, at 11:54:20", "users 4, at 11:54:21"),
        ("version 1.2.3, at 11:54:19", "version 1.2.3, at 11:54:20", "version 1.2.4, at 11:54:21"),
        ("hello", "hello", "hello!"),
    ],
)
def test_what_is_the_same_in_both_runs_must_stay(first: str, second: str, candidate: str) -> None:
    assert not same([first, second], candidate)


def test_a_value_that_happened_not_to_change_is_told_as_one_that_another_run_can_settle() -> None:
    found = mismatch(mask_of(["visits: 3", "visits: 3"]), "visits: 4")
    assert found is not None
    assert found.changing
    assert mismatch(mask_of(["visits: 3", "visits: 3", "visits: 5"]), "visits: 4") is None


def test_a_changed_word_is_not_a_value_that_changes() -> None:
    found = mismatch(mask_of(["all well", "all well"]), "all lost")
    assert found is not None
    assert not found.changing
    assert (found.before, found.after) == ("all well", "all lost")


def test_json_is_compared_without_its_order_and_spaces() -> None:
    assert canonical(b'{"b":1,"a":[2]}', "application/json") == canonical(
        b'{ "a": [2],\n"b": 1}', "application/json"
    )


def test_damaged_or_endless_json_stays_text() -> None:
    assert canonical(b"{", "application/json") == "{"
    assert canonical(b"[" * 200_000, "application/json").startswith("[[[")


def test_tokens_lose_nothing() -> None:
    text = "a.b-c 12.5ms\n\t<x y='1'>é☃ 2026-01-01T00:00:00.5+02:00 {}\x00"
    assert "".join(tokens(text)) == text


@pytest.mark.parametrize("separator", [" ", "\n"])
def test_long_texts_that_differ_everywhere_take_bounded_time(separator: str) -> None:
    one, two = (separator.join(str(i * k % 7919) for i in range(40_000)) for k in (3, 5))
    started = time.monotonic()
    assert mismatch(mask_of([one, one]), two) is not None
    assert time.monotonic() - started < 10


def test_in_a_long_text_one_changed_value_is_masked_and_another_is_not() -> None:
    lines = [f"row {number} of many" for number in range(5000)]
    first, second = ("\n".join([f"at 11:54:{n}", *lines, f"took {n}ms"]) for n in (19, 20))
    assert same([first, second], first.replace("11:54:19", "11:55:55"))
    assert not same([first, second], first.replace("row 2500 of", "row 2500 off"))


METRICS = {
    "memory of the process": ("go_threads 7\nup 1\n", "go_threads 8\nup 1\n", True),
    "with labels": ('jvm_memory{area="heap"} 1.5e6\n', 'jvm_memory{area="heap"} 2\n', True),
    "a metric of the service": ("probe_success 1\n", "probe_success 0\n", False),
    "a label of the run time": (
        'go_info{version="go1.22"} 1\n',
        'go_info{version="go1.23"} 1\n',
        False,
    ),
    "a metric of the process that is gone": ("go_threads 7\nup 1\n", "up 1\n", False),
}


@pytest.mark.parametrize(("before", "after", "alike"), METRICS.values(), ids=METRICS)
def test_what_a_process_measures_of_itself_is_not_compared(
    before: str, after: str, alike: bool
) -> None:
    kind = "text/plain; version=0.0.4; charset=utf-8"
    assert (canonical(before.encode(), kind) == canonical(after.encode(), kind)) is alike
    assert canonical(before.encode(), "text/plain") == before
    assert canonical(b"# HELP go_threads x\ngo_threads 7\n", "text/plain").endswith(
        "go_threads #\n"
    )


ORDERS = {
    "another order": (["a\nb\nc\n", "c\na\nb\n"], "b\nc\na\n", True),
    "a line is gone": (["a\nb\nc\n", "c\na\nb\n"], "b\nc\n", False),
    "a line is another": (["a\nb\nc\n", "c\na\nb\n"], "b\nc\nx\n", False),
    "always the same order": (["a\nb\nc\n", "a\nb\nc\n"], "b\nc\na\n", False),
}


@pytest.mark.parametrize(("originals", "text", "alike"), ORDERS.values(), ids=ORDERS)
def test_the_order_of_lines_says_nothing_where_it_changes_by_itself(
    originals: list[str], text: str, alike: bool
) -> None:
    assert (differs(originals, text) is None) is alike
