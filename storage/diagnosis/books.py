"""The books of the ledger: what uploads, clips and their objects say each account has to have, compared to the byte.

Accounts are held against the sums of their entries (`storage.diagnosis.ledger`); here each entry is held against the
upload that it is of, the fires of its clip, and what came over the wire. Nothing of it is taken from the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.ledger.accounts import OF_CLIPS
from storage.tables.uploads import ASSEMBLING, UploadState
from triggers.contracts.campaign import budget_owner

MAX_DIFFERENCES = 100
_UPLOADS = text("""
    SELECT u.id, u.state, u.size_bytes, u.offset_bytes, c.id AS clip_id, c.object_key,
        c.size_bytes AS clip_bytes
    FROM uploads u LEFT JOIN clips c ON c.upload_id = u.id
    WHERE u.id > :after ORDER BY u.id LIMIT :limit
""")
_ENTRIES = text("""
    SELECT e.upload_id, e.kind, e.amount, e.settled_delta, a.kind AS account,
        a.campaign || CASE a.trigger WHEN '' THEN '' ELSE '.' || a.trigger END || a.cost_centre AS name
    FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
    WHERE e.upload_id = ANY (CAST(:uploads AS text[])) ORDER BY e.id
""")
_CHARGES = text("""
    SELECT c.upload_id, f.campaign, f.trigger, sum(f.charged_bytes) AS amount
    FROM clips c JOIN clip_fires f ON f.clip_id = c.id
    WHERE c.upload_id = ANY (CAST(:uploads AS text[])) GROUP BY c.upload_id, f.campaign, f.trigger
""")
# Both are written when bytes come, for different purposes: the one for networks' accounts, the other for usage.
_WIRE = text("""
    SELECT upload_id, network, month, sum(charged) AS charged, sum(came) AS came FROM (
        SELECT r.upload_id, a.network, a.month, r.received_bytes AS charged, 0 AS came
        FROM ledger_receipts r JOIN ledger_accounts a ON a.id = r.account_id
        WHERE r.upload_id = ANY (CAST(:uploads AS text[]))
        UNION ALL
        SELECT upload_id, network, CAST(date_trunc('month', hour AT TIME ZONE 'UTC') AS date), 0, received_bytes
        FROM upload_hours WHERE upload_id = ANY (CAST(:uploads AS text[]))
    ) both_sides
    GROUP BY upload_id, network, month ORDER BY upload_id, network, month
""")


@dataclass(slots=True)
class BooksPage:
    """What was found of some uploads. `objects` has key and size of the clips that these uploads gave."""

    uploads: int = 0
    entries: int = 0
    objects: list[tuple[str, int]] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    last: str | None = None
    """The id after which the next page begins; None after the last page."""


@dataclass(slots=True)
class _Of:
    """The entries of one upload by kind of account and name of campaign or cost centre: what was reserved and settled,
    and how often it was closed."""

    reserved: dict[tuple[str, str], int] = field(default_factory=dict)
    settled: Counter[tuple[str, str]] = field(default_factory=Counter)
    closed: Counter[tuple[str, str]] = field(default_factory=Counter)
    charged: Counter[str] = field(default_factory=Counter)
    """By campaign, what the fires of its clip are charged."""
    charged_triggers: dict[str, int] = field(default_factory=dict)
    """The same by `CAMPAIGN.TRIGGER`."""
    wire: list[Row[Any]] = field(default_factory=list)
    """By network and month, what it was charged, and what came over it."""

    def add(self, row: Row[Any]) -> None:
        account = (row.account, row.name)
        if row.kind == "reserve":
            self.reserved[account] = self.reserved.get(account, 0) + row.amount
        else:
            self.settled[account] += row.settled_delta
            self.closed[account] += row.kind != "void"


def read_page(connection: Connection, *, after: str = "", limit: int = 200) -> BooksPage:
    """Compare at most `limit` uploads whose ids sort after `after`, as of one moment: the transaction's first query."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    rows = connection.execute(_UPLOADS, {"after": after, "limit": limit}).all()
    of_uploads = {row.id: _Of() for row in rows}
    ids = {"uploads": list(of_uploads)}
    page = BooksPage(uploads=len(rows), last=rows[-1].id if len(rows) == limit else None)
    for entry in connection.execute(_ENTRIES, ids):
        of_uploads[entry.upload_id].add(entry)
        page.entries += 1
    for charge in connection.execute(_CHARGES, ids):
        of_uploads[charge.upload_id].charged[charge.campaign] += int(charge.amount)
        owner = budget_owner(charge.campaign, charge.trigger)
        of_uploads[charge.upload_id].charged_triggers[owner] = int(charge.amount)
    for wire in connection.execute(_WIRE, ids):
        of_uploads[wire.upload_id].wire.append(wire)
    for row in rows:
        page.differences += _of_upload(row, of_uploads[row.id])
        if row.object_key is not None:
            page.objects.append((row.object_key, row.size_bytes))
    return page


