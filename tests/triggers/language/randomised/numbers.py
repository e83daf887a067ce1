"""Random numbers in the language's own text: of every family of units, from signals up to nested windows."""

from __future__ import annotations

from tests.triggers.language.randomised.catalogs import DERIVED, DERIVED_FROM, FAMILIES, NUMBERS
from tests.triggers.language.randomised.values import ValueWriter
from tests.triggers.language.randomised.words import Made

_INTEGRALS = {"speed": "acceleration", "length": "speed", "time": "bare"}
"""The family of what is integrated over time, by that of the integral."""

_RANKS = ("1", "0.5", "0.07", "95 %", "1e-9", "2 / 3", "0.25")


class NumberWriter(ValueWriter):
    """Writes numbers; conditions within them are the subclass's matter."""

    def condition(self, depth: int) -> Made:
        """A condition, nested up to so deep."""
        raise NotImplementedError

    def impulse(self, depth: int) -> Made:
        """A condition that is true at single ticks."""
        raise NotImplementedError

    def anything(self, depth: int) -> Made:
        """A number, a condition or a text."""
        raise NotImplementedError

    def number(self, family: str, depth: int) -> Made:
        """A number of this family that reads at least one signal."""
        known = self.again(family)
        if known is not None:
            return known
        if depth <= 0:
            return self._leaf(family)
        ways = [(2, self._leaf), (5, self._windowed), (1, self._past), (2, self.extreme)]
        ways += [(1, self.clamped), (1, self.chosen_number), (1, self.earlier_number)]
        ways += [(2, self._from_rise), (1, self._caught)]
        if family != "temperature":
            ways += [(2, self._sum), (2, self._scaled), (2, self._signed), (1, self._root), (2, self._delta)]
            ways += [(1, self.remainder)]
        own = {"bare": self._bare, "ratio": self.share, "acceleration": self.rate, "angle": self._wrapped}
        ways += [(8, self.counted), (5, self._samples), (4, self.whole)] if family == "bare" else []
        ways += [(2, self._summed)] if family != "temperature" else []
        ways += [(2, self._integral)] if family in _INTEGRALS else []
        ways += [(5, own[family])] if family in own else []
        return self.among(ways, family, depth - 1)

    def family(self) -> str:
        """A family of numbers, mostly one that the program's few signals have."""
        own = [self.catalog.signals[name].family for name in self.catalog.palette]
        own = [family for family in own if family]
        return self.random.choice(own if self.chance(0.7) else sorted(FAMILIES))

    def _leaf(self, family: str, depth: int = 0) -> Made:
        if family == "difference":
            a, b = self._leaf("temperature"), self._leaf("temperature")
            return self.made(f"({a.text} - {b.text})", family, a, b)
        if family in ("angle", "time") and self.chance(0.15):
            name = "solar_time" if family == "time" else "sun_elevation"
            return self.made(name, family, self.signal(["lat"]), self.signal(["lon"]))
        if family == "length" and self.chance(0.3):
            return self._travelled(family, depth)
        if family == "time" and self.chance(0.3):
            event = self.condition(depth)
            return self.made(f"(time since ({event.text}))", family, event)
        if family == "time" and self.chance(0.7):
            signal = self.signal(sorted(self.catalog.signals))
            return self.made(f"age({signal.text})", family, signal)
        if family == "speed" and self.chance(0.2):
            return self.made(DERIVED, family, *(self.signal([name]) for name in DERIVED_FROM))
        if self.chance(0.2):
            pair = self._divergence(family)
            if pair is not None:
                return pair
        return self.signal([name for name, own in NUMBERS.items() if own == family])

    def _divergence(self, family: str) -> Made | None:
        if family == "length" and self.chance(0.5) and self.has_rates("active.lead.gap", "shadow.lead.gap"):
            return self.made("divergence(lead.gap)", family, *self.heads("lead.gap"))
        if family == "temperature":
            return None
        names = [n for n, own in NUMBERS.items() if own == ("temperature" if family == "difference" else family)]
        a, b = self.signal(names), self.signal(names)
        return self.made(f"divergence({a.text}, {b.text}{self.skew(a, b)})", family, a, b)

    def operand(self, family: str, depth: int) -> Made:
        """A number of this family, or a constant."""
        return Made(self.literal(family), family, frozenset()) if self.chance(0.3) else self.number(family, depth)

    def _sum(self, family: str, depth: int) -> Made:
        a, b = self.number(family, depth), self.operand(family, depth)
        return self.made(f"({a.text} {self.random.choice('+-')} {b.text})", family, a, b)

    def _scaled(self, family: str, depth: int) -> Made:
        a = self.number(family, depth)
        if self.chance(0.5):
            factor = self.random.choice(("3", "0.1", "-2", "1e200", "1e-200"))
            return self.made(f"({a.text} {self.random.choice('*/')} {factor})", family, a)
        b = self.number("bare", depth)
        return self.made(f"({a.text} {self.random.choice('*/')} {b.text})", family, a, b)

    def _signed(self, family: str, depth: int) -> Made:
        a = self.number(family, depth)
        return self.made(self.random.choice(("(- {})", "abs({})")).format(a.text), family, a)

    def _root(self, family: str, depth: int) -> Made:
        a, b = self.number(family, depth), self.number(family, depth)
        return self.made(f"sqrt({a.text} * {b.text})", family, a, b)

    def _windowed(self, family: str, depth: int) -> Made:
        a = self.number(family, depth)
        window = self.window(a)
        if window is None or self.chance(0.2):
            return self.made(f"ema({a.text} over {self.long()})", family, a)
        operator = self.random.choice(("min", "max", "avg", "median", "quantile"))
        rank = f", {self.random.choice(_RANKS)}" if operator == "quantile" else ""
        return self.made(f"{operator}({a.text} over {window}{rank})", family, a)

    def _summed(self, family: str, depth: int) -> Made:
        """A sum, or a standard deviation; of temperatures it is one of their differences."""
        of = "temperature" if family == "difference" and self.chance(0.5) else family
        a = self.number(of, depth)
        window = self.window(a)
        if window is None:
            return self._leaf(family)
        operator = "std" if of == "temperature" else self.random.choice(("sum", "std"))
        return self.made(f"{operator}({a.text} over {window})", family, a)

    def _integral(self, family: str, depth: int) -> Made:
        a = self.number(_INTEGRALS[family], depth)
        window = self.window(a)
        return self._leaf(family) if window is None else self.made(f"integral({a.text} over {window})", family, a)

    def _samples(self, family: str, depth: int) -> Made:
        x = self.anything(depth)
        window = self.window(x)
        return self._leaf(family) if window is None else self.made(f"samples({x.text} over {window})", family, x)

    def _from_rise(self, family: str, depth: int) -> Made:
        a, event = self.number(family, depth), self.condition(depth)
        name = self.random.choice(("min", "max") if family == "temperature" else ("min", "max", "sum", "sum"))
        return self.made(f"{name}({a.text} since {event.text})", family, a, event)

    def _travelled(self, family: str, depth: int) -> Made:
        """By the odometer, which reads the speed where the catalog has one, else the position."""
        signals = [self.signal([name]) for name in self.catalog.travelled]
        window = self.window(*signals)
        if window is None or self.chance(0.5):
            event = self.condition(depth)
            return self.made(f"(distance since ({event.text}))", family, *signals, event)
        return self.made(f"(distance over {window})", family, *signals)

    def _caught(self, family: str, depth: int) -> Made:
        a, event = self.operand(family, depth), self.condition(depth)
        return self.made(f"(({a.text}) at ({event.text}))", family, a, event)

    def _delta(self, family: str, depth: int) -> Made:
        a = self.number("temperature" if family == "difference" else family, depth)
        window = self.window(a)
        if window is None:
            return self._leaf(family)
        return self.made(f"delta({a.text} over {window})", family, a)

    def _past(self, family: str, depth: int) -> Made:
        a = self.number(family, depth)
        delay = self.window(a)
        return a if delay is None else self.made(f"past({a.text}, {delay})", family, a)

    def rate(self, family: str, depth: int) -> Made:
        a = self.number("speed", depth)
        window = self.window(a)
        return self._leaf(family) if window is None else self.made(f"rate({a.text} over {window})", family, a)

    def _wrapped(self, family: str, depth: int) -> Made:
        a = self.number(family, depth)
        return self.made(f"wrap({a.text})", family, a)

    def _bare(self, family: str, depth: int) -> Made:
        """The ratio of two numbers of one family."""
        other = self.random.choice([name for name in FAMILIES if name != "temperature"])
        a, b = self.number(other, depth), self.number(other, depth)
        return self.made(f"({a.text} / {b.text})", family, a, b)

    def share(self, family: str, depth: int) -> Made:
        p = self.condition(depth)
        window = self.window(p)
        return self._leaf(family) if window is None else self.made(f"share({p.text} over {window})", family, p)

    def counted(self, family: str, depth: int) -> Made:
        if self.chance(0.5):
            p = self.impulse(depth) if self.chance(0.5) else self.condition(depth)
            if self.chance(0.3):
                event = self.condition(depth)
                return self.made(f"count({p.text} since {event.text})", family, p, event)
            return self.made(f"count({p.text} over {self.long()})", family, p)
        x = self.anything(depth)
        return self.made(f"flicker({x.text} over {self.long()})", family, x)
