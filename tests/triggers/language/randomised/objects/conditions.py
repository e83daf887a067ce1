"""Random conditions on the objects of lists in the language's own text."""

from __future__ import annotations

from collections.abc import Callable

from tests.triggers.language.randomised.objects.lists import DeclaredList
from tests.triggers.language.randomised.words import WINDOWS, Made, Writer

_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_LENGTHS = ("0 m", "0.5 m", "1 m", "2 m", "-1 m")
_SHORT = ("10 ms", "35 ms", "100 ms", "200 ms", "500 ms", "1 s")


class ObjectWriter:
    """Writes what is told of the objects of lists; conditions of a `writer` may stand beside those on objects."""

    def __init__(self, writer: Writer, lists: tuple[DeclaredList, ...], plain: Callable[[int], Made]) -> None:
        self._random = writer.random
        self._lists = lists
        self._plain = plain
        self._signals: set[str] = set()

    def told(self, depth: int) -> Made:
        """A condition on what is told of the objects of a list."""
        of = self._random.choice(self._lists).name
        where = self._where(depth)
        chance = self._random.random()
        if chance < 0.35:
            text = f"{self._random.choice(('any', 'all'))}(o in {of}{where or self._needed(depth)})"
        elif chance < 0.5:
            text = f"(count(o in {of}{where}) {self._random.choice(_COMPARISONS)} {self._random.randrange(4)})"
        elif chance < 0.8:
            word = self._random.choice(("min", "max", "sum"))
            text = f"({word}({self._length(depth)} for o in {of}{where}) {self._compared_length()})"
        else:
            text = self._nearest(f"nearest(o in {of} by {self._length(depth)}{where})")
        signals = frozenset(self._signals)
        self._signals.clear()
        return Made(text, "bool", signals)  # which no condition on an object may have in it

    def _nearest(self, nearest: str) -> str:
        chance = self._random.random()
        if chance < 0.25:
            return f"{nearest}.seen"
        if chance < 0.5:
            return f'({nearest}.kind == "truck")'
        if chance < 0.75:
            return f"({nearest}.x {self._compared_length()})"
        return self._random.choice((f"changed({nearest}.id)", f"missing({nearest}.id)"))

    def _where(self, depth: int) -> str:
        return "" if self._random.random() < 0.2 else self._needed(depth)

    def _needed(self, depth: int) -> str:
        return f" where {self._condition(depth)}"

    def _compared_length(self) -> str:
        return f"{self._random.choice(_COMPARISONS)} {self._random.choice(_LENGTHS)}"

    def _length(self, depth: int) -> str:
        """A length of an object."""
        chance = self._random.random()
        if depth <= 0 or chance < 0.4:
            return "o.x"
        if chance < 0.6:
            operator = self._random.choice(("min", "max", "avg", "median"))
            return f"{operator}({self._length(depth - 1)} over {self._random.choice(_SHORT)})"
        if chance < 0.7:
            return f"(o.v * {self._random.choice(('1 s', '300 ms'))})"
        if chance < 0.8:
            return f"prev({self._length(depth - 1)})"
        if chance < 0.9:
            return f"default(o.x, {self._random.choice(_LENGTHS)})"
        return f"abs({self._length(depth - 1)} - {self._length(depth - 1)})"

    def _condition(self, depth: int, *, beside: bool = True) -> str:
        """A condition on an object; `beside`: others may stand in it, of whose signals not all have a rate."""
        random = self._random
        chance = random.random()
        if depth <= 0 or chance < 0.2:
            leaves = ("o.seen", '(o.kind == "car")', f"(o.x {self._compared_length()})", "(o.id > 3)", "missing(o.v)")
            return random.choice(leaves)
        if chance < 0.4:
            tolerating = f" tolerating {random.choice(WINDOWS)}" if random.random() < 0.4 else ""
            return f"(({self._condition(depth - 1, beside=beside)}) for {random.choice(WINDOWS)}{tolerating})"
        if chance < 0.5:
            return f"({self._length(depth)} {self._compared_length()})"
        if chance < 0.6:
            return f"{random.choice(('rise', 'fall', 'changed', 'not '))}({self._condition(depth - 1, beside=beside)})"
        if chance < 0.7:
            of = f"({self._condition(depth - 1, beside=False)} over {random.choice(_SHORT)})"
            return random.choice((f"(count{of} > 1)", f"(share{of} > 40 %)", f"once{of}"))
        if chance < 0.8 and beside:
            plain = self._plain(1)
            self._signals |= plain.signals
            return f"({self._condition(depth - 1, beside=beside)} {random.choice(('and', 'or'))} ({plain.text}))"
        word = random.choice(("and", "or", "then", "since"))
        within = f" within {random.choice(WINDOWS)}" if word == "then" else ""
        first, second = (self._condition(depth - 1, beside=beside) for _ in range(2))
        return f"(({first}) {word} ({second}){within})"
