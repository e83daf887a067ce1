"""Kernels of `prev`: the value at the update tick before the latest one.

An update tick is one at which a signal has a new sample and the argument is known.
"""

from __future__ import annotations

import math

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel, Slot
from triggers.language.webassembly.kernel_parts.skeletons import number_steps
from triggers.language.webassembly.kernel_parts.updates import if_updated
from triggers.language.webassembly.kernel_parts.words import (
    changes,
    flood,
    inverted,
    known_word,
    load,
    store,
    word_kernel,
)


def _number() -> Kernel:
    return number_steps(
        "prev_number",
        ("arg0", "out", "due", "fresh", "state"),
        (Slot("latest", "f64", math.nan),),
        if_updated("(local.set $held (local.get $latest)) (local.set $latest (local.get $x))"),
        local="(local $x f64)",
    )


def _condition() -> Kernel:
    """An update whose latest one before it was true gives true, and keeps it until the next one; likewise false."""

    def kept(value: str) -> str:
        start, hits, held = f"$updates_{value}", f"$hits_{value}", f"$held_{value}"
        return f"""(local.set {start} (i64.and (local.get $updates) (local.get ${value})))
          {changes(hits, "$updates", start, "$idle", f"$latest_{value}")}
          {flood(f"$result_{value}", hits, "$idle", held)}"""

    words = f"""(local.set $T {load("arg0")}) (local.set $F {load("arg0", half=True)})
      (local.set $updates (i64.and {known_word()} {load("fresh")}))
      (local.set $idle {inverted("(local.get $updates)")})
      {kept("T")} {kept("F")}
      {store(f"(i64.and (local.get $result_T) {VALID})", f"(i64.and (local.get $result_F) {VALID})")}"""
    slots = tuple(Slot(f"{name}_{value}", "i64") for value in "TF" for name in ("latest", "held"))
    local = "T F updates idle latest " + " ".join(f"{n}_{v}" for v in "TF" for n in ("updates", "hits", "result"))
    return word_kernel("prev_bool", ("arg0", "out", "fresh", "state"), slots, words, local)


KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (_number(), _condition())}
