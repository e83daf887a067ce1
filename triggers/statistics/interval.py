"""An estimate with its interval, as statistics, reports and forecasts state it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, with the interval that covers the true value with the stated confidence."""

    mean: float
    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """The interval of the quantity times a factor."""
        return Interval(self.mean * factor, self.low * factor, self.high * factor)

    def to_json(self, digits: int | None = None) -> dict[str, float]:
        """Mean, low and high, rounded to `digits` decimals; None: to whole numbers."""
        return {"mean": round(self.mean, digits), "low": round(self.low, digits), "high": round(self.high, digits)}
