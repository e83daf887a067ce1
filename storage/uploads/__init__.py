"""Uploads: creation, progress, parked cells, endings; the identity of fires, and dead letters.

The order in which transactions lock rows, which all that concern uploads follow, so that no two of them wait for each
other:

1. the vehicle (`creation.takes_part`, reports, erasure)
2. uploads, several in the order of their ids
3. what one upload alone has: its pieces and parked cells
4. clips, then fires, both in the order of their keys, and what filters know of them (`storage.clips.writer`)
5. days of vehicles (`vehicle_days`), in the order of vehicles
6. what came of an upload by hour
7. the lock of limits (`storage.ledger.limits`), which reservations share
8. accounts of the ledger: those that are missing are opened, in the order of their keys, before others are locked, in
   the order of their ids; their sums by day follow
9. what came of an upload by network, which a folder locks after the accounts
10. what is only appended, and waits for nobody: entries of the ledger, usage, events, jobs

Whoever closes uploads without waiting (`SKIP LOCKED`) may do so at any point.
"""
