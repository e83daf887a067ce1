"""The budget ledger: bytes and clips are reserved before they are sent, and settled or released afterwards.

What came of an upload is settled even if it never becomes a clip: a budget is a limit on bytes received.

Only a reservation is conditional, and only on accounts that have a limit. It changes these at once, all or none of
them, under their locks. Settlements, releases, and reservations on accounts without a limit only append entries, so
that neither the transaction that stores a clip nor a fleet without limits waits for a hot account; `fold` carries them
into the accounts in batches. What a limit is checked against is too high until then, never too low: a limit cannot be
exceeded, and a reservation is refused only after the entries that are not folded yet have been counted.
"""

from storage.ledger.accounts import AccountKey, AccountUsage, Position
from storage.ledger.limits import FleetTerms
from storage.ledger.receipts import add_received, fold_receipts
from storage.ledger.reservations import charges, reserve
from storage.ledger.settlements import fold, release, settle, void_clip
from storage.ledger.usage import moment_of, unused_limits, unused_limits_of_all, usage

__all__ = [
    "AccountKey",
    "AccountUsage",
    "FleetTerms",
    "Position",
    "add_received",
    "charges",
    "fold",
    "fold_receipts",
    "moment_of",
    "release",
    "reserve",
    "settle",
    "unused_limits",
    "unused_limits_of_all",
    "usage",
    "void_clip",
]
