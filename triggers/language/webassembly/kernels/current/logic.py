"""Kernels of Kleene logic: 64 ticks per instruction, one mask for true and one for false."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import VALID, Kernel
from triggers.language.webassembly.kernel_parts.words import inverted, load, store, word_kernel

_TRUE = [load(f"arg{i}") for i in range(2)]
_FALSE = [load(f"arg{i}", half=True) for i in range(2)]
_KNOWN = f"(i64.or {_TRUE[0]} {_FALSE[0]})"


def _logic(name: str, arguments: int, true: str, false: str) -> Kernel:
    """Both results are computed before either is stored, so `out` may be an argument."""
    words = f"""(local.set $T {true})
      (local.set $F {false})
      {store("(local.get $T)", "(local.get $F)")}"""
    return word_kernel(name, (*(f"arg{i}" for i in range(arguments)), "out"), (), words, "T F")


KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        _logic("and", 2, f"(i64.and {_TRUE[0]} {_TRUE[1]})", f"(i64.or {_FALSE[0]} {_FALSE[1]})"),
        _logic("or", 2, f"(i64.or {_TRUE[0]} {_TRUE[1]})", f"(i64.and {_FALSE[0]} {_FALSE[1]})"),
        _logic("not", 1, _FALSE[0], _TRUE[0]),
        _logic("missing_bool", 1, f"(i64.and {inverted(_KNOWN)} {VALID})", _KNOWN),
        _logic("always", 0, VALID, "(i64.const 0)"),
        _logic("never", 0, "(i64.const 0)", VALID),
    )
}
