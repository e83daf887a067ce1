"""Kernels of `default` and `if`, which take the value of one argument: two numbers or 64 conditions at once."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import Kernel, kernel_text
from triggers.language.webassembly.kernel_parts.words import each_word, inverted, known_word, load, store, word_kernel


def _default_number() -> Kernel:
    signature = ("arg0", "step0", "arg1", "step1", "out")
    stores = " ".join(
        f"""(local.set $x (v128.load offset={offset} (local.get $arg0)))
        (v128.store offset={offset} (local.get $out) (v128.bitselect (local.get $x)
          (v128.load offset={offset} (local.get $arg1)) (f64x2.eq (local.get $x) (local.get $x))))"""
        for offset in (0, 16)
    )
    steps = " ".join(
        f"(local.set $arg{i} (i32.add (local.get $arg{i}) (i32.shl (local.get $step{i}) (i32.const 5))))"
        for i in range(2)
    )
    body = f"""(local.set $end (i32.add (local.get $out) (i32.shl (global.get $count) (i32.const 3))))
      (loop $quads
        {stores} {steps}
        (local.set $out (i32.add (local.get $out) (i32.const 32)))
        (br_if $quads (i32.lt_u (local.get $out) (local.get $end))))"""
    return Kernel(
        "default_number",
        signature,
        kernel_text("default_number", signature, "(local $end i32) (local $x v128)", body),
    )


def _default_bool() -> Kernel:
    words = f"""(local.set $T {load("arg0")}) (local.set $F {load("arg0", half=True)})
      (local.set $unknown {inverted(known_word())})
      {
        store(
            f"(i64.or (local.get $T) (i64.and (local.get $unknown) {load('arg1')}))",
            f"(i64.or (local.get $F) (i64.and (local.get $unknown) {load('arg1', half=True)}))",
        )
    }"""
    return word_kernel("default_bool", ("arg0", "arg1", "out"), (), words, "T F unknown")


def _lanes(word: str) -> str:
    """All ones in the lanes of the next two ticks that are set in a word, given twice in a local vector."""
    return f"(i64x2.eq (v128.and (local.get {word}) (local.get $bits)) (local.get $bits))"


def _if_number() -> Kernel:
    """The bits of the condition's word become masks of lanes; `$bits` has one bit of the word for each lane."""
    signature = ("arg0", "arg1", "step1", "arg2", "step2", "out")
    moves = " ".join(f"(local.set $at{i} (i32.add (local.get $at{i}) (i32.const 16)))" for i in (1, 2))
    words = f"""(local.set $T (i64x2.splat {load("arg0")})) (local.set $F (i64x2.splat {load("arg0", half=True)}))
      (local.set $bits (v128.const i64x2 1 2))
      (local.set $at1 (local.get $arg1)) (local.set $at2 (local.get $arg2))
      (local.set $end (i32.add (local.get $out) (i32.const 512)))
      (if (i32.gt_u (local.get $end) (local.get $last)) (then (local.set $end (local.get $last))))
      (loop $twos
        (v128.store (local.get $out) (v128.bitselect (v128.load (local.get $at1))
          (v128.bitselect (v128.load (local.get $at2)) (v128.const f64x2 nan nan) {_lanes("$F")}) {_lanes("$T")}))
        (local.set $bits (i64x2.shl (local.get $bits) (i32.const 2)))
        {moves}
        (local.set $out (i32.add (local.get $out) (i32.const 16)))
        (br_if $twos (i32.lt_u (local.get $out) (local.get $end))))
      {
        " ".join(
            f"(local.set $arg{i} (i32.add (local.get $arg{i}) (i32.shl (local.get $step{i}) (i32.const 9))))"
            for i in (1, 2)
        )
    }"""
    local = "(local $w i32) (local $at1 i32) (local $at2 i32) (local $end i32) (local $last i32) "
    local += "(local $T v128) (local $F v128) (local $bits v128)"
    begin = "(local.set $last (i32.add (local.get $out) (i32.shl (global.get $count) (i32.const 3))))"
    return Kernel("if_number", signature, kernel_text("if_number", signature, local, f"{begin} {each_word(words)}"))


def _if_bool() -> Kernel:
    def chosen(half: bool) -> str:
        a, b = load("arg1", half=half), load("arg2", half=half)
        return f"(i64.or (i64.and (local.get $T) {a}) (i64.and (local.get $F) {b}))"

    words = f"""(local.set $T {load("arg0")}) (local.set $F {load("arg0", half=True)})
      {store(chosen(half=False), chosen(half=True))}"""
    return word_kernel("if_bool", ("arg0", "arg1", "arg2", "out"), (), words, "T F")


KERNELS: dict[str, Kernel] = {
    kernel.name: kernel for kernel in (_default_number(), _default_bool(), _if_number(), _if_bool())
}
