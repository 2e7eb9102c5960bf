from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from recipes import File, Recipe

from imgopt.image import Image
from imgopt.image.tree import Tree
from imgopt.results.run_facts import Written
from imgopt.run.facts.conditions import Conditions
from imgopt.run.facts.rights import Same, capabilities, likely, outermost, read_only_root
from imgopt.run.listening import Listener
from imgopt.run.observation import Observation, RunPlan
from imgopt.run.pictures import Picture, Process
from imgopt.run.probes import Answer, Probe

PLAN = RunPlan((80,), (80,), (), False, 1.0)


def answer(path: str, status: int | None) -> Answer:
    return Answer(Probe("http", "found", 80, path), status)


def run(*answers: Answer, log: str = "", **other: object) -> Observation:
    seen = Observation("web", True, "", PLAN, answers or (answer("/", 200),), log=log)
    return replace(seen, **other)


FIRST = run()
FAILED = run(answer("/", 500))


def same(first: Observation = FIRST, again: Observation | None = None) -> Same:
    return Same(first, again or first)


def test_the_same_answers_are_the_same() -> None:
    assert same().why_not(run()) == ""


def test_another_status_is_told() -> None:
    assert same().why_not(FAILED) == "GET :80/: 500 instead of 200"


def test_what_two_ordinary_runs_answer_differently_is_no_difference() -> None:
    first = run(answer("/", 200), answer("/limited", 200))
    judged = Same(first, run(answer("/", 200), answer("/limited", 429)))
    assert judged.why_not(run(answer("/", 200), answer("/limited", 503))) == ""


def test_a_new_complaint_in_the_log_counts_and_an_old_one_does_not() -> None:
    first = run(log="12:01 cannot write /x: Permission denied")
    assert same(first).why_not(run(log="12:44 cannot write /x: Permission denied")) == ""
    assert "EROFS" in same(first).why_not(run(log="Error: EROFS: read-only file system, open '/y'"))


def test_a_program_that_ends_is_told_by_its_code() -> None:
    ends = replace(FIRST, plan=replace(PLAN, ends=True), exit_code=0, answers=())
    assert same(ends).why_not(replace(ends, exit_code=0)) == ""
    assert same(ends).why_not(replace(ends, exit_code=1)) == "it ended with 1 instead of 0"


def test_what_does_not_start_says_what_it_complained_of() -> None:
    seen = run(started=False, reason="it ended", log="bind: Permission denied")
    assert same().why_not(seen) == "it ended: bind: Permission denied"


def needing(*names: str) -> Callable[[Conditions], Observation]:
    def attempt(conditions: Conditions) -> Observation:
        return run() if set(names) <= set(conditions.cap_add) else FAILED

    return attempt


def test_nothing_is_needed() -> None:
    found = capabilities(same(), needing(), sysctls=True)
    assert (found.needed, found.tried) == ([], True)


@pytest.mark.parametrize(
    "names",
    [
        ("NET_BIND_SERVICE",),
        ("SETGID", "SETUID"),
        ("CHOWN", "SETGID", "SETUID"),
        ("DAC_OVERRIDE",),
        ("NET_RAW",),
    ],
)
def test_the_fewest_are_found(names: tuple[str, ...]) -> None:
    found = capabilities(same(), needing(*names), sysctls=True)
    assert sorted(found.needed) == sorted(names)
    assert "500 instead of 200" in found.detail


def test_low_ports_are_closed_for_the_trial_where_that_can_be() -> None:
    asked: list[Conditions] = []

    def attempt(conditions: Conditions) -> Observation:
        asked.append(conditions)
        return run()

    capabilities(same(), attempt, sysctls=True)
    capabilities(same(), attempt, sysctls=False)
    assert [bool(one.sysctls) for one in asked] == [True, False]
    assert asked[0].cap_drop == ("ALL",)


def test_what_no_set_mends_is_said_and_not_guessed() -> None:
    found = capabilities(same(), needing("SYS_ADMIN"), sysctls=True)
    assert found.needed == [] and found.tried
    assert found.detail.startswith("no set of capabilities")


