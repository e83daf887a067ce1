"""Expressions written once, as our text and as Polars expressions with the same results on regular, dense drives.

Such drives have a sample of every signal in every row, so each row is a tick of everything and nothing expires. What
the language defines by time is then a number of rows: a window `(t - W, t]` holds the latest W * rate of them. Unknown
is null; it occurs only in a drive's first rows, where a window is too young. The operators' states become shifts,
running sums and forward fills over the rows of one drive, each as `by_drive` wants it: `pl.Expr.over("drive")` for a
table of all drives, the expression itself for a table of one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.speed.one_thread import pl
from triggers.times import NS_PER_S

ByDrive = Callable[[pl.Expr], pl.Expr]
EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True)
class Written:
    """An expression or a condition, both ways."""

    text: str
    polars: pl.Expr

    def __and__(self, other: Written) -> Written:
        return Written(f"({self.text}) and ({other.text})", self.polars & other.polars)

    def __or__(self, other: Written) -> Written:
        return Written(f"({self.text}) or ({other.text})", self.polars | other.polars)

    def __invert__(self) -> Written:
        return Written(f"not ({self.text})", ~self.polars)

    def __sub__(self, other: Written) -> Written:
        return Written(f"({self.text}) - ({other.text})", self.polars - other.polars)

    def __add__(self, other: Written) -> Written:
        return Written(f"({self.text}) + ({other.text})", self.polars + other.polars)

    def __truediv__(self, other: Written) -> Written:
        quotient = self.polars / other.polars
        return Written(f"({self.text}) / ({other.text})", pl.when(quotient.is_finite()).then(quotient))

    def __abs__(self) -> Written:
        return Written(f"abs({self.text})", self.polars.abs())

    def above(self, number: float, unit: str = "") -> Written:
        """Greater than a constant in the expression's own unit."""
        return Written(f"{self.text} > {number!r} {unit}", self.polars > number)

    def below(self, number: float, unit: str = "") -> Written:
        """Less than a constant in the expression's own unit."""
        return Written(f"{self.text} < {number!r} {unit}", self.polars < number)

    def at_least(self, count: int) -> Written:
        """At least a certain count."""
        return Written(f"{self.text} >= {count}", self.polars >= count)


def number(signal: str) -> Written:
    """A signal that is a number."""
    return Written(signal, pl.col(signal))


def truth(signal: str) -> Written:
    """A signal that is a bool: a Polars column of bools."""
    return Written(signal, pl.col(signal))


def is_text(signal: str, index: int, text: str) -> Written:
    """A text signal has this value; Polars has its index."""
    return Written(f'{signal} == "{text}"', pl.col(signal) == index)


def disagree(head: str) -> Written:
    """Active and shadow differ; their samples are of the same instant."""
    return Written(f"disagree({head})", pl.col(f"active.{head}") != pl.col(f"shadow.{head}"))


def divergence(head: str) -> Written:
    """By how much active and shadow differ."""
    return Written(f"divergence({head})", (pl.col(f"shadow.{head}") - pl.col(f"active.{head}")).abs())


def near(latitude: str, longitude: str, at: tuple[float, float], radius_m: int) -> Written:
    """Within a radius of a place: the haversine formula."""
    there = [pl.lit(each).radians() for each in at]
    here = [pl.col(latitude).radians(), pl.col(longitude).radians()]
    half_chord = ((here[0] - there[0]) / 2).sin() ** 2 + here[0].cos() * there[0].cos() * (
        (here[1] - there[1]) / 2
    ).sin() ** 2
    distance_m = 2 * EARTH_RADIUS_M * half_chord.sqrt().arcsin()
    return Written(f"near({at[0]!r} deg, {at[1]!r} deg, {radius_m} m)", distance_m <= radius_m)


