"""The operators of CQL2 as conditions on the table `clips`.

A clip has many fires. Conditions on fires (campaign, version, trigger, ...) that stand side by side in one
conjunction speak of one and the same fire: `campaign = 'x' AND trigger = 'y'` finds clips with a fire of y in x. A
second, different value demanded of the same property can only be another fire's, and begins one. `NOT` speaks of the
clip: `NOT trigger = 'y'` finds clips without any fire of y, `trigger <> 'y'` clips with a fire of another. Tags and
labels stand each for itself: `tag = 'a' AND tag = 'b'` wants both.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from storage.clips.cql2 import spatial, temporal
from storage.clips.cql2.operands import Operand, alike, as_kind, operand
from storage.clips.cql2.properties import Scope, find_property, some
from triggers.errors import InvalidInput

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Condition = ColumnElement[bool]


def compile_tree(tree: Any) -> Condition:
    """The condition that a tree stands for."""
    if isinstance(tree, bool):
        return true() if tree else false()
    name, arguments = _operation(tree)
    if name == "and":
        return _conjunction(_flattened(tree))
    if name == "or":
        return or_(*(compile_tree(each) for each in arguments))
    if name == "not":
        return not_(compile_tree(_exactly(name, arguments, 1)[0]))
    return _scoped(tree)


def _operation(tree: Any) -> tuple[str, list[Any]]:
    """Name (lower case) and arguments of an operation; a bare bool attribute is `= true`."""
    if isinstance(tree, dict) and set(tree) == {"property"}:
        return "=", [tree, True]
    if not isinstance(tree, dict) or set(tree) != {"op", "args"} or not isinstance(tree["op"], str):
        raise InvalidInput("the filter is no condition", remedy="compare a property, like campaign = 'x'")
    if not isinstance(tree["args"], list) or not tree["args"]:
        raise InvalidInput(f"{tree['op'][:60]!r} in the filter has no arguments")
    return tree["op"].lower(), tree["args"]


def _flattened(tree: Any) -> list[Any]:
    """The members of a conjunction, those of conjunctions within it included."""
    if isinstance(tree, dict) and str(tree.get("op", "")).lower() == "and":
        return [member for each in _operation(tree)[1] for member in _flattened(each)]
    return [tree]


def _conjunction(members: Sequence[Any]) -> Condition:
    conditions: list[Condition] = []
    same_fire: list[Condition] = []
    demanded: dict[str, Any] = {}
    for member in members:
        if not _of_one_fire(member):
            conditions.append(compile_tree(member))
            continue
        name, value = _demand(member)
        if name and demanded.setdefault(name, value) != value:
            conditions.append(some("fire", and_(*same_fire)))
            same_fire, demanded = [], {name: value}
        same_fire.append(_unscoped(member))
    if same_fire:
        conditions.append(some("fire", and_(*same_fire)))
    return and_(*conditions)


def _of_one_fire(tree: Any) -> bool:
    """Whether a condition speaks of fires and nothing else, and not of their absence."""
    return _scopes(tree) == {"fire"} and not ({"not", "isnull"} & _operators(tree))


def _demand(tree: Any) -> tuple[str, Any]:
    """Property and value of `property = value`; no name for anything else."""
    name, arguments = _operation(tree)
    if name == "=" and len(arguments) == 2:
        for mine, other in (arguments, arguments[::-1]):
            if isinstance(mine, dict) and set(mine) == {"property"} and not isinstance(other, dict | list):
                return str(mine["property"]), other
    return "", None


def _scopes(tree: Any) -> set[Scope | None]:
    """Of which of a clip's many (fires, tags, labels; None: of the clip) the properties in a tree are."""
    if isinstance(tree, dict):
        if set(tree) == {"property"}:
            return {find_property(tree["property"]).scope}
        return set().union(*(_scopes(value) for value in tree.values()))
    if isinstance(tree, list):
        return set().union(*(_scopes(value) for value in tree))
    return set()


