"""Where forms over lists of objects are in the tokens: their words name other things elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.lexer import Token, TokenKind
from triggers.signals.reserved import RESERVED

FORMS_OF_OBJECTS = {
    "any": "any(o in tracked where o.x < 20 m)",
    "all": "all(o in tracked where o.x < 20 m)",
    "count": "count(o in tracked where o.x < 20 m)",
    "min": "min(o.x for o in tracked where o.v > 0)",
    "max": "max(o.x for o in tracked where o.v > 0)",
    "sum": "sum(o.x for o in tracked where o.v > 0)",
    "nearest": "nearest(o in tracked by o.x where o.v > 0).x",
}
"""How each of them is written."""
MEANT = {
    **dict.fromkeys(("exists", "exist", "some", "each", "one", "has", "contains", "filter", "find"), "any"),
    **dict.fromkeys(("every", "each", "forall", "for_all", "always"), "all"),
    **dict.fromkeys(("len", "length", "size", "number", "num", "amount", "how_many"), "count"),
    **dict.fromkeys(("least", "minimum", "smallest", "lowest"), "min"),
    **dict.fromkeys(("most", "maximum", "largest", "highest"), "max"),
    **dict.fromkeys(("total", "add", "add_up"), "sum"),
    **dict.fromkeys(("closest", "first", "argmin", "min_by"), "nearest"),
    **{name: name for name in FORMS_OF_OBJECTS},
}
"""Words for them in other languages, and their own names."""
MEAN = ("avg", "mean", "average")
"""Words for the mean of the objects, which is a sum and a count."""
NONE = ("none", "no", "not_any", "nobody")
"""Words for the opposite of `any`."""
SAID_BEFORE_LISTS = ("any", "all", "each", "every", "exists", "some", "forall", "nearest", "closest", *NONE)
"""Words that elsewhere stand before a list without brackets: `any tracked.x < 20 m`, `nearest tracked by x`."""
_WITHOUT_CONDITION = ("any", "all", "count")


def form_meant(name: str) -> str:
    """The form that a word of this or another language stands for, as it is written here; empty if none is known."""
    if name.lower() in MEAN:
        return "sum(o.x for o in tracked) / count(o in tracked)"
    if name.lower() in NONE:
        return f"not {FORMS_OF_OBJECTS['any']}"
    return FORMS_OF_OBJECTS.get(MEANT.get(name.lower(), ""), "")


def _names(token: Token) -> bool:
    return token.kind is TokenKind.WORD and token.text not in RESERVED


def _at(tokens: Sequence[Token], index: int) -> Token:
    return tokens[min(index, len(tokens) - 1)]


def is_each(tokens: Sequence[Token], index: int) -> bool:
    """Whether this is the `for` of `min(o.x for o in tracked)`, and not that of `P for 300 ms`."""
    first, second, third = (_at(tokens, index + step) for step in range(3))
    return first.is_word("for") and _names(second) and third.is_word("in")


def opens_objects(tokens: Sequence[Token], index: int) -> bool:
    """Whether an object and its list follow this bracket of a call: `(o in tracked where`, `by`, or at its end `)`."""
    if not (_names(_at(tokens, index + 1)) and _at(tokens, index + 2).is_word("in")):
        return False
    of, after = _at(tokens, index + 3), _at(tokens, index + 4)
    if not (of.kind is TokenKind.DOTTED or _names(of)):
        return False
    return after.is_word("where", "by") or (after.is_mark(")") and tokens[index - 1].is_word(*_WITHOUT_CONDITION))


_OF_BRACKETS = frozenset({"(", ")", "{", "}", "for"})


def each_by_bracket(tokens: Sequence[Token]) -> dict[int, int]:
    """For each bracket with `for o in` directly within it, where in the tokens the first one is."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.text not in _OF_BRACKETS:
            continue  # nearly all
        if token.is_mark("("):
            opened.append(index)
        elif token.is_mark(")"):
            del opened[-1:]
        elif token.is_mark("{", "}"):
            opened.clear()
        elif opened and is_each(tokens, index):
            found.setdefault(opened[-1], index)
    return found
