"""Usage: hourly sums of clips, bytes and reported counts by campaign, version, trigger, region, model and network.

What is counted is appended as increments, in the transaction that stores a clip, an upload's offset or a vehicle's
counts; that transaction waits for no other one. `fold` carries increments into sums by hour and by day, in batches.
Until then a query adds them, so its numbers are exact at any moment.
"""

from storage.usage.folding import fold, forget_hours
from storage.usage.increments import add_received, add_stored
from storage.usage.queries import Span, UsageQuery, UsageRow, ask
from storage.usage.reported import add_dropped, add_reported, counted_where, restore_reported, void_reported
from storage.usage.shares import place_columns, shares_of

__all__ = [
    "Span",
    "UsageQuery",
    "UsageRow",
    "add_dropped",
    "add_received",
    "add_reported",
    "add_stored",
    "ask",
    "counted_where",
    "fold",
    "forget_hours",
    "place_columns",
    "restore_reported",
    "shares_of",
    "void_reported",
]
