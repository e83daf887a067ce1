"""The table of all kernels, by the name of their operation (and the kind of its argument, if that matters)."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import Kernel
from triggers.language.webassembly.kernels import (
    counts,
    edges,
    events,
    holds,
    logic,
    means,
    pairs,
    places,
    scalars,
    sequences,
    stateless,
    windows,
)

KERNELS: dict[str, Kernel] = {
    name: kernel
    for module in (stateless, logic, holds, edges, windows, means, counts, sequences, pairs, events, places, scalars)
    for name, kernel in module.KERNELS.items()
}

SHARED_FUNCTIONS = (stateless.NUMBERS_WORD, edges.RISES, edges.LAST_KNOWN)
"""Functions that the timeline and several kernels call; every module has them."""
KERNEL_FUNCTIONS = events.FUNCTIONS
"""Functions that one kernel calls; modules with that kernel have them."""