@dataclass(frozen=True)
class InTime:
    """Operators over time, for rows of this rate. Durations are in ms; windows are whole rows."""

    rate_hz: int
    by_drive: ByDrive

    def rows(self, window_ms: int) -> int:
        """Rows in a window."""
        rows, rest = divmod(window_ms * self.rate_hz, 1000)
        if rest:
            raise ValueError(f"a window of {window_ms} ms is not a whole number of rows at {self.rate_hz} Hz")
        return rows

    def before(self, expression: pl.Expr, rows: int = 1) -> pl.Expr:
        """Its value some rows earlier in the drive."""
        return self.by_drive(expression.shift(rows))

    def rises(self, condition: pl.Expr) -> pl.Expr:
        """True where it is true and was false one row earlier."""
        return condition & ~self.before(condition).fill_null(True)

    def held(self, p: Written, hold_ms: int) -> Written:
        """`P for D`."""
        starts = p.polars & ~self.before(p.polars).fill_null(False)
        since = self.by_drive(pl.when(starts).then(pl.col("t")).forward_fill())
        long_enough = pl.col("t") - since >= hold_ms * 1_000_000
        return Written(f"({p.text}) for {hold_ms} ms", p.polars & long_enough)

    def rise(self, p: Written) -> Written:
        """`rise(P)`."""
        return Written(f"rise({p.text})", self.rises(p.polars))

    def fall(self, p: Written) -> Written:
        """`fall(P)`."""
        return Written(f"fall({p.text})", self.rises(~p.polars))

    def changed(self, x: Written) -> Written:
        """`changed(x)`."""
        return Written(f"changed({x.text})", (x.polars != self.before(x.polars)).fill_null(False))

    def once(self, p: Written, window_ms: int) -> Written:
        """`once(P over W)`."""
        latest = self._rolling(p.polars.cast(pl.Int8), "rolling_max", window_ms)
        return Written(f"once({p.text} over {window_ms} ms)", latest == 1)

    def count(self, p: Written, window_ms: int) -> Written:
        """`count(P over W)`: rises."""
        rises = self._rolling(self.rises(p.polars).cast(pl.Int32), "rolling_sum", window_ms)
        return Written(f"count({p.text} over {window_ms} ms)", rises)

    def flicker(self, p: Written, window_ms: int) -> Written:
        """`flicker(P over W)`: changes."""
        changes = (p.polars != self.before(p.polars)).fill_null(False).cast(pl.Int32)
        return Written(f"flicker({p.text} over {window_ms} ms)", self._rolling(changes, "rolling_sum", window_ms))

    def share(self, p: Written, window_ms: int) -> Written:
        """`share(P over W)`: rows are equally long; the latest one has not lasted yet."""
        mean = self._rolling(self.before(p.polars.cast(pl.Float64)), "rolling_mean", window_ms)
        return Written(f"share({p.text} over {window_ms} ms)", mean)

    def then(self, a: Written, b: Written, within_ms: int) -> Written:
        """`A then B within W`: the latest earlier rise of A, with no rise of B after it that would have used it."""
        b_rises = self.rises(b.polars)
        a_ns, b_ns = (
            self.by_drive(pl.when(rises).then(pl.col("t")).forward_fill().shift(1))
            for rises in (self.rises(a.polars), b_rises)
        )
        kept = (pl.col("t") - a_ns <= within_ms * 1_000_000) & (b_ns.is_null() | (b_ns <= a_ns))
        return Written(f"({a.text}) then ({b.text}) within {within_ms} ms", b_rises & kept.fill_null(False))

    def hysteresis(self, x: Written, on: float, off: float, unit: str) -> Written:
        """`hysteresis(x, on, off)` with `on` above `off`."""
        state = pl.when(x.polars > on).then(True).when(x.polars < off).then(False)
        text = f"hysteresis({x.text}, {on!r} {unit}, {off!r} {unit})"
        return Written(text, self.by_drive(state.forward_fill()).fill_null(False))

    def past(self, x: Written, delay_ms: int) -> Written:
        """`past(x, D)`."""
        return Written(f"past({x.text}, {delay_ms} ms)", self.before(x.polars, self.rows(delay_ms)))

    def extreme(self, op: str, x: Written, window_ms: int) -> Written:
        """`min` or `max` over a window."""
        return Written(f"{op}({x.text} over {window_ms} ms)", self._rolling(x.polars, f"rolling_{op}", window_ms))

    def avg(self, x: Written, window_ms: int) -> Written:
        """`avg(x over W)`."""
        return Written(f"avg({x.text} over {window_ms} ms)", self._rolling(x.polars, "rolling_mean", window_ms))

    def ema(self, x: Written, window_ms: int) -> Written:
        """`ema(x over W)`: the rows' distance is constant, so the weight is."""
        step_s = 1 / self.rate_hz
        smooth = x.polars.ewm_mean(alpha=step_s / (window_ms / 1000 + step_s), adjust=False)
        return Written(f"ema({x.text} over {window_ms} ms)", self.by_drive(smooth))

    def delta(self, x: Written, window_ms: int) -> Written:
        """`delta(x over W)`."""
        return Written(f"delta({x.text} over {window_ms} ms)", self._since_oldest(x.polars, window_ms))

    def rate(self, x: Written, window_ms: int) -> Written:
        """`rate(x over W)`."""
        seconds = self._since_oldest(pl.col("t"), window_ms) / NS_PER_S
        return Written(f"rate({x.text} over {window_ms} ms)", self._since_oldest(x.polars, window_ms) / seconds)

    def _rolling(self, x: pl.Expr, function: str, window_ms: int) -> pl.Expr:
        rolled: pl.Expr = getattr(x, function)(self.rows(window_ms), min_samples=1)
        return self.by_drive(rolled)

    def _since_oldest(self, x: pl.Expr, window_ms: int) -> pl.Expr:
        """The value minus that of the window's oldest row; null at a drive's first row."""
        oldest = pl.coalesce(self.before(x, self.rows(window_ms) - 1), self.by_drive(x.first()))
        return pl.when(self.before(pl.col("t")).is_not_null()).then(x - oldest)