def _of_upload(row: Row[Any], of: _Of) -> Iterator[str]:
    what = f"upload {row.id} ({row.state})"
    yield from _reserved_wrongly(row, of, what)
    for account, reserved in of.reserved.items():
        wanted, name = _settled(row, account, reserved), ":".join(filter(None, account))
        if of.closed[account] > 1 or (of.closed[account] == 0) != (row.state in ASSEMBLING):
            yield f"{what}: its reservation in {name} was closed {of.closed[account]} times"
        elif of.settled[account] not in wanted:
            yield f"{what}: {name} settled {of.settled[account]}, and {' or '.join(map(str, wanted))} came"
    yield from _wire_wrongly(row, of, what)


def _wire_wrongly(row: Row[Any], of: _Of, what: str) -> Iterator[str]:
    """What networks are charged is what usage counts. Before there were months, networks were charged nothing."""
    is_older = ("fleet_month", "") not in of.reserved
    for wire in of.wire:
        if wire.charged > wire.came or (wire.charged < wire.came and not is_older):
            network = f"{wire.network} in {wire.month:%Y-%m}"
            yield f"{what}: {network} was charged {wire.charged} bytes, and {wire.came} came"
    came = sum(wire.came for wire in of.wire)
    if not is_older and came < row.offset_bytes:
        yield f"{what}: {came} bytes came over the wire, and {row.offset_bytes} of the clip are there"


def _reserved_wrongly(row: Row[Any], of: _Of, what: str) -> Iterator[str]:
    """A clip costs the fleet its size, and campaigns what their fires are charged, which sums to the size."""
    for account in ("fleet", "fleet_month"):
        reserved = of.reserved.get((account, ""))
        if reserved != row.size_bytes and (reserved is not None or account == "fleet"):  # months are younger
            yield f"{what}: {account} reserved {reserved}, and the clip has {row.size_bytes} bytes"
    by_campaign = {name: amount for (kind, name), amount in of.reserved.items() if kind == "campaign_bytes"}
    if sum(by_campaign.values()) != row.size_bytes:
        yield f"{what}: campaigns reserved {sum(by_campaign.values())}, and the clip has {row.size_bytes} bytes"
    if row.clip_id is not None and (by_campaign != of.charged or row.clip_bytes != row.size_bytes):
        yield f"{what}: campaigns reserved {by_campaign}, and clip {row.clip_id} costs them {of.charged}"
    for (kind, name), amount in of.reserved.items():
        of_campaign = kind in ("campaign_vehicle_day", "campaign_vehicle_bytes")
        of_trigger = kind in ("trigger_bytes", "trigger_vehicle_day", "trigger_vehicle_bytes")
        is_off = (of_campaign and by_campaign.get(name) != amount) or (kind in OF_CLIPS and amount != 1)
        if is_off or (of_trigger and row.clip_id is not None and of.charged_triggers.get(name) != amount):
            yield f"{what}: {kind}:{name} reserved {amount}"
    centres = sum(amount for (kind, _), amount in of.reserved.items() if kind == "cost_centre_month")
    if centres > row.size_bytes:
        yield f"{what}: cost centres reserved {centres}, and the clip has {row.size_bytes} bytes"


def _settled(row: Row[Any], account: tuple[str, str], reserved: int) -> Sequence[int]:
    """What the account has to have settled; a clip that is damaged is none."""
    if row.state in ASSEMBLING:
        return (0,)
    if row.state == UploadState.STORED:
        return (reserved, 0) if account[0] in OF_CLIPS else (reserved,)
    if account[0] in OF_CLIPS:
        return (0,)
    return (-(-reserved * row.offset_bytes // row.size_bytes),)