def test_trials_are_bounded() -> None:
    count = 0

    def attempt(conditions: Conditions) -> Observation:
        nonlocal count
        count += 1
        return run() if len(conditions.cap_add) > 13 else FAILED

    capabilities(same(), attempt, sysctls=True)
    assert count <= 26


@pytest.fixture
def tree(image_of: Callable[[Recipe], Image]) -> Tree:
    files = {"app/main.py": "x", "tmp": File(folder=True, mode=0o1777)}
    return image_of(Recipe((("COPY . .", files),), {})).tree()


def folders(*names: str) -> list[Written]:
    return [Written(folder=name, bytes=1, files=1) for name in names]


def writable(*places: str) -> Callable[[Conditions], Observation]:
    """A service that has to write to these, and whose program lies in /app."""

    def attempt(conditions: Conditions) -> Observation:
        mounted = {one.partition(":")[0] for one in conditions.tmpfs}
        assert conditions.read_only
        return run() if set(places) <= mounted and "/app" not in mounted else FAILED

    return attempt


def test_who_writes_nowhere_needs_no_folder(tree: Tree) -> None:
    found = read_only_root(same(), writable(), folders("/tmp"), tree)
    assert (found.works, found.tmpfs) == (True, [])


def test_only_the_folders_that_it_needs_stay(tree: Tree) -> None:
    asked = folders("/tmp", "/app/uploads", "/run/x")
    found = read_only_root(same(), writable("/app/uploads"), asked, tree)
    assert (found.works, found.tmpfs) == (True, ["/app/uploads"])


def test_a_folder_that_would_hide_the_program_is_left_out(tree: Tree) -> None:
    found = read_only_root(same(), writable("/tmp"), folders("/tmp", "/app"), tree)
    assert (found.works, found.tmpfs) == (True, ["/tmp"])


def test_a_file_beside_the_program_does_not_work_and_says_why(tree: Tree) -> None:
    found = read_only_root(same(), writable("/app"), folders("/app"), tree)
    assert (found.works, found.tmpfs) == (False, [])
    assert found.detail == "GET :80/: 500 instead of 200"


def test_the_root_and_volumes_are_no_places_to_mount_at(tree: Tree) -> None:
    asked = [*folders("/"), Written(folder="/data", bytes=1, files=1, volume=True)]
    assert read_only_root(same(), writable("/data"), asked, tree).works is False


def test_a_file_that_is_taken_away_again_still_needs_its_folder(tree: Tree) -> None:
    found = read_only_root(same(), writable("/tmp"), folders(), tree)
    assert (found.works, found.tmpfs) == (True, ["/tmp"])
    found = read_only_root(same(), writable("/run"), folders("/tmp"), tree)
    assert (found.works, found.tmpfs) == (True, ["/run"])


def test_the_last_line_of_a_log_says_why() -> None:
    seen = run(started=False, reason="it ended", log="a\nNo usable temporary directory\n\n")
    assert same().why_not(seen) == "it ended: No usable temporary directory"


def test_a_folder_below_another_is_no_place_of_its_own() -> None:
    assert outermost(["/tmp/a", "/tmp", "/data", "/tmp", "/tmpfs"]) == ["/data", "/tmp", "/tmpfs"]


def test_what_was_seen_is_tried_first_and_the_fewest_of_it_are_kept() -> None:
    asked: list[tuple[str, ...]] = []

    def attempt(conditions: Conditions) -> Observation:
        asked.append(conditions.cap_add)
        return needing("SETGID", "SETUID")(conditions)

    guess = ("CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID")
    found = capabilities(same(), attempt, sysctls=True, guess=guess)
    assert found.needed == ["SETGID", "SETUID"]
    assert len(asked) == 6


def test_a_low_port_and_another_user_are_seen() -> None:
    other = Picture((Process(1, 0, "/x"), Process(7, 1, "/x", uid=33)))
    seen = run(listening=(Listener(80, False),), pictures=(other,))
    assert likely(seen, as_root=True) == ("CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID")
    assert likely(seen, as_root=False) == ("NET_BIND_SERVICE",)
    assert likely(run(), as_root=True) == ()
