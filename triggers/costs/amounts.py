"""Amounts of money: exact decimals, the one rule by which they are rounded, and their division with exact sums.

A priced quantity is a whole number of bytes, byte-months or requests and a price has at most 9 decimals, so the cost
of a quantity has at most AMOUNT_DECIMALS and is never rounded; nor are sums of costs. Only a quotient is: a unit cost,
or an amount for people to read, half to even.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from typing import TypeVar

AMOUNT_DECIMALS = 18
"""Decimals of an exact cost: 9 of a price and 9 of a quantity, whose smallest part is a byte of a GB."""
UNIT_COST_DECIMALS = 9
"""Decimals to which a cost per kilometre, clip and so on is rounded."""
SHOWN_DECIMALS = 2
EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation])
"""Arithmetic that raises rather than rounds; whatever it returns is exact."""
_Key = TypeVar("_Key", str, date)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum.

    >>> total([Decimal("0.50"), Decimal("0.63"), Decimal("0.594")])
    Decimal('1.724')
    """
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def rounded(amount: Decimal | Fraction, decimals: int = SHOWN_DECIMALS) -> Decimal:
    """The amount with so many decimals, half to even: the only way in which money is rounded.

    >>> rounded(Decimal("0.125")), rounded(Decimal("0.135")), rounded(Decimal("-0.125"))
    (Decimal('0.12'), Decimal('0.14'), Decimal('-0.12'))
    """
    exact = round(Fraction(amount) * 10**decimals)
    return Decimal(exact).scaleb(-decimals, EXACT)


def unit_cost(amount: Decimal, count: int, *, per: int = 1) -> Decimal | None:
    """The cost of `per` units if `count` of them cost `amount`, rounded; None if there were none.

    >>> unit_cost(Decimal("1.724"), 3), unit_cost(Decimal("5"), 250_000, per=1_000_000), unit_cost(Decimal(5), 0)
    (Decimal('0.574666667'), Decimal('20.000000000'), None)
    """
    if count < 0 or per < 1:
        raise ValueError("counts of units are not negative")
    return rounded(Fraction(amount) * per / count, UNIT_COST_DECIMALS) if count else None


def allocate(amount: Decimal, weights: Sequence[int], *, decimals: int = AMOUNT_DECIMALS) -> list[Decimal]:
    """Divide an amount in proportion to the weights, such that the parts add up to it exactly.

    By the method of largest remainders (Hamilton's): each part is its exact share rounded towards zero to so many
    decimals, and what is left goes, a smallest unit each, to the parts that lost most; among equals to the first. So a
    part is less than one unit away from its share, and one of weight 0 gets nothing. A negative amount, as of a
    correction, is divided like its opposite. Raises ValueError for negative weights, for weights that are all 0 unless
    the amount is, too, and for an amount with more decimals.

    >>> allocate(Decimal("1.00"), [1, 1, 1], decimals=2)
    [Decimal('0.34'), Decimal('0.33'), Decimal('0.33')]
    """
    units = Fraction(amount) * 10**decimals
    if units.denominator != 1:
        raise ValueError(f"{amount} has more than {decimals} decimals")
    sign, whole = (-1 if units < 0 else 1), abs(units.numerator)
    return [Decimal(sign * part).scaleb(-decimals, EXACT) for part in allocate_whole(whole, weights)]


def allocate_whole(whole: int, weights: Sequence[int]) -> list[int]:
    """The same for a whole number that is not negative, such as of bytes."""
    if whole < 0 or any(weight < 0 for weight in weights):
        raise ValueError("what is divided, and the weights, are not negative")
    sum_of_weights = sum(weights)
    if sum_of_weights == 0:
        if whole:
            raise ValueError("there is nothing to which the amount could be allocated: all weights are 0")
        return [0] * len(weights)
    shares = [divmod(whole * weight, sum_of_weights) for weight in weights]
    parts = [part for part, _ in shares]
    by_loss = sorted(range(len(shares)), key=lambda index: -shares[index][1])  # stable: among equals the first
    for index in by_loss[: whole - sum(parts)]:
        parts[index] += 1
    return parts


def allocate_among(amount: Decimal, weights: Mapping[_Key, int]) -> dict[_Key, Decimal]:
    """Divide an amount among keys, such as clips by their bytes; the order of the mapping does not matter."""
    keys = sorted(weights)
    return dict(zip(keys, allocate(amount, [weights[key] for key in keys]), strict=True))
