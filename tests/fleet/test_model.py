"""The model by hand: small cases with round figures, and what has to hold for any."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgopt.errors import InputError
from imgopt.fleet.cost import model
from imgopt.fleet.cost.model import Layer, allowed, downloads, missing, pull, ready, updates
from imgopt.fleet.cost.model import rollout as rolled_out
from imgopt.fleet.cost.parameters import Parameters, known, parameters, read_settings

MB = 1_000_000
ROUND = Parameters(
    {
        "node_bandwidth": 100.0,
        "registry_bandwidth": 1000.0,
        "connection_bandwidth": 1000.0,
        "gzip_rate": 200.0,
        "zstd_rate": 1000.0,
        "disk_rate": 500.0,
        "file_seconds": 0.001,
        "layer_seconds": 0.0,
        "pull_seconds": 0.0,
        "schedule_seconds": 1.0,
        "start_seconds": 1.0,
        "app_seconds": 8.0,
        "wave_seconds": 0.0,
        "pods_per_second": 1e9,
        "nodes": 100.0,
    }
)


def layer(name: str, wire: int, raw: int = 0, files: int = 0, codec: str = "gzip") -> Layer:
    return Layer(name, wire, raw, files, codec)


def test_one_layer_is_fetched_and_then_unpacked() -> None:
    one = pull([layer("a", 100 * MB, 200 * MB, 600)], ROUND)
    assert one.download == pytest.approx(1.0)
    assert one.unpack == pytest.approx(200 / 200 + 200 / 500 + 0.6)
    assert one.seconds == pytest.approx(3.0)


def test_a_second_layer_is_unpacked_while_the_next_comes() -> None:
    """One at a time: 1 s and 1 s down; 0.5 s of unpacking each; the first's hides behind."""
    values = ROUND.with_values(download_streams=1)
    two = [layer("a", 100 * MB, files=500), layer("b", 100 * MB, files=500)]
    assert pull(two, values).seconds == pytest.approx(2.5)


def test_connections_share_the_nodes_bandwidth() -> None:
    assert downloads([100, 100], 100, 1000, 3) == pytest.approx([2.0, 2.0])
    assert downloads([50, 100], 100, 1000, 3) == pytest.approx([1.0, 1.5])
    assert downloads([100, 100], 100, 1000, 1) == pytest.approx([1.0, 2.0])
    assert downloads([100, 100], 100, 25, 3) == pytest.approx([4.0, 4.0])
    assert downloads([100, 100, 100, 100], 100, 1000, 3) == pytest.approx([3, 3, 3, 4])


def test_many_nodes_share_what_the_registry_sends() -> None:
    one = layer("a", 100 * MB)
    assert pull([one], ROUND, active=10).download == pytest.approx(1.0)
    assert pull([one], ROUND, active=100).download == pytest.approx(10.0)


def test_zstd_and_plain_bytes_are_unpacked_at_their_own_rates() -> None:
    seconds = {
        codec: pull([layer("a", 0, 1000 * MB, codec=codec)], ROUND).seconds
        for codec in ("gzip", "zstd", "none")
    }
    assert seconds["gzip"] == pytest.approx(5 + 2)
    assert seconds["zstd"] == pytest.approx(1 + 2)
    assert seconds["none"] == pytest.approx(1000 / 1900 + 2)


def test_readiness_is_the_sum_and_says_what_the_pull_has_of_it() -> None:
    whole = ready(pull([layer("a", 1000 * MB)], ROUND), ROUND)
    assert whole.seconds == pytest.approx(20.0)
    assert whole.pull_share == pytest.approx(0.5)
    assert not whole.start_bound
    assert ready(pull([layer("a", 50 * MB)], ROUND), ROUND).start_bound


def test_waves_are_of_surge_and_unavailable_pods() -> None:
    ten = [layer("a", 1000 * MB)]  # 10 s to pull for one node, and 10 nodes do not disturb it
    one = rolled_out("10%", "0", ROUND, ten)
    assert (one.batch, one.waves, one.pulling) == (10, 10, 10)
    assert one.seconds == pytest.approx(10 * 20.0)
    both = rolled_out("10%", "10%", ROUND.with_values(min_ready_seconds=5.0), ten)
    assert (both.batch, both.waves) == (20, 5)
    assert both.seconds == pytest.approx(5 * (10 + 1000 / 50 + 5))


