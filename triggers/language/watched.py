"""Watched conditions: of which nodes of a program a backtest weighs how long they are true, false and unknown.

A module can weigh them while it runs, if its host asks for it (`weighing.wat`). Emitter and backtest both take the list
of them from here, so they agree on the order of what is weighed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from triggers.language.ir import CLOCK, Ir, Node, mask_of

MAX_SIGNALS = 64
"""At most so many signals of a trigger are weighed, the first that it reads; a bound on the module's memory."""
_ASKS_FOR_ABSENCE = frozenset(("missing", "age", "samples"))
"""Operations that are known even while the signal below them is not."""
_HAS_A_VALUE_INSTEAD = "default"
"""The operation that is known as soon as its last argument is."""


@dataclass(frozen=True, slots=True)
class WatchedTrigger:
    """The nodes and inputs of a trigger that are weighed.

    `parts` are the conjuncts of the condition's `and`, also those of an `and` in it, as one in a `let`; empty where the
    condition is none. `signals` are the inputs that must be known for the condition to be.
    """

    trigger: str
    root: int
    parts: tuple[int, ...]
    signals: tuple[int, ...]

    @property
    def entries(self) -> int:
        """How many things are weighed: the condition, its parts, and the time unknown with each signal."""
        return 1 + len(self.parts) + len(self.signals)


@dataclass(frozen=True, slots=True)
class Weight:
    """How long a condition was unknown, false and true, in ns."""

    unknown_ns: int = 0
    false_ns: int = 0
    true_ns: int = 0

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.unknown_ns + other.unknown_ns, self.false_ns + other.false_ns, self.true_ns + other.true_ns)

    @property
    def known_ns(self) -> int:
        """How long it was true or false."""
        return self.false_ns + self.true_ns

    @property
    def total_ns(self) -> int:
        """How long it was weighed."""
        return self.unknown_ns + self.known_ns


class Closest(NamedTuple):
    """The first tick at which all parts of a condition were true but one: its time, and the index of that part."""

    t_ns: int
    missing: int


@dataclass(frozen=True, slots=True)
class TriggerWeights:
    """What was weighed of a trigger, in the order of its `WatchedTrigger`.

    A tick's value lasts until the next tick of its segment. Of the time in which the condition was unknown,
    `unknown_with_ns` is how long each of its signals was, too.
    """

    condition: Weight
    parts: tuple[Weight, ...]
    unknown_with_ns: tuple[int, ...]
    closest: Closest | None


def watched(ir: Ir) -> tuple[WatchedTrigger, ...]:
    """What is weighed of each trigger, in the order of the program's triggers."""
    needs = needed(ir)
    found = []
    for code in ir.triggers:
        parts = nodes_joined(ir, code.root)
        found.append(
            WatchedTrigger(code.name, code.root, parts if len(parts) > 1 else (), _first(needs[code.root] & ~CLOCK))
        )
    return tuple(found)


def _first(mask: int) -> tuple[int, ...]:
    """The positions of the lowest bits that are set, at most MAX_SIGNALS."""
    positions: list[int] = []
    while mask and len(positions) < MAX_SIGNALS:
        lowest = mask & -mask
        positions.append(lowest.bit_length() - 1)
        mask ^= lowest
    return tuple(positions)


def masks_of(ir: Ir) -> list[int]:
    """For each node, the inputs that it reads as a bit mask."""
    masks: list[int] = []
    for node in ir.nodes:
        masks.append(mask_of(node, masks))
    return masks


def needed(ir: Ir) -> list[int]:
    """For each node, the inputs that must be known for it to be: not those that it only asks about with `missing`.

    Of `default(x, v)` they are those of v: while v is known, x cannot be what makes it unknown.
    """
    masks: list[int] = []
    for node in ir.nodes:
        if node.op == _HAS_A_VALUE_INSTEAD:
            masks.append(masks[node.arguments[-1]])
        else:
            masks.append(0 if node.op in _ASKS_FOR_ABSENCE else mask_of(node, masks))
    return masks


def nodes_joined(ir: Ir, root: int) -> tuple[int, ...]:
    """The nodes that must all be true for the root to be, in the order of the text, each once."""
    found: dict[int, None] = {}
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        index = waiting.pop()
        if index in seen:  # what is joined with itself, again and again, would double with each level
            continue
        seen.add(index)
        if ir.nodes[index].op == "and" and not is_one(ir.nodes, index):
            waiting += reversed(ir.nodes[index].arguments)
        else:
            found[index] = None
    return tuple(found)


def is_one(nodes: Sequence[Node], index: int) -> bool:
    """Whether an `and` is `x between low and high` or `changed(x) from a to b`, one condition for its author."""
    parts = [nodes[argument] for argument in nodes[index].arguments]
    operations = [node.op for node in parts]
    if operations == ["fall", "rise"]:
        parts = [nodes[node.arguments[0]] for node in parts]
        is_pair = all(node.op == "eq" for node in parts)
    else:
        is_pair = operations == ["ge", "le"]
    return is_pair and parts[0].arguments[0] == parts[1].arguments[0]
