"""Values at a tick (numbers, Kleene truth values, unknown) and the arithmetic on them.

Numbers are finite floats (text is an index into its values), truth values are bools, and unknown is None. A result that
is not finite is unknown. Every function here is stateless.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from triggers.language.ir import MAX_INTEGER, MAX_QUOTIENT

Value = float | bool | None


def finite(number: float) -> float | None:
    """The number, or unknown if it is infinite or NaN."""
    return number if math.isfinite(number) else None


def divide(left: float, right: float) -> float | None:
    """Quotient; unknown for a zero divisor, whose IEEE result is not finite."""
    return None if right == 0 else finite(left / right)


def square_root(number: float) -> float | None:
    """Square root; unknown for a negative number."""
    return None if number < 0 else math.sqrt(number)


def smaller(left: float, right: float) -> float:
    """The smaller number; -0 counts as smaller than +0."""
    if left == right:
        return left if math.copysign(1.0, left) < 0 else right
    return min(left, right)


def larger(left: float, right: float) -> float:
    """The larger number; +0 counts as larger than -0."""
    if left == right:
        return left if math.copysign(1.0, left) > 0 else right
    return max(left, right)


def sign_of(number: float) -> float:
    """-1, 0 or 1; 0 for -0."""
    return float((number > 0) - (number < 0))


def floor_of(number: float) -> float:
    """The greatest whole number that is not above; -0 for -0."""
    return math.copysign(float(math.floor(number)), number)


def modulo(x: float, m: float) -> float | None:
    """`mod(x, m)`: x less the whole multiple of m below it, in [0, m); unknown unless m > 0 and |x| / m < 2^51."""
    if not (m > 0 and abs(x) / m < MAX_QUOTIENT):
        return None
    rest = math.fmod(abs(x), m)  # exact
    if x < 0 and rest > 0:
        rest = m - rest
    return rest if rest < m else 0.0  # the subtraction rounded up to m


def masked(number: float, mask: float) -> float | None:
    """`bits(x, mask)`: the bits of a whole number that are set in the mask, too; unknown for every other number."""
    if not 0 <= number <= MAX_INTEGER or number != math.floor(number):
        return None
    return float(int(number) & int(mask))


def wrap_angle(angle: float, half_turn: float) -> float | None:
    """The angle plus whole turns so that it lies in [-half_turn, half_turn)."""
    turn = 2.0 * half_turn
    wrapped = finite(angle - turn * math.floor(finite((angle + half_turn) / turn) or 0.0))
    if wrapped is None:
        return None
    if wrapped >= half_turn:  # the subtraction rounded up to the open end
        return wrapped - turn
    return wrapped + turn if wrapped < -half_turn else wrapped


def kleene_and(*operands: bool | None) -> bool | None:
    """False if one is false, else unknown if one is unknown, else true."""
    if False in operands:
        return False
    return None if None in operands else True


def kleene_or(*operands: bool | None) -> bool | None:
    """True if one is true, else unknown if one is unknown, else false."""
    if True in operands:
        return True
    return None if None in operands else False


STRICT: dict[str, Callable[..., Value]] = {
    "add": lambda a, b: finite(a + b),
    "sub": lambda a, b: finite(a - b),
    "mul": lambda a, b: finite(a * b),
    "div": divide,
    "neg": lambda a: -a,
    "abs": abs,
    "sqrt": square_root,
    "min": smaller,
    "max": larger,
    "sign": sign_of,
    "floor": floor_of,
    "mod": modulo,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "not": lambda a: not a,
}
"""Operations whose result is unknown if an operand is unknown."""
