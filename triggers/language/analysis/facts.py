"""Facts about conditions, known without any data: what must hold when a condition is true, and when it is false.

A *subject* is a node, or the order of two nodes (-1, 0 or 1). Facts give, for each subject, the set of its possible
values whenever the condition is true (false); None instead of such sets means that the condition can never be true
(false). They are necessary but not sufficient, so what they rule out is ruled out for every recording. Unknown values
need no special treatment: a condition is only true or false where its facts hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, inf, nextafter

Bound = tuple[float, int]
"""An end of an interval. The second part is 0 if the interval includes it, 1 (-1) for an open lower (upper) end."""
Values = tuple[tuple[Bound, Bound], ...]
"""Disjoint intervals in ascending order; none is the empty set."""
Subject = int | tuple[int, int]
Known = Mapping[Subject, Values]

MAX_PIECES = 64
MAX_SUBJECTS = 64
_INVERSE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
"""The equivalent operator with its operands exchanged."""
_SIGNS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "==": (0,), "!=": (-1, 1)}


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a condition; None if it can never be true (false)."""

    true: Known | None
    false: Known | None

    @property
    def decided(self) -> bool:
        """True for a condition that can never be true or never be false."""
        return self.true is None or self.false is None


NOTHING_KNOWN: Known = {}
NEVER_TRUE = Facts(None, NOTHING_KNOWN)


def of_constant(value: bool) -> Facts:
    """Facts of `true` or `false`."""
    return Facts(NOTHING_KNOWN if value else None, None if value else NOTHING_KNOWN)


def of_bool(node: int) -> Facts:
    """Facts of a condition about which only its node is known."""
    return Facts({node: points((1,))}, {node: points((0,))})


def points(numbers: Iterable[int]) -> Values:
    """A set of whole numbers, given in ascending order."""
    return tuple(((number, 0), (number, 0)) for number in numbers)


def between(low: Fraction | None, high: Fraction | None) -> Values:
    """All numbers from `low` to `high`; None means no bound."""
    lowest = -inf if low is None else _outward(low, -inf)
    return (((lowest, 0), (inf if high is None else _outward(high, inf), 0)),)


def _outward(end: Fraction, outside: float) -> float:
    """The number as a float; if it is not exact, the next float outside."""
    try:
        nearest = float(end)
    except OverflowError:
        return outside
    is_inside = nearest > end if outside < 0 else nearest < end
    return nextafter(nearest, outside) if is_inside else nearest


def compared(operator: str, subject: Subject, domain: Values, number: float, *, whole: bool) -> Facts:
    """Facts of `subject operator number`, for a subject within `domain`; `whole`: it takes whole numbers only."""
    sides = [_side(word, domain, number, whole=whole) for word in (operator, _INVERSE[operator])]
    return Facts(*({subject: side} if side else None for side in sides))


def ordered(operator: str, subject: tuple[int, int], signs: Iterable[int]) -> Facts:
    """Facts of `left operator right`, given the signs that their order can have."""
    left, right = subject
    possible = sorted(signs)
    sides: list[Known | None] = []
    for word in (operator, _INVERSE[operator]):
        fitting = [sign for sign in possible if sign in _SIGNS[word]]
        flipped = fitting if left <= right else sorted(-sign for sign in fitting)
        sides.append({(min(subject), max(subject)): points(flipped)} if fitting else None)
    return Facts(*sides)


def negated(facts: Facts) -> Facts:
    """Facts of `not P`."""
    return Facts(facts.false, facts.true)


def joined(operator: str, operands: Iterable[Facts]) -> Facts:
    """Facts of a junction by `and` or `or`."""
    facts = list(operands)
    if operator == "or":
        return negated(joined("and", map(negated, facts)))
    return Facts(_all(f.true for f in facts), _any(f.false for f in facts))


def either(first: Facts, second: Facts) -> Facts:
    """Facts of a condition that has the value of one of these two."""
    return Facts(_any((first.true, second.true)), _any((first.false, second.false)))


