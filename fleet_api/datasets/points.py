"""Points for a diverse choice: what happened in a clip, its place, and its triggers.

What happened is the clip's vector (`triggers/likeness`). A clip that has none yet is compared by standardised
statistics of its signals; missing ones count as the mean, and one more column says whether they are there. A place is
a point on the unit sphere, standardised likewise. A trigger is a column of 0 and 1. A signal and the place are divided
by the root of their number of columns, so that each counts as much as one property; vectors count as much as all of
the signals that they take the place of.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fleet_api.datasets.diversity import Floats, choose
from storage.datasets.selection import Candidates, Grouped

STATISTICS = 3
"""Minimum, maximum and mean."""
MAX_TRIGGERS = 64
"""Columns for triggers: those that most of the clips have."""


def choose_diverse(candidates: Candidates, *, count: int) -> list[int]:
    """The indices, in order, of so many candidates, all of the same use, that are as different as possible."""
    return choose(points_of(candidates), np.ones(len(candidates.clips)), count=count)


def points_of(candidates: Candidates) -> Floats:
    """One row for each candidate."""
    has_vector = np.array([clip.clip_id in candidates.vectors for clip in candidates.clips], dtype=bool)
    happened = [_of_signal(candidates, signal) for signal in candidates.signals]
    place = _places(candidates.clips)
    statistics = [group / np.sqrt(group.shape[1]) for group in happened]
    for group in statistics:
        group[has_vector] = 0  # so that each clip is compared by the one or by the other
    likeness = _likeness(candidates, has_vector)
    return np.hstack([likeness, *statistics, place / np.sqrt(place.shape[1]), _triggers(candidates)])


def _likeness(candidates: Candidates, has_vector: NDArray[np.bool_]) -> Floats:
    """The vectors around their mean, and a column that says who has one; no column where nobody has.

    Their spread, all columns together, is that of as many standardised columns as there are signals.
    """
    if not has_vector.any():
        return np.zeros((len(has_vector), 0))
    vectors = [candidates.vectors[clip.clip_id] for clip in candidates.clips if clip.clip_id in candidates.vectors]
    known = np.array(vectors) - np.mean(vectors, axis=0)
    spread = np.sqrt(np.square(known).sum(axis=1).mean())
    weight = np.sqrt(max(1, len(candidates.signals)))
    result = np.zeros((len(has_vector), known.shape[1] + 1))
    result[has_vector, :-1] = known * (weight / spread if spread > 1e-9 else 0)
    result[:, -1] = has_vector
    return result


def _of_signal(candidates: Candidates, signal: str) -> Floats:
    missing = (np.nan,) * STATISTICS
    rows = [candidates.statistics.get((clip.clip_id, signal), missing) for clip in candidates.clips]
    return _standardised(np.array(rows, dtype=np.float64))


def _places(clips: Sequence[Grouped]) -> Floats:
    missing = np.nan
    latitudes = np.radians([missing if clip.latitude is None else clip.latitude for clip in clips])
    longitudes = np.radians([missing if clip.longitude is None else clip.longitude for clip in clips])
    east, north = np.cos(latitudes) * np.cos(longitudes), np.cos(latitudes) * np.sin(longitudes)
    return _standardised(np.column_stack([east, north, np.sin(latitudes)]))


def _triggers(candidates: Candidates) -> Floats:
    clips_by_trigger: dict[str, set[int]] = {}
    for index, clip in enumerate(candidates.clips):
        for name in candidates.triggers.get(clip.clip_id, frozenset()):
            clips_by_trigger.setdefault(name, set()).add(index)
    most = sorted(clips_by_trigger, key=lambda name: (-len(clips_by_trigger[name]), name))[:MAX_TRIGGERS]
    columns = np.zeros((len(candidates.clips), len(most)))
    for column, name in enumerate(most):
        columns[sorted(clips_by_trigger[name]), column] = 1
    return columns


def _standardised(columns: Floats) -> Floats:
    """Each column with mean 0 and deviation 1, without its missing values, and a column of what is there."""
    there = np.isfinite(columns).all(axis=1)
    if not there.any():
        return np.zeros((len(columns), columns.shape[1] + 1))
    known = columns[there]
    # Halves and a scale first: values may be so large that their sum, or their square, is no longer a number.
    scale = np.abs(known).max(axis=0)
    scale[scale == 0] = 1
    known = known / scale
    deviation = known.std(axis=0)
    result = np.zeros((len(columns), columns.shape[1] + 1))
    result[there, :-1] = (known - known.mean(axis=0)) / np.where(deviation > 1e-9, deviation, 1)
    result[:, -1] = there
    return result
