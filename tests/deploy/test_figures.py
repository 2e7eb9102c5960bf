"""Every figure follows its formula, and says where it is from."""

from __future__ import annotations

import pytest
from deploy_facts import MIB, SHAPES, deaf, jvm, plain_web, streaming, web, writer

from imgopt.deploy import figures
from imgopt.deploy.model import Options
from imgopt.deploy.plan import chosen, label, plan_of
from imgopt.errors import InputError
from imgopt.results.run_facts import ImageFacts, Memory, Port, RunFacts, Stop, Tried


def test_a_memory_limit_is_the_loaded_peak_and_a_seventh_in_steps() -> None:
    said = figures.memory_limit(web())
    assert said.value == 256 * MIB
    assert said.origin == "peak 212 MiB x 1.15, 60 s of load"


def test_a_peak_without_load_gets_more_room() -> None:
    said = figures.memory_limit(plain_web())
    assert said.value == 48 * MIB
    assert "without load" in said.origin


@pytest.mark.parametrize("peak", [1, 100, 111, 212, 1000, 5000])
def test_no_limit_is_below_the_peak_and_every_one_is_in_whole_steps(peak: int) -> None:
    memory = Memory(settled=peak * MIB, peak_load=peak * MIB)
    limit = figures.memory_limit(web(memory=memory))
    assert limit.value >= peak * MIB * 1.15
    assert limit.value % (16 * MIB) == 0
    assert figures.memory_request(web(memory=memory), limit).value <= limit.value


def test_what_was_not_measured_is_a_default_that_says_so() -> None:
    nothing = ImageFacts(reference="a")
    for said in (
        figures.memory_limit(nothing),
        figures.cpu_request(nothing),
        figures.startup_window(nothing),
        figures.request_timeout(nothing),
        figures.grace(nothing, drained=0, agent=False),
    ):
        assert said.measured is False
        assert "not measured" in said.origin
        assert said.note.startswith("rule: ")


def test_a_limit_that_was_tried_and_held_is_the_limit() -> None:
    said = figures.memory_limit(jvm())
    assert said.value == 512 * MIB
    assert said.origin.startswith("tried under it, and it held; peak 330 MiB")
    held = [Tried(memory_limit=208 * MIB, survived=True)]
    assert figures.memory_limit(web(tried=held)).value == 208 * MIB


def test_a_limit_below_one_that_fell_is_no_limit_that_held() -> None:
    tried = [
        Tried(memory_limit=400 * MIB, survived=False),
        Tried(memory_limit=300 * MIB, survived=True),
    ]
    assert figures.memory_limit(web(tried=tried)).value == 512 * MIB


def test_a_limit_that_fell_without_the_variables_says_nothing_of_them() -> None:
    tried = [
        Tried(memory_limit=512 * MIB, survived=False),
        Tried(memory_limit=512 * MIB, survived=True, environment={"A": "1"}),
    ]
    assert figures.memory_limit(web(tried=tried)).value == 512 * MIB


def test_an_authors_limit_may_be_as_low_as_one_that_held() -> None:
    assert figures.least_memory(web()) == 212 * MIB
    held = [Tried(memory_limit=208 * MIB, survived=True)]
    assert figures.least_memory(web(tried=held)) == 208 * MIB


def test_a_limit_that_was_tried_and_fell_is_passed() -> None:
    fell = [Tried(memory_limit=400 * MIB, survived=False)]
    assert figures.memory_limit(web(tried=fell)).value == 512 * MIB  # 500 in steps


def test_the_window_of_a_start_is_three_of_the_worst_also_under_a_limit() -> None:
    assert figures.startup_window(jvm()).value == 90
    assert figures.startup_window(web()).value == 30


def test_grace_is_drain_and_work_and_margin() -> None:
    assert figures.grace(web(), drained=5, agent=False).value == 12  # 5 + 1.3 + 5
    slow = web(stops=[Stop(signal="SIGTERM", in_flight=1, seconds=8.4)])
    assert figures.grace(slow, drained=5, agent=False).value == 19


def test_a_stop_that_was_killed_makes_no_longer_grace() -> None:
    assert figures.grace(deaf(), drained=5, agent=False).value == 12


@pytest.mark.parametrize(("seconds", "grace"), [(1.0, 180), (200.0, 210), (900.0, 300)])
def test_an_agents_grace_is_asked_for_and_bounded(seconds: float, grace: int) -> None:
    facts = web(longest_answer_seconds=seconds)
    assert figures.grace(facts, drained=5, agent=True).value == grace
    assert figures.grace(web(), drained=5, agent=False).value < 180


