"""Kernels of `sign`, `mod` and `bits`: two ticks per instruction, without a branch.

No instruction gives an exact remainder or the bits of a number, so both are put together from exact steps.
"""

from __future__ import annotations

from triggers.language.ir import MAX_INTEGER, MAX_QUOTIENT
from triggers.language.webassembly.kernel_parts.kernel import Kernel, kernel_text

_ZERO, _ONE, _NAN = "(v128.const f64x2 0 0)", "(v128.const f64x2 1 1)", "(v128.const f64x2 nan nan)"
_HIGH_BITS = f"(v128.const i64x2 {-1 << 27} {-1 << 27})"
"""All but the 27 lowest bits of a double, which leaves 26 bits of its fraction with the implied one."""
_TWO_32, _TWO_52 = "(v128.const f64x2 0x1p32 0x1p32)", "(v128.const f64x2 0x1p52 0x1p52)"
_BITS_OF_TWO_52 = 0x433 << 52


def _pairs(name: str, operands: int, body: str, *, vectors: str = "", begin: str = "", mask: bool = False) -> Kernel:
    """A kernel that loads two ticks of each operand into `$x` (and `$m`) and stores what `body` leaves in `$r`.

    `vectors` names further locals; `mask`: the kernel has this parameter, and `$whole` for it as an integer.
    """
    loads = " ".join(f"(local.set ${local} (v128.load (local.get $arg{i})))" for i, local in enumerate("xm"[:operands]))
    steps = " ".join(
        f"(local.set $arg{i} (i32.add (local.get $arg{i}) (i32.shl (local.get $step{i}) (i32.const 4))))"
        for i in range(operands)
    )
    signature = (*("arg0", "step0", "arg1", "step1")[: 2 * operands], *(("mask",) if mask else ()), "out")
    text = f"""{begin}
      (local.set $end (i32.add (local.get $out) (i32.shl (global.get $count) (i32.const 3))))
      (loop $twos
        {loads}
        {body}
        (v128.store (local.get $out) (local.get $r))
        {steps}
        (local.set $out (i32.add (local.get $out) (i32.const 16)))
        (br_if $twos (i32.lt_u (local.get $out) (local.get $end))))"""
    local = "(local $end i32) (local $whole i64) " if mask else "(local $end i32) "
    local += " ".join(f"(local ${vector} v128)" for vector in ("x", "r", *vectors.split()))
    return Kernel(name, signature, kernel_text(name, signature, local, text))


def _both(op: str, left: str, right: str) -> str:
    return f"(f64x2.{op} {left} {right})"


def _known(value: str, where: str) -> str:
    """The value where a mask is set, else unknown."""
    return f"(local.set $r (v128.bitselect {value} {_NAN} {where}))"


def _sign() -> Kernel:
    """(x > 0) - (x < 0), which is +0 for both zeros."""
    x = "(local.get $x)"
    signs = [f"(v128.and {_ONE} {_both(op, x, _ZERO)})" for op in ("gt", "lt")]
    return _pairs("sign", 1, _known(_both("sub", *signs), _both("eq", x, x)))


def _mod() -> Kernel:
    """|x| - q * m with q = floor(|x| / m), exactly; then up to m for a negative x.

    The rounded quotient may be one too high, never too low. The rounded product `p` is then brought down to |x| at
    most, so |x| - p is exact (Sterbenz). What the product was rounded by, `e`, is the sum of the products of halves
    of m and q (Dekker): q has at most 51 bits, so its lower part has 25, and every product and sum fits 53 bits. The
    rest is a multiple of the spacing of doubles around m and at most m, so the last subtraction is exact, too.
    """
    a, q, p, r, m = (f"(local.get ${name})" for name in "aqprm")
    mh, ml, qh, ql = (f"(local.get ${name})" for name in ("mh", "ml", "qh", "ql"))
    body = f"""
        (local.set $a (f64x2.abs (local.get $x)))
        (local.set $q {_both("div", a, m)})
        (local.set $fits (v128.and
          {_both("lt", q, f"(v128.const f64x2 {MAX_QUOTIENT.hex()} {MAX_QUOTIENT.hex()})")} {_both("gt", m, _ZERO)}))
        (local.set $q (f64x2.floor {q}))
        (local.set $q {_both("sub", q, f"(v128.and {_ONE} {_both('gt', _both('mul', m, q), a)})")})
        (local.set $p {_both("mul", m, q)})
        (local.set $mh (v128.and {m} {_HIGH_BITS})) (local.set $ml {_both("sub", m, mh)})
        (local.set $qh (v128.and {q} {_HIGH_BITS})) (local.set $ql {_both("sub", q, qh)})
        (local.set $e {_both("sub", _both("mul", mh, qh), p)})
        (local.set $e {_both("add", "(local.get $e)", _both("mul", mh, ql))})
        (local.set $e {_both("add", "(local.get $e)", _both("mul", ml, qh))})
        (local.set $e {_both("add", "(local.get $e)", _both("mul", ml, ql))})
        (local.set $r {_both("sub", _both("sub", a, p), "(local.get $e)")})
        (local.set $r {_both("add", r, f"(v128.and {m} {_both('lt', r, _ZERO)})")})
        (local.set $r (v128.bitselect {_both("sub", m, r)} {r}
          (v128.and {_both("lt", "(local.get $x)", _ZERO)} {_both("gt", r, _ZERO)})))
        {_known(f"(v128.andnot {r} {_both('ge', r, m)})", "(local.get $fits)")}"""
    return _pairs("mod", 2, body, vectors="m a q p e mh ml qh ql fits")


def _bits() -> Kernel:
    """The upper and the lower 32 bits apart: added to 2^52 they are the lowest bits of the sum."""
    x, upper, lower = "(local.get $x)", "(local.get $upper)", "(local.get $lower)"
    begin = f"""(local.set $whole (i64.trunc_f64_u (local.get $mask)))
      (local.set $upper_mask (i64x2.splat (i64.or (i64.const {_BITS_OF_TWO_52})
        (i64.shr_u (local.get $whole) (i64.const 32)))))
      (local.set $lower_mask (i64x2.splat (i64.or (i64.const {_BITS_OF_TWO_52})
        (i64.and (local.get $whole) (i64.const {(1 << 32) - 1})))))"""

    def kept(part: str, mask: str) -> str:
        return _both("sub", f"(v128.and {_both('add', part, _TWO_52)} (local.get {mask}))", _TWO_52)

    last = f"(v128.const f64x2 {float(MAX_INTEGER).hex()} {float(MAX_INTEGER).hex()})"
    in_range = f"(v128.and {_both('ge', x, _ZERO)} {_both('le', x, last)})"
    body = f"""
        (local.set $upper (f64x2.floor {_both("mul", x, "(v128.const f64x2 0x1p-32 0x1p-32)")}))
        (local.set $lower {_both("sub", x, _both("mul", upper, _TWO_32))})
        (local.set $r {_both("add", _both("mul", kept(upper, "$upper_mask"), _TWO_32), kept(lower, "$lower_mask"))})
        {_known("(local.get $r)", f"(v128.and {in_range} {_both('eq', f'(f64x2.floor {x})', x)})")}"""
    return _pairs("bits", 1, body, vectors="upper lower upper_mask lower_mask", begin=begin, mask=True)


KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (_sign(), _mod(), _bits())}
