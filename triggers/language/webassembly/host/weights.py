"""The weights in a machine's memory: how long each watched condition was unknown, false and true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from triggers.language.watched import Closest, TriggerWeights, WatchedTrigger, Weight
from triggers.language.webassembly.layout import CLOSEST_BYTES, WEIGHT_BYTES

_CLOSEST, _WEIGHT = CLOSEST_BYTES // 8, WEIGHT_BYTES // 8


def numbers_of(watched: Iterable[WatchedTrigger]) -> int:
    """How many i64 the weights of these take."""
    return sum(_CLOSEST + _WEIGHT * each.entries for each in watched)


def weights_in(
    numbers: NDArray[np.int64], watched: Sequence[WatchedTrigger], rest_ns: int
) -> dict[str, TriggerWeights]:
    """The weights of each trigger, from the i64 that a module has written; the latest values last `rest_ns` longer."""
    found: dict[str, TriggerWeights] = {}
    at = 0
    for each in watched:
        t_ns, missing = numbers[at : at + _CLOSEST].tolist()
        at += _CLOSEST
        records = numbers[at : at + _WEIGHT * each.entries].reshape(-1, _WEIGHT).tolist()
        for record in records:
            record[record[-1]] += rest_ns
        at += _WEIGHT * each.entries
        condition, *others = (Weight(*record[:3]) for record in records)
        parts = len(each.parts)
        found[each.trigger] = TriggerWeights(
            condition=condition,
            parts=tuple(others[:parts]),
            unknown_with_ns=tuple(weight.true_ns for weight in others[parts:]),
            closest=Closest(t_ns, missing - 1) if missing else None,
        )
    return found