def test_controllers_replace_so_many_pods_a_second() -> None:
    """Waves of 50 pods that take 10 s: spread over 5 s at 10 a second, over 50 s at one."""
    some = rolled_out("50%", "0", ROUND.with_values(pods_per_second=10.0), ())
    assert some.seconds == pytest.approx(2 * 10 + 5)
    few = rolled_out("50%", "0", ROUND.with_values(pods_per_second=1.0), ())
    assert few.seconds == pytest.approx(100 + 10)


def test_a_node_that_has_the_image_starts_its_next_pod_without_a_pull() -> None:
    values = ROUND.with_values(replicas=300.0)
    one = rolled_out("30", "0", values, [layer("a", 1000 * MB)])
    assert (one.waves, one.pulling) == (10, 4)
    assert one.seconds == pytest.approx(4 * (10 + 30) + 6 * 10)


def test_percentages_are_rounded_as_controllers_round_them() -> None:
    """k8s.io/kubernetes/pkg/controller/deployment/util: surge up, unavailable down; both none: 1."""
    assert doctest.testmod(model).failed == 0
    values = ROUND.with_values(replicas=3.0)
    assert rolled_out("0", "25%", values, ()).batch == 1
    assert rolled_out("0", "0", values, ()).batch == 1
    assert rolled_out("200", "0", values, ()).batch == 3


@pytest.mark.parametrize("word", ("", "x", "-1", "1.5", "25 %%", "٣", "9" * 30))
def test_what_is_no_number_of_pods_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="not a number of pods"):
        allowed(word, 10, up=True)


def test_a_release_moves_what_the_one_before_had_not() -> None:
    one, two, three = (layer(name, 10) for name in "abc")
    releases = [(one, two), (one, three), (one, two)]
    assert [[item.digest for item in each] for each in updates(releases, 1)] == [["c"], ["b"]]
    assert [[item.digest for item in each] for each in updates(releases, 2)] == [["c"], []]
    assert missing([one, one], frozenset()) == (one,)


SIZES = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(0, 10**10), st.integers(0, 10**5)), max_size=8
)


def made(sizes: list[tuple[int, int, int]]) -> list[Layer]:
    return [layer(str(number), *size) for number, size in enumerate(sizes)]


@given(SIZES, st.floats(0.5, 1000), st.floats(1, 10), st.integers(1, 5), st.integers(1, 4))
def test_more_bandwidth_is_never_slower(
    sizes: list[tuple[int, int, int]], rate: float, more: float, streams: int, workers: int
) -> None:
    values = ROUND.with_values(
        node_bandwidth=rate, download_streams=streams, unpack_streams=workers
    )
    faster = values.with_values(node_bandwidth=rate * more)
    slow, fast = pull(made(sizes), values), pull(made(sizes), faster)
    assert fast.seconds <= slow.seconds * (1 + 1e-9)
    assert fast.download <= slow.download * (1 + 1e-9)


@given(SIZES, st.floats(0.5, 1000))
def test_no_pull_beats_the_wire_or_the_work(sizes: list[tuple[int, int, int]], rate: float) -> None:
    values = ROUND.with_values(node_bandwidth=rate)
    one = pull(made(sizes), values)
    assert one.seconds >= max(one.size / (rate * MB), one.unpack) * (1 - 1e-9)
    assert one.seconds <= (one.download + one.unpack) * (1 + 1e-9)


@given(SIZES)
def test_nothing_changed_moves_nothing_and_takes_no_time(sizes: list[tuple[int, int, int]]) -> None:
    layers = made(sizes)
    (moved,) = updates([layers, layers], 1)
    assert moved == ()
    assert pull(moved, ROUND) == model.Pull(0, 0.0, 0.0, 0.0)


def test_every_figure_has_a_unit_a_default_and_a_source() -> None:
    names = [one.name for one in known()]
    assert len(names) == len(set(names))
    assert all(one.unit and one.source and one.what for one in known())


@pytest.mark.parametrize(
    ("given_values", "said"),
    (
        ({"nodez": 1.0}, "no parameter nodez"),
        ({"nodes": -1.0}, "0 or more"),
        ({"nodes": 0.0}, "at least one node"),
        ({"gzip_rate": 0.0}, "above 0"),
        ({"node_bandwidth": float("nan")}, "above 0"),
        ({"price_per_gb": float("inf")}, "0 or more"),
    ),
)
def test_wrong_figures_are_refused(given_values: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parameters(given_values)


def test_settings_are_names_and_numbers() -> None:
    assert read_settings(["gzip-rate=150", "nodes=3"]) == {"gzip_rate": 150.0, "nodes": 3.0}
    for word in ("gzip_rate", "gzip_rate=fast", "=", ""):
        with pytest.raises(InputError, match="not NAME=NUMBER"):
            read_settings([word])
