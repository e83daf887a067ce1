"""A diverse choice of points: GIST, greedy independent set thresholding, over vectors and utilities.

Fahrbach, Ramalingam, Zadimoghaddam, Ahmadian, Citovsky, DeSalvo: "GIST: Greedy Independent Set Thresholding for
Max-Min Diversification with Submodular Utility" (NeurIPS 2025, arXiv 2405.18754). It maximises f(S), the sum of the
utilities of S plus `weight` times the smallest distance between two points of S. What it finds is worth at least half
of the best choice, less the step of its grid of distances (STEP).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 0.05
"""How fine the grid of distances is: each is this much larger than the one before."""
Floats = NDArray[np.floating[Any]]


def choose(vectors: Floats, utilities: Floats, *, count: int, weight: float | None = None) -> list[int]:
    """The indices, in order, of at most `count` points, one row of `vectors` each.

    `utilities` are at least 0. Without a `weight` it is as large as it can be without giving up a point for distance:
    then there are always `count` points, if there are so many to choose from. Of equal choices the one with smaller
    indices is taken, so that the same input gives the same choice.
    """
    distances = pairwise_distances(vectors)
    if weight is None:
        weight = float(utilities.min(initial=np.inf)) / max(float(distances.max(initial=0.0)), 1e-9)
    best = _independent(distances, utilities, count, least=0.0)
    best_value = value_of(distances, utilities, best, weight)
    for least in _grid(float(distances.max(initial=0.0))):
        found = _independent(distances, utilities, count, least=least)
        if (value := value_of(distances, utilities, found, weight)) > best_value:
            best, best_value = found, value
    farthest = _farthest_pair(distances)
    if count >= 2 and value_of(distances, utilities, farthest, weight) > best_value:
        best = farthest
    return sorted(best)


def value_of(distances: Floats, utilities: Floats, chosen: list[int], weight: float) -> float:
    """f(S): the utilities of the chosen points, and `weight` times the smallest distance between two of them.

    The smallest distance of fewer than two points is the largest of all, as in the paper.
    """
    apart = distances[np.ix_(chosen, chosen)][~np.eye(len(chosen), dtype=bool)]
    least = float(apart.min()) if len(chosen) > 1 else float(distances.max(initial=0.0))
    return float(utilities[chosen].sum()) + weight * least


def pairwise_distances(vectors: Floats) -> Floats:
    """The Euclidean distance of each row from each other, as float32: 64 MB for 4,000 rows."""
    rows = np.asarray(vectors, dtype=np.float64)
    squares = np.einsum("ij,ij->i", rows, rows)
    distances: Floats = np.empty((len(rows), len(rows)), dtype=np.float32)
    for start in range(0, len(rows), 512):  # so that no second matrix of this size is needed
        part = rows[start : start + 512]
        apart = squares[start : start + 512, None] + squares[None, :] - 2 * part @ rows.T
        distances[start : start + 512] = np.sqrt(np.maximum(apart, 0))
    np.fill_diagonal(distances, 0)
    return np.minimum(distances, distances.T)


def _grid(largest: float) -> list[float]:
    """Distances from a small one to the largest, each STEP larger than the one before."""
    least = largest * STEP / 2
    if least <= 0:
        return []
    steps = int(np.floor(np.log(largest / least) / np.log1p(STEP)))
    return [float(least * (1 + STEP) ** step) for step in range(steps + 1)]


def _independent(distances: Floats, utilities: Floats, count: int, *, least: float) -> list[int]:
    """Greedily the most useful point that is at least this far from all that were chosen, until there is none."""
    left = np.array(utilities, dtype=np.float64)
    chosen: list[int] = []
    while len(chosen) < count:
        point = int(np.argmax(left))
        if left[point] == -np.inf:
            break
        chosen.append(point)
        left[distances[point] < least] = -np.inf
        left[point] = -np.inf
    return chosen


def _farthest_pair(distances: Floats) -> list[int]:
    first, second = np.unravel_index(int(np.argmax(distances)), distances.shape)
    return sorted({int(first), int(second)})