def test_processors_are_half_of_what_the_load_kept_busy() -> None:
    assert figures.cpu_request(web()).value == 0.4  # 200/s x 4 ms x 0.5


def test_a_stream_has_no_end_that_a_gateway_could_know() -> None:
    assert figures.request_timeout(streaming()).value == 300
    assert figures.request_timeout(web()).value == 10


@pytest.mark.parametrize("shape", SHAPES)
def test_storage_has_room_for_all_folders_that_may_be_written(shape: str) -> None:
    plan = plan_of(SHAPES[shape](), Options())
    assert plan.storage.value >= sum(one.size.value for one in plan.writable) + 64 * MIB


def test_every_writable_folder_holds_four_times_what_was_written() -> None:
    sizes = {one.path: one.size.value for one in plan_of(writer(), Options()).writable}
    assert sizes == {
        "/tmp": 64 * MIB,
        "/var/lib/App Data": 192 * MIB,
        "/data": 64 * MIB,
    }


@pytest.mark.parametrize(
    ("name", "as_label"),
    [
        ("notes", "notes"),
        ("My_App", "my-app"),
        ("2048", "app-2048"),
        ("--", "app"),
        ("x" * 90, "x" * 40),
        ("é", "app"),
    ],
)
def test_a_name_is_one_that_a_cluster_takes(name: str, as_label: str) -> None:
    assert label(name) == as_label


@pytest.mark.parametrize(
    "reference", ["sha256:" + "a" * 64, "a b", "a\nimage: b", "", "x/UP", "x:"]
)
def test_an_image_that_no_file_can_name_is_refused(reference: str) -> None:
    with pytest.raises(InputError, match="no name that a file could pull") as caught:
        plan_of(web(reference=reference), Options())
    assert "--image" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "reference",
    ["a", "localhost:5000/a/b:1", "r.example/a__b@sha256:" + "0" * 64, "imgopt.local/a:x"],
)
def test_an_image_that_can_be_named_is_named(reference: str) -> None:
    assert plan_of(web(reference=reference), Options()).image == reference


def test_the_variant_is_taken_unless_another_is_named() -> None:
    facts = RunFacts(images=[web(name="original"), web(name="slim", reference="b")])
    assert chosen(facts).name == "slim"
    assert chosen(facts, "original").name == "original"
    with pytest.raises(InputError, match="no facts of an image 'x'"):
        chosen(facts, "x")
    with pytest.raises(InputError, match="of no image"):
        chosen(RunFacts())


def test_a_port_that_nobody_reaches_is_not_served_and_said() -> None:
    plan = plan_of(web(ports=[Port(number=8000, address="127.0.0.1", speaks="http")]), Options())
    assert plan.port is None
    assert any(one.level == "error" and "127.0.0.1" in one.message for one in plan.remarks)


def test_of_several_ports_the_one_that_speaks_http_is_served() -> None:
    ports = [Port(number=9), Port(number=8080, speaks="http"), Port(number=5, transport="udp")]
    assert plan_of(web(ports=ports), Options()).port == 8080


def test_a_stop_that_ends_in_a_kill_is_an_error_that_names_what_mends_it() -> None:
    found = [one for one in plan_of(deaf(), Options()).remarks if one.level == "error"]
    assert "killed" in found[0].message
    assert "graceful-stop" in found[0].fix


def test_secrets_are_known_by_name_and_by_what_they_hold() -> None:
    given = {"STORE": "redis://u:pw@store", "HOST": "redis://store"}
    names = ["MODEL_KEY", "MODEL_URL", "MODE", "STORE", "HOST", "DB_PASSWORD"]
    plan = plan_of(web(given_environment=names), Options(environment=given))
    kinds = {one.name: one.kind for one in plan.variables}
    assert kinds == {
        "MODEL_KEY": "secret",
        "MODEL_URL": "secret",
        "MODE": "unknown",
        "STORE": "secret",
        "HOST": "plain",
        "DB_PASSWORD": "secret",
    }


def test_flags_of_several_rules_are_one_variable_as_it_was_tried() -> None:
    (setting,) = plan_of(jvm(), Options()).variables
    assert setting.value == "-XX:MaxRAMPercentage=70 -XX:+ExitOnOutOfMemoryError"
    assert setting.origin == "by J3, J6; tried, and it held"
    (untried,) = plan_of(jvm(tried=[]), Options()).variables
    assert untried.value == setting.value
