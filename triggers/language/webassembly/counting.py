"""The number of instructions that a function of the module takes, at least and at most, counted in its text.

A function runs once per block of ticks. Some of its instructions run once, some once per word of 64 ticks, and some
once per tick. The label of a loop says which (see the tables below): a loop is named after what it runs over, and a
loop that no table lists counts as one round per tick. The unit is wasmtime's fuel: one per instruction, none for
`block`, `loop` and the like.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from triggers.language.webassembly.kernels.objects.told import BEGINNINGS, TOLD
from triggers.language.webassembly.kernels.table import FUNCTIONS_OF, KERNELS, SHARED_FUNCTIONS
from triggers.language.webassembly.kernels.windows.order_statistics import MOST_TAKEN_OUT, MOVED_AT_ONCE
from triggers.language.webassembly.objects.text import SHARED, counted_text

TICKS_AMORTISED = 64
"""The fixed cost of a block is spread over this many ticks, which is one word of its masks."""


@dataclass(frozen=True, slots=True)
class Work:
    """Instructions: once per block, once per word of 64 ticks, once per tick; and the largest burst in one tick."""

    call: float = 0.0
    word: float = 0.0
    tick: float = 0.0
    burst: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(self.call + other.call, self.word + other.word, self.tick + other.tick, self.burst + other.burst)

    def times(self, factor: float) -> Work:
        """The work of doing this `factor` times."""
        return Work(self.call * factor, self.word * factor, self.tick * factor, self.burst * factor)

    def larger(self, other: Work) -> Work:
        """The larger of both, part by part."""
        return Work(*(max(mine, its) for mine, its in zip(self.parts, other.parts, strict=True)))

    def smaller(self, other: Work) -> Work:
        """The smaller of both, part by part."""
        return Work(*(min(mine, its) for mine, its in zip(self.parts, other.parts, strict=True)))

    @property
    def parts(self) -> tuple[float, float, float, float]:
        """The four numbers."""
        return self.call, self.word, self.tick, self.burst

    @property
    def per_tick(self) -> float:
        """Instructions per tick in blocks of 64 ticks, without bursts."""
        return self.tick + (self.word + self.call) / TICKS_AMORTISED

    def of_block(self, ticks: int) -> float:
        """Instructions of a block of that many ticks, without bursts."""
        return self.call + self.word * math.ceil(ticks / 64) + self.tick * ticks


@dataclass(frozen=True, slots=True)
class WorkRange:
    """A least and a largest amount."""

    least: Work = Work()
    most: Work = Work()

    def __add__(self, other: WorkRange) -> WorkRange:
        return WorkRange(self.least + other.least, self.most + other.most)

    def times(self, factor: float) -> WorkRange:
        """Both `factor` times."""
        return WorkRange(self.least.times(factor), self.most.times(factor))


def work_of(name: str, *, ring: int = 0, **sizes: int) -> WorkRange:
    """Least and most work of a function called once per block; `sizes` gives rounds of loops, `ring` its entries."""
    if name == "window_quantile":
        sizes |= {"entries": ring, "halvings": ring.bit_length() + 1, "chunks": ring // MOVED_AT_ONCE + 1}
    work = _work_of(name, tuple(sorted(sizes.items())))
    if not work.most.burst:
        return work  # that of nearly all functions
    return WorkRange(work.least, replace(work.most, burst=work.most.burst * ring))


@cache
def _work_of(name: str, sizes: tuple[tuple[str, int], ...]) -> WorkRange:
    """As `work_of`, with the burst of a ring of one entry."""
    tree = _function(name)
    least, most = (_Counter(dict(sizes), least=least).sequence(tree[1:], _CALL) for least in (True, False))
    # the call and its arguments: each at most two reads of globals, two constants, a product or a sum
    arguments = 5 * sum(1 for part in tree if isinstance(part, list) and part[0] == "param")
    return WorkRange(Work(1) + least, Work(1 + arguments) + most)


_WORDS = frozenset({"$words", "$steps"})
"""Loops with a round for each word of a block."""
_BLOCKS = frozenset({"$blocks"})
"""Loops with a round for each block, which is the unit of counting."""
_SIZED = {
    "$inputs": "inputs",
    "$masks": "masks",
    "$triggers": "triggers",
    "$edges": "edges",
    "$halve": "halvings",
    "$chunks": "chunks",
    "$objects": "objects",
    "$slots": "slots",
    "$fields": "fields",
}
"""Loops with as many rounds as a program has of something."""
_ROUNDS = {"$rest": 7, "$scan": 8, "$pieces": 3}
"""Loops with at most that many rounds each time they are entered."""
_TICKS_PER_ROUND = {"$twos": 2, "$quads": 4, "$octets": 8, "$eights": 8, "$runs": 2, "$retry": 2}
"""Loops with a round for that many ticks. A run of equal ticks and the one that ends it are two."""
_EVERY_TICK = frozenset({"$twos", "$quads"})
"""Those of them that cover every tick of the block, wherever they are reached."""
_INSTEAD = frozenset({"$run", "$beats"})
"""Loops whose rounds replace rounds of the enclosing loop."""
_ONCE = frozenset({"$eights", "$ones", "$flip"})
"""Loops that occur several times in a function but together have no more rounds than one."""
_RING = frozenset({"$evict", "$flip", "$search"})
"""Loops over entries of a ring: each entry once in its life, so one per tick, but all may come in the same tick."""

_ORDER = frozenset({"$take_out", "$keep"})
"""Loops over entries that leave the order of a ring: so many at a tick are taken out one by one, one per tick on
average, and of more than that all entries are looked at."""

_ONCE_PER_BLOCK = frozenset({"begin_segment"})
"""Functions that are called at most once per block, wherever the calls are."""

_AT_SOME_TICKS = frozenset({"place_new", "leave"})
"""Functions that run where an object is new or is over: what they take is a burst."""

_FREE = frozenset({"func", "param", "local", "result", "export", "then", "else", "block", "loop", "return"})
_PLAIN_FREE = frozenset({"nop", "drop", "unreachable"})
_BULK = frozenset({"memory.fill", "memory.copy"})
_STRUCTURE = _FREE | {"if", "br", "br_if", "call"}
_WORD = re.compile(rf'\((?!(?:{"|".join(sorted(_STRUCTURE))})\b)([\w.]+)[^()"]*\)|(\(|\)|"[^"]*"|[^\s()]+)')
"""An instruction without operands as a whole, else a parenthesis, text or word."""
_CALL = Work(call=1.0)
Tree = list[Any]


class _Counter:
    """Counts a function's tree. A `unit` is the work of one instruction at a place in it.

    `least`: what is executed in any case, where a loop counts as one round.
    """

    def __init__(self, sizes: Mapping[str, int], *, least: bool) -> None:
        self.sizes = sizes
        self.least = least
        self.repeats = 1
        self.met: frozenset[str] = frozenset()
        """Labels of `_ONCE` that were counted on the way."""
        self.instead = Work()

    def sequence(self, trees: Tree, unit: Work) -> Work:
        """Instructions one after the other; the least ends where control may leave."""
        total = Work()
        for tree in trees:
            if isinstance(tree, int):
                total += unit.times(tree)
            elif isinstance(tree, list):
                total += self._instruction(tree, unit)
                if self.least and _escapes(tree):
                    break
        return total

    def _instruction(self, tree: Tree, unit: Work) -> Work:
        """One instruction with its operands."""
        head = tree[0]
        if head == "loop":
            return self._loop(tree[1], tree[2:], unit)
        if head == "if":
            return self._branches(tree, unit)
        if head == "block" and self.least:
            return Work()
        own = Work() if head in _FREE else unit
        if head == "call":
            name = tree[1][1:]
            own += self.sequence(_function(name)[1:], _unit_of(name, unit))
        return own + self.sequence(tree[1:], unit)

    def _branches(self, tree: Tree, unit: Work) -> Work:
        before = [part for part in tree[1:] if not _is_branch(part)]
        total = unit + self.sequence(before, unit)
        met, mets, counts = self.met, [], []
        for branch in [part for part in tree[1:] if _is_branch(part)]:
            self.met = met
            counts.append(self.sequence(branch[1:], unit))
            mets.append(self.met)
        self.met = met.union(*mets)
        other = counts[1] if len(counts) > 1 else Work()
        return total + (counts[0].smaller(other) if self.least else counts[0].larger(other))

    def _loop(self, label: str, body: Tree, unit: Work) -> Work:
        if label in _WORDS:
            return self.sequence(body, Work(word=self.repeats))
        if label == "$bits":  # the bits of a word, where an object is over
            return self.sequence(body, Work(burst=64 * self.repeats))
        if label in _BLOCKS:
            return self.sequence(body, unit)
        if label in _SIZED:
            return self._repeated(body, unit, max(1, self.sizes.get(_SIZED[label], 1)))
        if self.least:
            certain = label in _EVERY_TICK
            return self.sequence(body, Work(tick=self.repeats / _TICKS_PER_ROUND[label]) if certain else unit)
        return self._last_round(label, body, unit) + self._rounds(label, body, unit)

    def _repeated(self, body: Tree, unit: Work, times: int) -> Work:
        if self.least:
            return self.sequence(body, unit)
        self.repeats *= times
        total = self.sequence(body, unit.times(times))
        self.repeats //= times
        return total

    def _last_round(self, label: str, body: Tree, unit: Work) -> Work:
        """A loop that tests for its end at its beginning has one more, partial round."""
        last = body[-1]
        if isinstance(last, list) and last[:2] == ["br_if", label]:
            return Work()
        return _Counter(self.sizes, least=True).sequence(body, unit)

    def _rounds(self, label: str, body: Tree, unit: Work) -> Work:
        if label in _ROUNDS:
            return self.sequence(body, unit.times(_ROUNDS[label]))
        if label in self.met:
            return Work()
        if label in _ONCE:
            self.met |= {label}
        ticks = self._one_by_one() if label == "$keep" else _TICKS_PER_ROUND.get(label, 1)
        around, self.instead = self.instead, Work()
        work = self.sequence(body, Work(tick=self.repeats / ticks) + unit.times(max(0, 1 - 1 / ticks)))
        if self.instead.tick:  # a replacing loop may end within a round, which then counts in addition
            work = work.larger(self.instead) + unit.times(work.tick)
        self.instead = around
        return self._placed(label, work)

    def _placed(self, label: str, work: Work) -> Work:
        if label in _INSTEAD:
            self.instead = self.instead.larger(work)
            return Work()
        if label in _ORDER:
            return replace(work, burst=max(work.burst, work.tick * self._one_by_one()))
        return replace(work, burst=max(work.burst, work.tick)) if label in _RING else work

    def _one_by_one(self) -> float:
        """The share of a ring's entries that leave its order one by one at a tick."""
        return min(1, MOST_TAKEN_OUT / max(1, self.sizes.get("entries", 1)))


