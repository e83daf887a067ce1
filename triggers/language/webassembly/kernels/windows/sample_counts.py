"""The kernels of `samples`: how many update ticks lie in a window, of a number or of a condition.

The ring holds the times (i64, ns) of the update ticks.
"""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts import rings
from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot, is_fresh, is_known, value_of
from triggers.language.webassembly.kernel_parts.skeletons import number_steps

_ENTRY_BYTES = 8
_DROP = f"""
      {rings.drop_oldest(_ENTRY_BYTES)}
      (local.set $entries (i32.sub (local.get $entries) (i32.const 1)))"""
_PUSH = f"""
      (i64.store (local.get $tail) (local.get $t)) {rings.advance("$tail", _ENTRY_BYTES)}
      (local.set $entries (i32.add (local.get $entries) (i32.const 1)))"""


def _samples(name: str, is_update: str, conditions: int) -> Kernel:
    body = f"""
      {rings.evict(_DROP)}
      (if (i32.and {is_fresh()} {is_update}) (then {rings.update(_DROP, _PUSH)}))
      (local.set $held (f64.convert_i32_u (local.get $entries)))"""
    return number_steps(
        name,
        ("arg0", "out", "due", "fresh", "state", "ring", "capacity", "window_ns"),
        (*rings.UPDATE_RING, Slot("entries", "i32")),
        body,
        conditions=conditions,
        local=f"{rings.LOCALS} (local $x f64)",
        begin=rings.begin(entry_bytes=_ENTRY_BYTES),
        end=rings.end(),
        ring_entry_bytes=_ENTRY_BYTES,
    )


_IS_NUMBER = f"(f64.eq (local.tee $x {value_of(0)}) (local.get $x))"

KERNELS: dict[str, Kernel] = {
    "samples_number": _samples("samples_number", _IS_NUMBER, 0),
    "samples_bool": _samples("samples_bool", is_known(0), 1),
}
