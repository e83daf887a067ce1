"""Kernels of `rise`, `fall` and `changed` of a condition, and the search for rises that triggers share."""

from __future__ import annotations

from triggers.language.webassembly.kernel_parts.kernel import Kernel, Slot
from triggers.language.webassembly.kernel_parts.words import (
    changes,
    except_for,
    flooded,
    held_until_due,
    inverted,
    known_word,
    load,
    one_later,
    store,
    word_kernel,
)

RISES = f"""(func $rises (param $T i64) (param $F i64) (param $last i64) (result i64)
  (local $unknown i64) (local $low i64) (local $before i64)
  (local.set $before (i64.extend_i32_u (i64.eq (local.get $last) (i64.const 1))))
  (local.set $unknown {inverted(known_word())})
  (local.set $low {flooded("$F", "$unknown", "$before")})
  (i64.and (local.get $T) {one_later("$low", "$before")}))"""
"""Ticks at which a condition rises: true ones after a *low* one, which is false, or unknown after a low one.

`last` is the condition's last known value before the word: 0 none, 1 false, 2 true.
"""

LAST_KNOWN = """(func $last_known (param $T i64) (param $F i64) (param $last i64) (result i64)
  (if (result i64) (i64.eqz (i64.or (local.get $T) (local.get $F)))
    (then (local.get $last))
    (else (i64.add (i64.const 1)
      (i64.extend_i32_u (i64.lt_u (i64.clz (local.get $T)) (i64.clz (local.get $F))))))))"""
"""The last known value after a word, given by the higher one of the two highest bits."""


_SEARCHES = {
    "rises": ("low", changes("$rises", "$T", "$F", "$unknown", "$low")),
    "falls": ("high", changes("$falls", "$F", "$T", "$unknown", "$high")),
}
"""For each kind of edge, its slot from word to word, and the search for it; a fall is a rise of `not P`."""


def _edges(name: str, *kinds: str) -> Kernel:
    """The ticks at which a condition has an edge of these kinds; the value is kept until the next due tick."""
    hits = " ".join(f"(local.get ${kind})" for kind in kinds)
    words = f"""(local.set $T {load("arg0")}) (local.set $F {load("arg0", half=True)})
      (local.set $idle {inverted(load("due"))})
      (local.set $unknown {inverted(known_word())})
      {" ".join(_SEARCHES[kind][1] for kind in kinds)}
      (local.set $hits {hits if len(kinds) == 1 else f"(i64.or {hits})"})
      {held_until_due("$result", "$hits", "$held")}
      {store("(local.get $result)", except_for(known_word(), "$result"))}"""
    slots = tuple(Slot(slot, "i64") for slot in (*(_SEARCHES[kind][0] for kind in kinds), "held"))
    local = f"T F idle unknown latest {' '.join(kinds)} hits result"
    return word_kernel(name, ("arg0", "out", "due", "state"), slots, words, local)


KERNELS: dict[str, Kernel] = {
    "rise": _edges("rise", "rises"),
    "fall": _edges("fall", "falls"),
    "changed_bool": _edges("changed_bool", "rises", "falls"),
}