def _unit_of(name: str, unit: Work) -> Work:
    """The work of one instruction of a function that is called where an instruction is this work."""
    if name in _AT_SOME_TICKS:
        return Work(burst=1)
    return _CALL if name in _ONCE_PER_BLOCK else unit


def _is_branch(tree: Any) -> bool:
    return isinstance(tree, list) and tree[0] in ("then", "else")


def _escapes(tree: Tree) -> bool:
    """Whether control may leave this tree before its end."""
    inner = {part[1] for part in _walk(tree) if part[0] in ("block", "loop") and isinstance(part[1], str)}
    return any(part[0] == "return" or (part[0] in ("br", "br_if") and part[1] not in inner) for part in _walk(tree))


def _walk(tree: Tree) -> Iterator[Tree]:
    yield tree
    for part in tree:
        if isinstance(part, list):
            yield from _walk(part)


_NAME = re.compile(r'\(func (?:\$(\w+)|\(export "(\w+)"\))')
_MADE_LATER = ("evaluate", "join_masks")
"""Functions that the emitter writes for a program: the calls in them are counted one by one."""
_ON_REQUEST = ("begin_weighing", "weigh")
"""Functions that are only called where the host asks for weights, which a vehicle does not."""


@cache
def _function(name: str) -> Tree:
    """A function as a tree."""
    return ["func"] if name in (*_MADE_LATER, *_ON_REQUEST) else _tree(_texts()[name])