def chosen(asked: Facts, first: Facts, second: Facts) -> Facts:
    """Facts of `if(c, a, b)`."""
    sides = [
        _any((_all((asked.true, a)), _all((asked.false, b))))
        for a, b in ((first.true, second.true), (first.false, second.false))
    ]
    return Facts(*sides)


def edged(operator: str, operand: Facts) -> Facts:
    """Facts of `rise(P)` and `fall(P)`, for which P must be able to take both values."""
    if operand.decided:
        return NEVER_TRUE
    return Facts(operand.true if operator == "rise" else operand.false, NOTHING_KNOWN)


def sequenced(operator: str, first: Facts, second: Facts) -> Facts:
    """Facts of `A then B within W` and `A without B within W`."""
    if first.decided or (operator == "then" and second.decided):
        return NEVER_TRUE
    return Facts(second.true if operator == "then" else NOTHING_KNOWN, NOTHING_KNOWN)


def lasting_since(condition: Facts, start: Facts) -> Facts:
    """Facts of `P since Q` and `P since Q within W`: Q is true now, or P is and Q was; false only where Q is."""
    known = None if start.true is None else _any((condition.true, start.true))
    return Facts(known, start.false)


def latched(turns_on: Facts, turns_off: Facts) -> Facts:
    """Facts of `latch(set, reset)`, for which `set` must be able to rise; where it is true, `reset` is false."""
    return NEVER_TRUE if turns_on.decided else Facts(turns_off.false, NOTHING_KNOWN)


def _side(operator: str, domain: Values, number: float, *, whole: bool) -> Values:
    below, above = ((-inf, 0), (number, -1)), ((number, 1), (inf, 0))
    exact = ((number, 0), (number, 0))
    pieces: dict[str, Values] = {
        "<": (below,), ">": (above,), "==": (exact,), "!=": (below, above),
        "<=": ((below[0], exact[1]),), ">=": ((exact[0], above[1]),),
    }  # fmt: skip
    side = pieces[operator]
    return _intersection(_whole(side) if whole else side, domain)


def _whole(values: Values) -> Values:
    """The whole numbers of a set, as closed intervals."""
    result = []
    for (low, low_open), (high, high_open) in values:
        first = low if low == -inf else (floor(low) + 1 if low_open else ceil(low))
        last = high if high == inf else (ceil(high) - 1 if high_open else floor(high))
        if first <= last:
            result.append(((first, 0), (last, 0)))
    return tuple(result)


def _intersection(a: Values, b: Values) -> Values:
    result, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if low <= high:
            result.append((low, high))
        if a[i][1] <= b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(result)


def _union(sets: Iterable[Values]) -> Values:
    result: list[tuple[Bound, Bound]] = []
    for low, high in sorted(piece for values in sets for piece in values):
        if result and _touches(result[-1][1], low):
            result[-1] = (result[-1][0], max(result[-1][1], high))
        else:
            result.append((low, high))
    return tuple(result)


def _touches(high: Bound, low: Bound) -> bool:
    """Whether no number lies between an upper end and the lower end that follows it."""
    return low[0] < high[0] or (low[0] == high[0] and low[1] - high[1] <= 1)


def _all(known: Iterable[Known | None]) -> Known | None:
    """What is known if all of these hold; None if they contradict each other."""
    result: dict[Subject, Values] = {}
    for facts in known:
        if facts is None:
            return None
        for subject, values in facts.items():
            common = _intersection(result[subject], values) if subject in result else values
            if not common:
                return None
            if len(common) <= MAX_PIECES and (subject in result or len(result) < MAX_SUBJECTS):
                result[subject] = common
    return result


def _any(known: Iterable[Known | None]) -> Known | None:
    """What is known if at least one of these holds."""
    possible = [facts for facts in known if facts is not None]
    if not possible:
        return None
    result = {}
    for subject in possible[0]:
        if all(subject in facts for facts in possible):
            values = _union(facts[subject] for facts in possible)
            if len(values) <= MAX_PIECES:
                result[subject] = values
    return result
