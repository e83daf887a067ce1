"""A filter as the members of a conjunction: nested conjunctions in one, negations where they are simplest.

Each step keeps the truth value of every clip: Kleene's logic has De Morgan's laws, and a comparison of a clip's own
property is unknown exactly if its opposite is.
"""

from __future__ import annotations

from dataclasses import replace

from storage.clips.cql2.tree import And, Between, Comparison, Constant, Not, Or, Predicate, scopes

_OPPOSITES = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def conjunction(predicate: Predicate) -> list[Predicate]:
    """The members that must all hold.

    >>> conjunction(And((Constant(True), Not(Or((Constant(False), Not(Constant(True))))))))
    [Constant(value=True), Constant(value=True), Constant(value=True)]
    """
    predicate = _without_not(predicate)
    if isinstance(predicate, And):
        return [member for inner in predicate.members for member in conjunction(inner)]
    return [predicate]


def _without_not(predicate: Predicate) -> Predicate:
    """The same predicate with a negation moved inwards by one level, as far as there is one."""
    if not isinstance(predicate, Not):
        return predicate
    match predicate.member:
        case Not(inner):
            return _without_not(inner)
        case Constant(value):
            return Constant(not value)
        case Or(members):
            return And(tuple(map(Not, members)))
        case And(members):
            return Or(tuple(map(Not, members)))
        case Comparison() as comparison if scopes(comparison) <= {None}:
            return replace(comparison, operator=_OPPOSITES[comparison.operator])
        case Between(at_least, at_most) if scopes(at_least) <= {None}:
            return Or((_without_not(Not(at_least)), _without_not(Not(at_most))))
    return predicate
