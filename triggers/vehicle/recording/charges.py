"""The charge of each fire of a clip: the bytes that its window adds, in integers that sum to the file's size.

Fires are taken in the order of (time, campaign, version, ordinal). A recording of the first k fires would span the
union of their windows and hold the union of the signals and cameras that they ask for; a message belongs to the first k
for which it would be in that recording. Its weight is its encoded size plus the fixed cost of an MCAP message. The real
size of the file (compressed, with its indexes) is divided in proportion to these weights: fire k pays `size * W_k // W
- size * W_(k-1) // W`, where W_k is the weight of the messages of the first k fires and W that of all. The differences
telescope, so the charges sum exactly to the size. Without any message the first fire pays everything.
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
    """The part of a fire that its charge depends on; the window is limited to the recording."""

    t_ns: int
    key: FireKey
    start_ns: int
    end_ns: int
    signals: frozenset[str]
    cameras: frozenset[str]


def charge(footage: Footage, shares: Sequence[FireShare], size_bytes: int) -> tuple[int, ...]:
    """The bytes that each fire pays, in the order of `shares` (not empty); they sum to `size_bytes`."""
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
    """The weight of the messages that each fire adds to the recording of the fires before it."""
    starts = list(accumulate((share.start_ns for share in shares), min))
    ends = list(accumulate((share.end_ns for share in shares), max))
    weights = [0] * len(shares)

    def add(t_ns: int, first_asked: int, weight: int) -> None:
        # A camera's lead-in frames are before the span and belong to the fire whose window begins the span.
        t_ns = max(t_ns, footage.start_ns)
        # `starts` descends with k, so its negation, which ascends, is searched.
        reaches_back = bisect_left(starts, -t_ns, key=lambda start_ns: -start_ns)
        reaches_on = bisect_left(ends, t_ns)
        weights[min(max(first_asked, reaches_back, reaches_on), len(shares) - 1)] += weight

    for name, samples in footage.signals.items():
        first = next((k for k, share in enumerate(shares) if name in share.signals), 0)
        for t_ns in samples.times_ns:
            add(t_ns, first, SAMPLE_MESSAGE_BYTES + MESSAGE_OVERHEAD_BYTES)
    for name, listed in footage.objects.items():
        first = next((k for k, share in enumerate(shares) if name in share.signals), 0)
        for t_ns, message in zip(listed.times_ns, listed.messages, strict=True):
            add(t_ns, first, len(message) + MESSAGE_OVERHEAD_BYTES)
    for name, frames in footage.cameras.items():
        first = next((k for k, share in enumerate(shares) if name in share.cameras), 0)
        for frame in frames:
            add(frame.t_ns, first, len(frame.data) + MESSAGE_OVERHEAD_BYTES)
    return weights
