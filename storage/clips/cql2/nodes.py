"""Nodes of a filter's document: JSON objects that know their place in the source, and numbers read exactly.

JSON and text are read into the same nodes, so that a mistake is reported at its place in either language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeAlias

from triggers.errors import InvalidInput

Number: TypeAlias = int | Decimal
"""A literal number, as it is written: an int if it is whole, otherwise a Decimal."""

MAX_SHOWN_DIGITS = 30
_NONZERO = re.compile(r"^[^eE]*[1-9]")


class Node(dict[str, Any]):
    """A JSON object of a filter. `place` says where it is: `line 1, column 5`, or `args[0]` in JSON."""

    __slots__ = ("place", "quoted")

    def __init__(self, members: dict[str, Any], place: str, *, quoted: bool = False) -> None:
        """`quoted`: a property whose name the text has in double quotes."""
        super().__init__(members)
        self.place = place
        self.quoted = quoted


class PlacedMistake(InvalidInput):
    """A mistake whose message names its place already."""


@contextmanager
def at(node: object) -> Iterator[None]:
    """Add the node's place to an InvalidInput that does not name one, so that the innermost node is named."""
    try:
        yield
    except PlacedMistake:
        raise
    except InvalidInput as error:
        if not isinstance(node, Node) or not node.place:
            raise
        raise PlacedMistake(f"{error.message} ({node.place})", remedy=error.remedy) from error


def read_number(written: str) -> Number:
    """The number that a literal stands for, exactly; InvalidInput beyond the range of a double.

    No property can hold such a number, and PostgreSQL's `numeric` cannot hold all of them.
    """
    nearest = float(written)  # of any length, in linear time
    if math.isinf(nearest):
        raise InvalidInput(
            f"the filter has a number larger than any property can be: {written[:MAX_SHOWN_DIGITS]}...",
            remedy="write a number up to 1.79e308 in size",
        )
    if nearest == 0:
        if _NONZERO.match(written):
            raise InvalidInput(
                f"the filter has a number closer to zero than any property can be: {written[:MAX_SHOWN_DIGITS]}",
                remedy="write 0; the smallest number is 5e-324",
            )
        return 0
    exact = Decimal(written)
    return int(exact) if exact == exact.to_integral_value() else exact


def shown_number(number: Number) -> str:
    """A number as messages show it: as it was written, unless that is long."""
    text = str(number)
    return text if len(text) <= MAX_SHOWN_DIGITS else repr(float(number))


def is_number(node: object) -> bool:
    """Whether a node is a number; true and false are not."""
    return isinstance(node, int | float | Decimal) and not isinstance(node, bool)