def _operators(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        own = {tree["op"].lower()} if isinstance(tree.get("op"), str) else set()
        return own.union(*(_operators(value) for value in tree.values()))
    if isinstance(tree, list):
        return set().union(*(_operators(value) for value in tree))
    return set()


def _scoped(tree: Any) -> Condition:
    """One comparison; about a fire, a tag or a label it asks for one that fulfils it."""
    scopes = _scopes(tree) - {None}
    if len(scopes) > 1:
        raise InvalidInput("one comparison in the filter mixes fires, tags and labels", remedy="compare with a literal")
    scope = next(iter(scopes), None)
    if scope is None:
        return _comparison(tree)
    if _operation(tree)[0] == "isnull":
        return not_(some(scope))
    return some(scope, _comparison(tree))


def _unscoped(tree: Any) -> Condition:
    """A condition on one fire, without asking for the fire."""
    name, arguments = _operation(tree)
    if name in ("and", "or"):
        inner = [_unscoped(each) for each in arguments]
        return and_(*inner) if name == "and" else or_(*inner)
    return _comparison(tree)


def _comparison(tree: Any) -> Condition:
    name, arguments = _operation(tree)
    if name in _COMPARISONS:
        return _compared(name, *alike(*(operand(each) for each in _exactly(name, arguments, 2))))
    if name in temporal.RELATIONS:
        first, second = (_time(operand(each)) for each in _exactly(name, arguments, 2))
        return temporal.RELATIONS[name](first, second)
    if name in spatial.OPERATORS:
        return spatial.relation(name, _shape(name, _exactly(name, arguments, 2)))
    if name in _SPECIAL:
        return _SPECIAL[name](arguments)
    raise InvalidInput(f"the filter uses {name[:60]!r}, which is not known here", remedy=f"there are {_known()}")


def _compared(name: str, a: Operand, b: Operand) -> Condition:
    if a.kind in ("geometry", "interval"):
        raise InvalidInput(f"{a.shown} cannot be compared by {name}", remedy="use the s_... or t_... relations")
    if a.kind == "bool" and name not in ("=", "<>"):
        raise InvalidInput(f"true and false are not ordered, so {name} cannot compare them", remedy="use = or <>")
    if a.kind == "attribute":
        raise InvalidInput("an attribute must be compared with a text, a number, true or false")
    if a.range is not None and b.range is not None:
        return temporal.compare(name, a.range, b.range)
    compared: Condition = _COMPARISONS[name](a.expression, b.expression)
    return compared


def _between(arguments: list[Any]) -> Condition:
    value, low, high = (operand(each) for each in _exactly("between", arguments, 3))
    return and_(_compared(">=", *alike(value, low)), _compared("<=", *alike(value, high)))


def _in(arguments: list[Any]) -> Condition:
    value, choices = _exactly("in", arguments, 2)
    if not isinstance(choices, list) or not choices:
        raise InvalidInput("IN needs a list in the filter", remedy="write x IN ('a', 'b')")
    mine = operand(value)
    pairs = [alike(mine, operand(each)) for each in choices]
    plain = [(a, b) for a, b in pairs if a.range is None and a.kind in ("text", "number")]
    if len(plain) == len(pairs) and len({a.kind for a, _ in plain}) == 1:
        return plain[0][0].expression.in_([b.expression for _, b in plain])
    return or_(*(_compared("=", a, b) for a, b in pairs))


def _like(arguments: list[Any]) -> Condition:
    value, pattern = (as_kind(operand(each), "text") for each in _exactly("like", arguments, 2))
    if pattern.source is not None or not isinstance(pattern.value, str):
        raise InvalidInput("the pattern of LIKE must be a text", remedy="write x LIKE 'a%'")
    backslashes = len(pattern.value) - len(pattern.value.rstrip("\\"))
    if backslashes % 2:
        raise InvalidInput("the pattern of LIKE ends with its escape sign", remedy="write \\\\ for one backslash")
    return value.expression.like(pattern.expression)


def _is_null(arguments: list[Any]) -> Condition:
    found = operand(_exactly("isNull", arguments, 1)[0])
    if found.source is None:
        raise InvalidInput("IS NULL asks about a literal in the filter", remedy="write property IS NULL")
    return found.expression.is_(None)


def _time(found: Operand) -> temporal.Range:
    if found.kind == "text":
        found = as_kind(found, "time")
    if found.range is None:
        raise InvalidInput(f"{found.shown} is no time", remedy="use start, end, time, TIMESTAMP, DATE or INTERVAL")
    return found.range


def _shape(name: str, arguments: list[Any]) -> Any:
    """The shape that `geometry` is related with; s_within wants `geometry` first, the others are symmetric."""
    ours = {"property": "geometry"}
    if arguments[0] == ours and arguments[1] != ours:
        return arguments[1]
    if arguments[1] == ours and arguments[0] != ours and name != "s_within":
        return arguments[0]
    raise InvalidInput(f"{name} must relate `geometry` with a shape", remedy=f"write {name}(geometry, BBOX(...))")


def _exactly(name: str, arguments: list[Any], count: int) -> list[Any]:
    if len(arguments) != count:
        raise InvalidInput(f"{name} takes {count} arguments, the filter gives it {len(arguments)}")
    return arguments


def _known() -> str:
    return ", ".join(["and", "or", "not", *_COMPARISONS, *_SPECIAL, "casei", *temporal.RELATIONS, *spatial.OPERATORS])


_SPECIAL: Mapping[str, Callable[[list[Any]], Condition]] = {
    "between": _between,
    "in": _in,
    "like": _like,
    "isnull": _is_null,
}
