"""Price books for tests: the one of the documentation, and others made from it."""

from __future__ import annotations

from functools import cache

from triggers.costs.prices import PriceBook
from triggers.costs.reader import parse_price_book

BOOK = """\
currency: EUR
tiers: [hot, archive]
prices:
  - from: 2026-01-01
    through: 2026-12-31
    transfer_per_gb: {wifi: 0.05, cellular: 0.90}
    per_1000_requests: {write: 0.005, read: 0.0004, transition: 0.06}
    storage:
      hot: {per_gb_month: 0.021, stays: 3 months}
      archive: {per_gb_month: 0.00099, stays: 60 months}
  - from: 2027-01-01
    transfer_per_gb: {wifi: 0.04, cellular: 0.80}
    per_1000_requests: {write: 0.005, read: 0.0004, transition: 0.06}
    storage:
      hot: {per_gb_month: 0.02, stays: 90 days}
      archive: {per_gb_month: 0.00099}
storage_classes: {archive: [DEEP_ARCHIVE]}
"""

WORKED_EXAMPLE = """\
currency: EUR
tiers: [hot, archive]
prices:
  - from: 2026-01-01
    transfer_per_gb: {wifi: 0.05, cellular: 0.90}
    per_1000_requests: {write: 0, read: 0, transition: 0}
    storage:
      hot: {per_gb_month: 0.021, stays: 3 months}
      archive: {per_gb_month: 0.00099, stays: 60 months}
storage_classes: {archive: [DEEP_ARCHIVE]}
"""
"""The one that docs/cost.md begins with: 10 GB per car-day cost 1.724."""


@cache
def price_book(text: str = BOOK) -> PriceBook:
    """The book in a text, by default one with two tariffs."""
    return parse_price_book(text, name="prices.yaml")
