"""The table of all kernels, by the name of their operation (and the kind of its argument, if that matters)."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import Kernel
from triggers.language.webassembly.kernels.conditions import clocks, edges, holds, lasting, runs, sequences
from triggers.language.webassembly.kernels.current import choices, logic, places, scalars, stateless, whole_numbers
from triggers.language.webassembly.kernels.samples import events, odometers, pairs, previous, sun
from triggers.language.webassembly.kernels.windows import (
    counts,
    deviations,
    extremes,
    means,
    order_statistics,
    sample_counts,
    since,
    sums,
)

_WINDOWS = (extremes, sums, deviations, order_statistics, sample_counts, means, counts, since)
_CURRENT = (stateless, logic, places, scalars, whole_numbers, choices)
_LASTING = (holds, runs, lasting, sequences, clocks)
_SAMPLES = (pairs, events, previous, odometers, sun)
_FAMILIES = (*_CURRENT, edges, *_LASTING, *_WINDOWS, *_SAMPLES)
KERNELS: dict[str, Kernel] = {name: kernel for family in _FAMILIES for name, kernel in family.KERNELS.items()}

SHARED_FUNCTIONS = (stateless.NUMBERS_WORD, edges.RISES, edges.LAST_KNOWN)
"""Functions that the timeline and several kernels call; every module has them."""
FUNCTIONS_OF: dict[str, tuple[str, ...]] = {
    **events.FUNCTIONS_OF,
    **odometers.FUNCTIONS_OF,
    **sun.FUNCTIONS_OF,
}
"""Functions that some kernels call, by kernel; modules with one of these kernels have them once."""
