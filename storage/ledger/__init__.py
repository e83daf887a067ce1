"""The budget ledger: bytes and clips are reserved before they are sent, and settled or released afterwards.

What came of an upload is settled even if it never becomes a clip: a budget is a limit on bytes received.

Only a reservation is conditional. It changes its accounts at once, all or none of them, under their locks.
Settlements and releases only append entries, so that the transaction that stores a clip never waits for a hot
account; `fold` carries them into the accounts in batches. Until then `held` is too high, never too low: a limit
cannot be exceeded, and a reservation is refused only after the entries that are not folded yet have been counted.
"""

from storage.ledger.accounts import AccountKey, AccountUsage, Position
from storage.ledger.reservations import charges, reserve
from storage.ledger.settlements import fold, release, settle, settle_all, void_clip
from storage.ledger.usage import unused_limits, usage

__all__ = [
    "AccountKey",
    "AccountUsage",
    "Position",
    "charges",
    "fold",
    "release",
    "reserve",
    "settle",
    "settle_all",
    "unused_limits",
    "usage",
    "void_clip",
]