@cache
def _texts() -> dict[str, str]:
    """All functions' texts by name."""
    whole = [
        files("triggers.language.webassembly").joinpath(name).read_text(encoding="utf-8")
        for name in ("timeline.wat", "weighing.wat")
    ]
    whole += [SHARED, counted_text()]
    texts = []
    for text in whole:
        texts += [part for part in re.split(r"^(?=\(func )", text, flags=re.M) if part.startswith("(func ")]
    texts += [text for told in TOLD.values() for text in (told.add, told.end)] + list(BEGINNINGS.values())
    texts += [text for functions in FUNCTIONS_OF.values() for text in functions]
    texts += [*SHARED_FUNCTIONS, *(kernel.text for kernel in KERNELS.values())]
    named = ((_NAME.match(text), text) for text in texts)
    return {match[1] or match[2]: text for match, text in named if match is not None}


def _tree(text: str) -> Tree:
    """A function's text as nested lists of its words, comments left out.

    An instruction in which control only passes on is the number of instructions in it, which keeps trees small.
    """
    stack: list[Tree] = [[]]
    for leaf, word in _WORD.findall(re.sub(r";;.*", "", text)):
        if leaf:
            stack[-1].append(_plain([leaf]))
        elif word == "(":
            stack.append([])
        elif word == ")":
            done = stack.pop()
            stack[-1].append(done if done[0] in _STRUCTURE or _has_structure(done) else _plain(done))
        else:
            stack[-1].append(word)
    tree: Tree = stack[0][0]
    return tree


def _has_structure(tree: Tree) -> bool:
    return any(isinstance(part, list) for part in tree)


def _plain(tree: Tree) -> int:
    own = 0 if tree[0] in _PLAIN_FREE else 2 if tree[0] in _BULK else 1
    return own + sum(part for part in tree if isinstance(part, int))
