"""Estimates with their intervals in the API."""

from __future__ import annotations

import math
from typing import Self

from triggers.contracts.api.base import View
from triggers.statistics.interval import Interval


class Estimate(View):
    """An estimate with its interval; `high` is null where it has no end."""

    mean: float
    low: float
    high: float | None

    @classmethod
    def of(cls, interval: Interval) -> Self:
        """An interval, of which JSON cannot say that it is infinite."""
        return cls(mean=interval.mean, low=interval.low, high=interval.high if math.isfinite(interval.high) else None)
