from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgopt.report.treemap import nested, outlines
from imgopt.results.figures import PathFigure
from imgopt.results.path_tree import leaves, reduced, totals

NAMES = st.sampled_from(["a", "b", "usr", "lib", "x" * 50, ""])
PATHS = st.lists(NAMES, max_size=6).map(lambda parts: "/" + "/".join(parts))
FIGURES = st.lists(
    st.builds(PathFigure, path=PATHS, before=st.integers(0, 10**9), after=st.integers(0, 10**9)),
    max_size=60,
)


@given(FIGURES, st.integers(1, 40))
@settings(max_examples=200)
def test_leaves_always_sum_to_what_went_in(figures: list[PathFigure], limit: int) -> None:
    nodes = leaves(figures, limit)
    assert totals(nodes) == (sum(f.before for f in figures), sum(f.after for f in figures))
    assert sum(node.files_before for node in nodes) == sum(
        figure.files_before for figure in figures
    )


def test_the_heaviest_are_shown_and_the_rest_is_counted() -> None:
    figures = [PathFigure(path=f"/lib/{number}", before=1, after=1) for number in range(500)]
    nodes = leaves([*figures, PathFigure(path="/big", before=10_000, after=0)], 20)
    assert [(node.path, node.rest) for node in nodes] == [("/big", 0), ("/lib/", 500)]


def test_the_number_of_leaves_stays_near_the_limit() -> None:
    figures = [PathFigure(path=f"/{n % 7}/{n % 31}/{n}", before=n, after=n) for n in range(20_000)]
    assert len(leaves(figures, 300)) <= 330


def test_a_path_of_ten_thousand_parts_is_no_recursion() -> None:
    deep = PathFigure(path="/a" * 10_000, before=5, after=5)
    nodes = leaves([deep], 50)
    assert totals(nodes) == (5, 5)
    assert len(nested(nodes)) == 1


@given(FIGURES, st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=100)
def test_what_was_reduced_can_be_reduced_again(
    figures: list[PathFigure], limit: int, again: int
) -> None:
    nodes = leaves(reduced(figures, limit), again)
    assert totals(nodes) == (sum(f.before for f in figures), sum(f.after for f in figures))
    assert nodes == leaves(reduced(reduced(figures, limit), limit), again)


@given(FIGURES)
@settings(max_examples=100)
def test_the_map_fills_its_box_in_proportion_and_nothing_leaves_it(
    figures: list[PathFigure],
) -> None:
    nodes = leaves(figures, 40)
    placed = nested(nodes)
    total = sum(node.weight for node in nodes)
    for node, box in placed:
        assert -1e-6 <= box.x <= box.x + box.width <= 100 + 1e-6
        assert -1e-6 <= box.y <= box.y + box.height <= 100 + 1e-6
        assert abs(box.width * box.height / 10_000 - node.weight / total) < 1e-6
    assert sum(node.weight for node, _ in placed) == total


@given(FIGURES)
@settings(max_examples=100)
def test_the_outline_of_a_folder_holds_all_its_boxes_and_no_other(
    figures: list[PathFigure],
) -> None:
    placed = nested(leaves(figures, 40))
    for folder, around in outlines(placed):
        inside = [box for node, box in placed if f"{node.path.rstrip('/')}/".startswith(folder)]
        assert len(inside) > 1
        assert sum(box.width * box.height for box in inside) == pytest.approx(
            around.width * around.height, abs=1e-6
        )
