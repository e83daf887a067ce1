"""A diverse choice is worth at least half of the best one, is the same each time, and has as many points as asked."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_api.datasets.diversity import STEP, choose, pairwise_distances, value_of
from fleet_api.datasets.points import points_of
from storage.datasets.selection import Candidates, Grouped

POINTS = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=1, max_size=8)


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, float]:
    """Points with utilities, how many to choose, and the weight of distance."""
    points = draw(POINTS)
    utilities = draw(st.lists(st.integers(0, 20), min_size=len(points), max_size=len(points)))
    weight = draw(st.sampled_from([0.0, 0.1, 1.0, 10.0]))
    return np.array(points, float), np.array(utilities, float), draw(st.integers(1, len(points))), weight


def best_value(vectors: np.ndarray, utilities: np.ndarray, count: int, weight: float) -> float:
    """The value of the best choice, by trying all."""
    distances = pairwise_distances(vectors)
    sizes = range(1, count + 1)
    choices = chain.from_iterable(combinations(range(len(vectors)), size) for size in sizes)
    return max(value_of(distances, utilities, list(choice), weight) for choice in choices)


@given(problems())
def test_a_choice_is_worth_at_least_half_of_the_best_one(
    problem: tuple[np.ndarray, np.ndarray, int, float],
) -> None:
    vectors, utilities, count, weight = problem
    chosen = choose(vectors, utilities, count=count, weight=weight)
    assert 1 <= len(chosen) <= count and len(set(chosen)) == len(chosen)
    value = value_of(pairwise_distances(vectors), utilities, chosen, weight)
    assert value >= best_value(vectors, utilities, count, weight) / 2 - 1e-6


@given(POINTS, st.data())
def test_without_a_weight_there_are_as_many_as_asked_half_as_far_apart_as_can_be(
    points: list[tuple[int, int]], data: st.DataObject
) -> None:
    vectors, count = np.array(points, float), data.draw(st.integers(1, len(points)))
    chosen = choose(vectors, np.ones(len(points)), count=count)
    assert len(chosen) == count
    assert chosen == choose(vectors, np.ones(len(points)), count=count)
    if count > 1:
        distances = pairwise_distances(vectors)
        apart = [min(distances[a, b] for a, b in combinations(of, 2)) for of in combinations(range(len(points)), count)]
        found = min(distances[a, b] for a, b in combinations(chosen, 2))
        assert found >= max(apart) / 2 / (1 + STEP) - 1e-4 or max(apart) < distances.max() * STEP


def test_clusters_give_one_point_each() -> None:
    corners = np.array([(0, 0), (100, 0), (0, 100), (100, 100)], float)
    vectors = np.concatenate([corners + offset for offset in (0.0, 0.1, 0.2)])
    chosen = choose(vectors, np.ones(12), count=4)
    assert {index % 4 for index in chosen} == {0, 1, 2, 3}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_points_that_are_all_the_same_can_be_chosen(count: int) -> None:
    assert len(choose(np.zeros((5, 3)), np.ones(5), count=count)) == count


def test_the_smallest_distance_of_the_grid_does_not_depend_on_the_scale() -> None:
    vectors = np.random.default_rng(1).normal(size=(40, 3))
    assert choose(vectors, np.ones(40), count=6) == choose(vectors * 2.0**20, np.ones(40), count=6)


def candidates(**speeds: tuple[float, float, float] | None) -> Candidates:
    clips = [Grouped(name, "car-1", 52.0, 13.0) for name in speeds]
    known = {(name, "ego.speed"): row for name, row in speeds.items() if row is not None}
    return Candidates(clips, {name: frozenset(["brake"]) for name in speeds}, ["ego.speed"], known, len(clips))


def test_clips_with_the_same_statistics_place_and_trigger_are_the_same_point() -> None:
    vectors = points_of(candidates(a=(0, 30, 10), b=(0, 30, 10), c=(0, 5, 1), d=None))
    assert np.array_equal(vectors[0], vectors[1])
    assert np.linalg.norm(vectors[0] - vectors[2]) > 0.5
    assert np.linalg.norm(vectors[0] - vectors[3]) > 0.1, "missing is not the mean"


def test_clips_with_vectors_are_compared_by_these_and_the_others_by_their_statistics() -> None:
    same = (0.0, 30.0, 10.0)
    given = candidates(a=same, b=same, c=(0, 5, 1), d=same, e=(0, 5, 1), f=None)
    east, north = (1.0, 0.0), (0.0, 1.0)
    points = points_of(replace(given, vectors={"a": east, "b": north, "c": east}))
    distances = pairwise_distances(points)
    assert distances[0, 2] == 0, "the same happened, whatever the statistics"
    assert distances[0, 1] > 0.5, "the statistics are the same, but not what happened"
    assert distances[3, 4] > 0.5 and distances[3, 5] > 0.1, "without vectors"
    assert min(distances[0, 3], distances[2, 4]) > 0.5, "having a vector is a difference"


def test_what_happened_counts_as_much_by_vectors_as_by_the_statistics_of_all_signals() -> None:
    generator = np.random.default_rng(3)
    clips = [Grouped(f"{number}", "car-1", 52.0, 13.0) for number in range(200)]
    signals = [f"s{number}" for number in range(9)]
    statistics = {(clip.clip_id, name): tuple(generator.normal(size=3)) for clip in clips for name in signals}
    by_statistics = Candidates(clips, {}, signals, statistics, 200)
    vectors = {clip.clip_id: tuple(generator.normal(size=64)) for clip in clips}
    spreads = [points_of(each).var(axis=0).sum() for each in (by_statistics, replace(by_statistics, vectors=vectors))]
    assert spreads[1] == pytest.approx(9) and spreads[0] == pytest.approx(9 * 3 / 4)


def test_numbers_of_any_size_give_finite_vectors() -> None:
    vectors = points_of(candidates(a=(-1.7e308, 1.7e308, 0), b=(1e-308, 1e308, 1e300), c=(1.7e308, 1.7e308, 1.7e308)))
    assert np.isfinite(vectors).all() and np.isfinite(pairwise_distances(vectors)).all()


def test_clips_without_any_signal_differ_by_trigger_and_place() -> None:
    clips = [Grouped("a", "car-1", None, None), Grouped("b", "car-1", 10.0, 10.0), Grouped("c", "car-1", None, None)]
    triggers = {"a": frozenset(["brake"]), "b": frozenset(["brake"]), "c": frozenset(["cut_in"])}
    vectors = points_of(Candidates(clips, triggers, [], {}, 3))
    assert pairwise_distances(vectors)[0, 1] > 0.4 and pairwise_distances(vectors)[0, 2] > 0.5
