"""The overlap of triggers: fires whose capture windows touch share one recording, and so one clip."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from triggers.contracts.campaign import CaptureWindow
from triggers.drives.times import Times


def shared_fires(fires_ns: Mapping[str, Times], captures: Mapping[str, CaptureWindow]) -> dict[tuple[str, str], int]:
    """For each ordered pair of triggers: the fires of the first whose window touches that of a fire of the second.

    Windows of fires at s and t touch if `t - before_t <= s + after_s` and `s - before_s <= t + after_t`. Times are
    those of one drive, ascending. Pairs without overlap are left out.
    """
    names = sorted(name for name, t_ns in fires_ns.items() if len(t_ns))
    if len(names) < 2:
        return {}
    from_ns = [fires_ns[name] - captures[name].before_ns for name in names]
    until_ns = [fires_ns[name] + captures[name].after_ns for name in names]
    all_from_ns, all_until_ns = np.concatenate(from_ns), np.concatenate(until_ns)
    first = np.cumsum([0, *(len(t_ns) for t_ns in from_ns[:-1])])
    shared: dict[tuple[str, str], int] = {}
    for other, other_from_ns, other_until_ns in zip(names, from_ns, until_ns, strict=True):
        ended_before = np.searchsorted(other_until_ns, all_from_ns)
        begun_until = np.searchsorted(other_from_ns, all_until_ns, side="right")
        counts = np.add.reduceat(begun_until > ended_before, first, dtype=np.int64)
        shared.update({(names[i], other): int(counts[i]) for i in np.flatnonzero(counts) if names[i] != other})
    return shared
