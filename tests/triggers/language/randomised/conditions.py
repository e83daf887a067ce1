"""Random conditions in the language's own text: always of the right type, unit and size, so that they compile."""

from __future__ import annotations

import re

from tests.triggers.language.randomised.catalogs import BOOLS, FAMILIES, HEADS, NUMBERS, TEXTS
from tests.triggers.language.randomised.numbers import NumberWriter
from tests.triggers.language.randomised.words import CENTRE, PERIODS, WINDOWS, Made

_SHARES = ("0 %", "20 %", "50 %", "0.75 ratio", "100 %")
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


class Author(NumberWriter):
    """Writes expressions over a catalog; what it wrote may turn up again, so that programs share work."""

    def anything(self, depth: int) -> Made:
        """A number, a condition or a text."""
        chance = self.random.random()
        if chance < 0.4:
            return self.number(self.family(), depth)
        return self.condition(depth) if chance < 0.8 else self.text(depth)

    def text(self, depth: int) -> Made:
        """A text: a signal, what it was at an event, its past, or one of two."""
        if depth > 0 and self.chance(0.2):
            return self.among([(2, self.chosen_text), (1, self.earlier_text)], depth - 1)
        signal = self.signal(TEXTS)
        if depth > 0 and self.chance(0.15):
            event = self.condition(depth - 1)
            return self.made(f"({signal.text} at ({event.text}))", "text", signal, event)
        delay = self.window(signal)
        if depth > 0 and delay is not None and self.chance(0.2):
            return self.made(f"past({signal.text}, {delay})", "text", signal)
        return signal

    def impulse(self, depth: int) -> Made:
        """A condition that is true at single ticks."""
        ways = [(2, self._edge), (1, self._changed), (2, self._sequence), (1, self._every)]
        return self.among(ways, depth - 1)

    def condition(self, depth: int) -> Made:
        """A condition; of those that read no signal there is only `every`."""
        known = self.again("bool")
        if known is not None:
            return known
        if depth <= 0:
            return self.signal(BOOLS) if self.chance(0.6) else self._compared(0)
        return self.among(
            [
                (1, lambda _: self.signal(BOOLS)), (5, self._compared), (1, self._between), (1, self._texts),
                (1, self._bools), (4, self._joined), (2, self._not), (4, self._held), (2, self._edge),
                (2, self._changed), (2, self._once), (2, self._missing), (2, self._hysteresis), (2, self._disagree),
                (4, self._sequence), (2, self._place), (1, self._earlier), (4, self._counts), (2, self._shares),
                (1, self._accelerates), (1, self._outside), (2, self.wholes), (1, self.close),
                (1, self.chosen_condition), (1, self.earlier_condition), (1, self.changed_between),
                (1, self._every), (2, self._since), (1, self._latch), (1, self._was),
            ],
            depth - 1,
        )  # fmt: skip

    def _compared(self, depth: int) -> Made:
        family = self.family()
        a, b = self.number(family, depth), self.operand(family, depth)
        if self.chance(0.15):
            a, b = b, a
        return self.made(f"({a.text} {self.random.choice(_COMPARISONS)} {b.text})", "bool", a, b)

    def _counts(self, depth: int) -> Made:
        """A count compared with a constant, which bounds its ring."""
        a = self.counted("bare", depth)
        limit = self.random.choice(("0", "1", "2", "3", "5"))
        return self.made(f"({a.text} {self.random.choice(_COMPARISONS)} {limit})", "bool", a)

    def _shares(self, depth: int) -> Made:
        a = self.share("ratio", depth)
        return self.made(f"({a.text} {self.random.choice(_COMPARISONS)} {self.random.choice(_SHARES)})", "bool", a)

    def _accelerates(self, depth: int) -> Made:
        a = self.rate("acceleration", depth)
        return self.made(f"({a.text} {self.random.choice('<>')} {self.literal('acceleration')})", "bool", a)

    def _between(self, depth: int) -> Made:
        family = self.family()
        a, low, high = self.number(family, depth), self.operand(family, depth), self.operand(family, depth)
        if self.chance(0.5):
            return self.made(f"({a.text} between {low.text} and {high.text})", "bool", a, low, high)
        return self.made(f"({a.text} in ({low.text}, {high.text}, {self.literal(family)}))", "bool", a, low, high)

    def _outside(self, _depth: int) -> Made:
        """Beyond the limits of a signal, which every number of the random catalog has."""
        a = self.signal(sorted(NUMBERS))
        return self.made(f"({a.text} outside {self.random.choice(('yellow', 'red'))})", "bool", a)

    def _texts(self, depth: int) -> Made:
        a = self.text(depth)
        names = [name for name in TEXTS if re.search(rf"\b{re.escape(name)}\b", a.text)]
        values = [f'"{value}"' for value in self.catalog.signals[names[0]].values]
        chance = self.random.random()
        if chance < 0.3:
            return self.made(f"({a.text} in ({', '.join(self.random.sample(values, 2))}))", "bool", a)
        b = self.text(depth) if chance < 0.6 else Made(self.random.choice(values), "text", frozenset())
        return self.made(f"({a.text} {self.random.choice(('==', '!='))} {b.text})", "bool", a, b)

    def _bools(self, depth: int) -> Made:
        a, b = self.condition(depth), self.condition(depth)
        return self.made(f"(({a.text}) {self.random.choice(('==', '!='))} ({b.text}))", "bool", a, b)

    def _joined(self, depth: int) -> Made:
        parts = [self.condition(depth) for _ in range(self.random.choice((2, 2, 2, 3, 4)))]
        word = self.random.choice((" and ", " or "))
        constant = [f"{self.random.choice(('true', 'false'))}"] if self.chance(0.04) else []
        return self.made(f"({word.join([f'({part.text})' for part in parts] + constant)})", "bool", *parts)

    def _not(self, depth: int) -> Made:
        p = self.condition(depth)
        return self.made(f"(not ({p.text}))", "bool", p)

    def _held(self, depth: int) -> Made:
        p = self.condition(depth)
        tolerating = f" tolerating {self.long()}" if self.chance(0.4) else ""
        most = " at most" if self.chance(0.3) else ""
        return self.made(f"(({p.text}) for{most} {self.random.choice(WINDOWS)}{tolerating})", "bool", p)

    def _edge(self, depth: int) -> Made:
        p = self.condition(depth)
        return self.made(f"{self.random.choice(('rise', 'fall'))}({p.text})", "bool", p)

    def _changed(self, depth: int) -> Made:
        x = self.anything(depth)
        return self.made(f"changed({x.text})", "bool", x)

    def _missing(self, depth: int) -> Made:
        x = self.anything(depth)
        return self.made(f"missing({x.text})", "bool", x)

    def _once(self, depth: int) -> Made:
        p = self.condition(depth)
        return self.made(f"once({p.text} over {self.long()})", "bool", p)

    def _earlier(self, depth: int) -> Made:
        p = self.condition(depth)
        delay = self.window(p)
        return p if delay is None else self.made(f"past({p.text}, {delay})", "bool", p)

    def _was(self, depth: int) -> Made:
        p, event = self.condition(depth), self.condition(depth)
        return self.made(f"(({p.text}) at ({event.text}))", "bool", p, event)

    def _hysteresis(self, depth: int) -> Made:
        family = self.family()
        a = self.number(family, depth)
        on, off = self.random.sample(("-1", "0.5", "1", "2", "3"), 2)
        unit = FAMILIES[family][0]
        return self.made(f"hysteresis({a.text}, {on} {unit}, {off} {unit})", "bool", a)

    def _disagree(self, _depth: int) -> Made:
        names = self.random.choice((BOOLS, TEXTS))
        head = self.random.choice([head for head, type_ in HEADS.items() if type_ == ("bool", "text")[names is TEXTS]])
        if self.chance(0.5) and self.has_rates(f"active.{head}", f"shadow.{head}"):
            return self.made(f"disagree({head})", "bool", *self.heads(head))
        a, b = self.signal(names), self.signal(names)
        return self.made(f"disagree({a.text}, {b.text}{self.skew(a, b)})", "bool", a, b)

    def _sequence(self, depth: int) -> Made:
        a, b = (self.condition(self.random.choice((0, depth))) for _ in range(2))
        word = self.random.choice(("then", "without"))
        within = self.random.choice(WINDOWS)
        if word == "then" and self.chance(0.4):
            after = self.random.choice(WINDOWS[: WINDOWS.index(within) + 1])
            return self.made(f"(({a.text}) then ({b.text}) after {after} within {within})", "bool", a, b)
        if self.chance(0.2):
            c, chained = self.condition(0), self.random.choice(("then", "without"))
            text = f"({a.text}) {word} ({b.text}) within {within} {chained} ({c.text}) within {self.long()}"
            return self.made(f"({text})", "bool", a, b, c)
        return self.made(f"(({a.text}) {word} ({b.text}) within {within})", "bool", a, b)

    def _since(self, depth: int) -> Made:
        p, q = (self.condition(self.random.choice((0, depth))) for _ in range(2))
        within = f" within {self.random.choice(WINDOWS)}" if self.chance(0.5) else ""
        return self.made(f"(({p.text}) since ({q.text}){within})", "bool", p, q)

    def _latch(self, depth: int) -> Made:
        turns_on, turns_off = (self.condition(self.random.choice((0, depth))) for _ in range(2))
        return self.made(f"latch({turns_on.text}, {turns_off.text})", "bool", turns_on, turns_off)

    def _every(self, _depth: int) -> Made:
        if self.chance(0.3):
            signals = [self.signal([name]) for name in self.catalog.travelled]
            return self.made(f"(every {self.random.choice(('100 m', '0.5 km', '3 km'))})", "bool", *signals)
        return self.made(f"(every {self.random.choice(PERIODS)})", "bool")

    def _place(self, _depth: int) -> Made:
        position = [self.signal(["lat"]), self.signal(["lon"])]
        if self.fences and self.chance(0.5):
            return self.made(f"inside({self.random.choice(self.fences)})", "bool", *position)
        latitude, longitude = (round(centre + self.random.choice((-0.01, 0, 0.005)), 4) for centre in CENTRE)
        radius = self.random.choice(("300 m", "1 km", "2 km", "90 km"))
        return self.made(f"near({latitude}, {longitude}, {radius})", "bool", *position)
