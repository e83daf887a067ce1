"""Kernels of Kleene's logic: 64 ticks an instruction, one mask for true and one for false."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import HALF, VALID, Kernel, kernel_text


def _load(argument: int, half: bool) -> str:
    offset = f"offset={HALF} " if half else ""
    return f"(i64.load {offset}(i32.add (local.get $arg{argument}) (local.get $w)))"


def _kernel(name: str, arguments: int, true: str, false: str) -> Kernel:
    """A loop over words; both results are computed before either is stored, so `out` may be an argument."""
    signature = (*(f"arg{i}" for i in range(arguments)), "out")
    body = f"""(loop $words
      (local.set $T {true})
      (local.set $F {false})
      (i64.store (i32.add (local.get $out) (local.get $w)) (local.get $T))
      (i64.store offset={HALF} (i32.add (local.get $out) (local.get $w)) (local.get $F))
      (local.set $w (i32.add (local.get $w) (i32.const 8)))
      (br_if $words (i32.lt_u (local.get $w) (global.get $words))))"""
    return Kernel(name, signature, kernel_text(name, signature, "(local $w i32) (local $T i64) (local $F i64)", body))


_KNOWN = f"(i64.or {_load(0, False)} {_load(0, True)})"

KERNELS: dict[str, Kernel] = {
    "and": _kernel(
        "and", 2, f"(i64.and {_load(0, False)} {_load(1, False)})", f"(i64.or {_load(0, True)} {_load(1, True)})"
    ),
    "or": _kernel(
        "or", 2, f"(i64.or {_load(0, False)} {_load(1, False)})", f"(i64.and {_load(0, True)} {_load(1, True)})"
    ),
    "not": _kernel("not", 1, _load(0, True), _load(0, False)),
    "missing_bool": _kernel("missing_bool", 1, f"(i64.and (i64.xor {_KNOWN} (i64.const -1)) {VALID})", _KNOWN),
    "always": _kernel("always", 0, VALID, "(i64.const 0)"),
    "never": _kernel("never", 0, "(i64.const 0)", VALID),
}
