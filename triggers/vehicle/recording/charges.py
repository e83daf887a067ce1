"""What each fire of a clip pays: the bytes that its window adds, in integers that sum to the file's size.

Fires are taken in the order of (time, campaign, version, ordinal). After the first k of them, the recording would
span the union of their k windows and hold the union of the signals and cameras they ask for; a message belongs to
the first k for which it would be in that recording. Its weight is its encoded size plus MCAP's fixed cost of a
message. The file's real size (compressed, with its indexes) is then divided in proportion to these weights: fire k
pays `size * W_k // W - size * W_(k-1) // W`, where W_k is the weight of the first k fires' messages and W of all. The
differences telescope, so the charges sum to the size exactly. Without any message the first fire pays all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from triggers.clips.footage import Footage
from triggers.contracts.fire import FireKey

MESSAGE_OVERHEAD_BYTES = 31 + 16
"""Header of an MCAP message record, and its entry in the chunk's message index."""
SAMPLE_MESSAGE_BYTES = 9


class FireShare(NamedTuple):
    """What a fire asks for, as its charge depends on it; the window is clipped to the recording."""

    t_ns: int
    key: FireKey
    start_ns: int
    end_ns: int
    signals: frozenset[str]
    cameras: frozenset[str]


def charge(footage: Footage, shares: Sequence[FireShare], size_bytes: int) -> tuple[int, ...]:
    """Bytes that each fire pays, in the order of `shares`; they sum to `size_bytes`. `shares` must not be empty."""
    order = sorted(range(len(shares)), key=lambda index: (shares[index].t_ns, shares[index].key))
    cumulative = list(accumulate(_added_weights(footage, [shares[index] for index in order])))
    total = cumulative[-1]
    if total == 0:  # no message at all: the first fire pays for the empty file
        cumulative, total = [1] * len(order), 1
    charges = [0] * len(shares)
    paid = 0
    for index, weight in zip(order, cumulative, strict=True):
        due = size_bytes * weight // total
        charges[index], paid = due - paid, due
    return tuple(charges)


def _added_weights(footage: Footage, shares: Sequence[FireShare]) -> list[int]:
    """Weight of the messages that each fire adds to the recording of those before it."""
    starts = list(accumulate((share.start_ns for share in shares), min))
    ends = list(accumulate((share.end_ns for share in shares), max))
    weights = [0] * len(shares)

    def add(t_ns: int, first_asked: int, weight: int) -> None:
        # A camera's lead-in frames lie before the span and belong to the fire that brought its start in.
        t_ns = max(t_ns, footage.start_ns)
        # `starts` falls with k, so it is searched by its negation, which rises.
        reaches_back = bisect_left(starts, -t_ns, key=lambda start_ns: -start_ns)
        reaches_on = bisect_left(ends, t_ns)
        weights[min(max(first_asked, reaches_back, reaches_on), len(shares) - 1)] += weight

    for name, samples in footage.signals.items():
        first = next((k for k, share in enumerate(shares) if name in share.signals), 0)
        for t_ns in samples.times_ns:
            add(t_ns, first, SAMPLE_MESSAGE_BYTES + MESSAGE_OVERHEAD_BYTES)
    for name, frames in footage.cameras.items():
        first = next((k for k, share in enumerate(shares) if name in share.cameras), 0)
        for frame in frames:
            add(frame.t_ns, first, len(frame.data) + MESSAGE_OVERHEAD_BYTES)
    return weights
