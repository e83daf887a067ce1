"""Random uses of the operators on current values: of every family of numbers, of conditions and of texts."""

from __future__ import annotations

from tests.triggers.language.randomised.catalogs import BOOLS, FAMILIES, TEXTS
from tests.triggers.language.randomised.words import Made, Writer

_MASKS = ("0", "1", "3", "4", "6", "4294967297", "9007199254740991")
_STEPS = ("0.3", "0.7", "1", "1.5", "2", "3")
_ENDS = (("-1", "1"), ("0", "2"), ("0.5", "0.5"), ("-0.5", "3"))


class ValueWriter(Writer):
    """Writes functions of current values; what they are applied to is the subclass's matter."""

    def number(self, family: str, depth: int) -> Made:
        """A number of this family that reads at least one signal."""
        raise NotImplementedError

    def operand(self, family: str, depth: int) -> Made:
        """A number of this family, or a constant."""
        raise NotImplementedError

    def condition(self, depth: int) -> Made:
        """A condition, nested up to so deep."""
        raise NotImplementedError

    def text(self, depth: int) -> Made:
        """A text that reads at least one signal."""
        raise NotImplementedError

    # numbers

    def extreme(self, family: str, depth: int) -> Made:
        parts = [self.number(family, depth)] + [
            self.operand(family, depth) for _ in range(self.random.choice((1, 1, 1, 2, 3)))
        ]
        shown = ", ".join(part.text for part in parts)
        return self.made(f"{self.random.choice(('min', 'max'))}({shown})", family, *parts)

    def clamped(self, family: str, depth: int) -> Made:
        x, unit = self.number(family, depth), FAMILIES[family][0]
        if self.chance(0.5):
            low, high = (f"{end} {unit}" for end in self.random.choice(_ENDS))
            return self.made(f"clamp({x.text}, {low}, {high})", family, x)
        low_end, high_end = self.number(family, depth), self.number(family, depth)
        return self.made(f"clamp({x.text}, {low_end.text}, {high_end.text})", family, x, low_end, high_end)

    def remainder(self, family: str, depth: int) -> Made:
        x = self.number(family, depth)
        if self.chance(0.7):
            return self.made(f"mod({x.text}, {self.random.choice(_STEPS)} {FAMILIES[family][0]})", family, x)
        m = self.number(family, depth)
        return self.made(f"mod({x.text}, {m.text})", family, x, m)

    def whole(self, family: str, depth: int) -> Made:
        """A whole number of another one: its sign, its floor, its bits."""
        chance = self.random.random()
        if chance < 0.3:
            other = self.random.choice([name for name in FAMILIES if name != "temperature"])
            x = self.number(other, depth)
            return self.made(f"sign({x.text})", family, x)
        x = self.number(family, depth)
        if chance < 0.6:
            return self.made(f"floor({x.text})", family, x)
        inner = self.random.choice(("{}", "floor({})", "abs(floor({} * 8))")).format(x.text)
        return self.made(f"bits({inner}, {self.random.choice(_MASKS)})", family, x)

    def chosen_number(self, family: str, depth: int) -> Made:
        """A number that `default` or `if` gives."""
        x, other = self.number(family, depth), self.operand(family, depth)
        return self._chosen(family, x, other, depth)

    def earlier_number(self, family: str, depth: int) -> Made:
        x = self.number(family, depth)
        return self.made(f"prev({x.text})", family, x)

    # conditions and texts

    def wholes(self, depth: int) -> Made:
        """A whole number or a remainder, compared."""
        chance = self.random.random()
        a = self.whole("bare", depth) if chance < 0.8 else self.remainder("bare", depth)
        return self.made(
            f"({a.text} {self.random.choice(('==', '!=', '<', '>='))} {self.random.choice('0123')})", "bool", a
        )

    def close(self, depth: int) -> Made:
        family = self.random.choice(sorted(FAMILIES))
        a, b = self.number(family, depth), self.operand(family, depth)
        tolerance = "difference" if family == "temperature" else family
        size = f"{self.random.choice(('0', '0.5', '1'))} {FAMILIES[tolerance][0]}"
        return self.made(f"approx({a.text}, {b.text}, {size})", "bool", a, b)

    def chosen_condition(self, depth: int) -> Made:
        """A condition that `default` or `if` gives."""
        p = self.condition(depth)
        constant = Made(self.random.choice(("true", "false")), "bool", frozenset())
        return self._chosen("bool", p, constant if self.chance(0.4) else self.condition(depth), depth)

    def earlier_condition(self, depth: int) -> Made:
        p = self.condition(depth)
        if not p.signals:  # such as `every 1 s`, which has no samples
            p = self.signal(BOOLS)
        return self.made(f"prev({p.text})", "bool", p)

    def changed_between(self, depth: int) -> Made:
        """`changed(x) from a to b` of a number, a condition or a text."""
        chance = self.random.random()
        if chance < 0.4:
            family = self.random.choice(sorted(FAMILIES))
            x, values = self.number(family, depth), [f"{size} {FAMILIES[family][0]}" for size in ("0", "1", "2")]
        elif chance < 0.7:
            x, values = self.condition(depth), ["true", "false"]
        else:
            x = self.signal(TEXTS)
            values = [f'"{value}"' for value in self.catalog.signals[x.text].values]
        a, b = self.random.sample(values, 2)
        ends = self.random.choice((f"from {a} to {b}", f"from {a}", f"to {b}"))
        return self.made(f"(changed({x.text}) {ends})", "bool", x)

    def chosen_text(self, depth: int) -> Made:
        """A text that `default` or `if` gives; its first values are those of its first signal."""
        signal = self.signal(TEXTS)
        constant = Made('"another"', "text", frozenset())
        other = self.text(depth) if self.chance(0.6) else constant
        return self._chosen("text", signal, other, depth)

    def earlier_text(self, _depth: int) -> Made:
        signal = self.signal(TEXTS)
        return self.made(f"prev({signal.text})", "text", signal)

    def _chosen(self, type_: str, x: Made, other: Made, depth: int) -> Made:
        if self.chance(0.5):
            return self.made(f"default({x.text}, {other.text})", type_, x, other)
        asked = self.condition(depth) if type_ != "text" else self.signal(BOOLS)
        return self.made(f"if({asked.text}, {x.text}, {other.text})", type_, x, other, asked)
