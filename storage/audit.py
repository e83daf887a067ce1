"""The audit log: entries are written in the transaction of what they record, each with the hash of the one before."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, text, true

from storage.jsonb import storable
from storage.tables import audit, users
from triggers.contracts.api.audit import FIRST, AuditChain, AuditEntryView
from triggers.contracts.base import canonical_json
from triggers.contracts.users import User, name_key

MAX_STATE_BYTES = 16 * 1024
"""The most that `before` and `after` may take each; of more, only size and digest are kept."""
PAGE = 1000
_LOCK = 0x6C745F6175646974  # any number that no other advisory lock has: "lt_audit"
_ID = re.compile(r"[1-9][0-9]{0,17}")
_c = audit.c

State = Mapping[str, Any]


def record(
    connection: Connection,
    user: User,
    action: str,
    kind: str,
    object_id: str,
    *,
    before: State | None = None,
    after: State | None = None,
    reason: str | None = None,
) -> None:
    """Append an entry: `user` did `action` (`campaign.pause`) to the thing of this kind and id.

    Call it last in a transaction: until that ends, every other one that records something waits.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = connection.execute(text("SELECT sequence, hash FROM audit_head()")).one()
    entry = AuditEntryView(
        sequence=1 if last.sequence is None else last.sequence + 1,
        at=connection.execute(select(func.clock_timestamp())).scalar_one(),
        user_id=user.id,
        user_name=user.name,
        token_id=user.origin.token_id,
        address=user.origin.address,
        action=action,
        kind=kind,
        object=object_id,
        before=_bounded(before),
        after=_bounded(after),
        reason=reason,
        request_id=user.origin.request_id,
        previous_hash=FIRST if last.hash is None else last.hash,
        hash="",
    )
    values = entry.model_dump() | {"hash": entry.computed_hash()}
    connection.execute(insert(audit).values({**values, "before": _text(entry.before), "after": _text(entry.after)}))


def at_the_machine() -> User:
    """Whoever runs this process, for commands that need no token because they reach the database."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = str(os.getuid())
    return User(f"{account} (at the machine)", frozenset())


def record_if_new(connection: Connection, user: User, action: str, kind: str, object_id: str, *, after: State) -> bool:
    """Append an entry if the last one about this thing has another state after it; `before` has what changed of that.

    Likewise last in a transaction. Several processes may do so at once: the second then finds what the first has noted.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = connection.execute(select(func.audit_state(kind, object_id))).scalar_one()
    known: dict[str, Any] = {} if last is None else json.loads(last)
    wanted = _bounded(after) or {}
    if last is not None and known == wanted:
        return False
    changed = {name: known.get(name) for name in sorted(known.keys() | wanted) if known.get(name) != wanted.get(name)}
    record(connection, user, action, kind, object_id, before=None if last is None else changed, after=after)
    return True


def the_deployment() -> User:
    """Who did what the deployment does by itself."""
    return User("longtail (system)", frozenset())


def vehicle_object(vehicle_id: str) -> str:
    """A vehicle as entries name it: they stay when it is erased, so they must not hold its id."""
    return digest_object(vehicle_id)


def digest_object(identity: str) -> str:
    """What entries name a thing by whose identity is too long for them, or must not be in them."""
    return hashlib.sha256(identity.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries: since a time, by a user (a spelling of the name, or an id), about a thing.

    `about` is the id of a thing, the name of a campaign for all its versions, or the id of a vehicle.
    """

    since: datetime | None = None
    who: str | None = None
    about: str | None = None

    def condition(self) -> ColumnElement[bool]:
        """The filter as an SQL condition."""
        wanted: list[ColumnElement[bool]] = []
        if self.since is not None:
            wanted.append(_c.at >= self.since)
        if self.who is not None:
            named = select(users.c.id).where(users.c.name_key == name_key(self.who))
            user_id = int(self.who) if _ID.fullmatch(self.who) else 0
            wanted.append(or_(_c.user_id.in_(named), _c.user_name == self.who, _c.user_id == user_id))
        if self.about is not None:
            versions = _c.object.startswith(f"{self.about}/", autoescape=True)
            wanted.append(or_(_c.object.in_((self.about, vehicle_object(self.about))), versions))
        return and_(true(), *wanted)


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """Which entries: about a campaign and its versions, and the limits of its budgets."""

    campaign: str

    def condition(self) -> ColumnElement[bool]:
        """The filter as an SQL condition."""
        of_versions = _c.object.startswith(f"{self.campaign}/", autoescape=True)
        limits = [f"{kind}/{self.campaign}" for kind in ("campaign_bytes", "campaign_clips")]
        return or_(
            and_(_c.kind == "campaign", or_(_c.object == self.campaign, of_versions)),
            and_(_c.kind == "budget", _c.object.in_(limits)),
        )


def listing(
    connection: Connection, chosen: AuditFilter | CampaignFilter, *, after: int = 0, limit: int = PAGE
) -> list[AuditEntryView]:
    """Entries with a sequence above `after`, oldest first."""
    rows = connection.execute(
        select(audit).where(_c.sequence > after, chosen.condition()).order_by(_c.sequence).limit(limit)
    )
    return [_entry(row._asdict()) for row in rows]


def walk(connection: Connection) -> tuple[AuditChain, str | None]:
    """Go along the whole chain: how far it holds, and what is wrong with the first entry that does not fit."""
    chain = AuditChain()
    while page := listing(connection, AuditFilter(), after=chain.entries):
        if (broken := chain.broken(page)) is not None:
            return chain, broken
    return chain, None


def _entry(row: dict[str, Any]) -> AuditEntryView:
    states = {name: None if row[name] is None else json.loads(row[name]) for name in ("before", "after")}
    return AuditEntryView(**{**row, **states})


def _bounded(state: State | None) -> dict[str, Any] | None:
    """A state as JSON has it, or its size and digest if it is large; InvalidInput for text that cannot be stored."""
    if state is None:
        return None
    data = canonical_json(storable(dict(state), what="the audit entry"))
    if len(data) > MAX_STATE_BYTES:
        return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return dict(json.loads(data))


def _text(state: State | None) -> str | None:
    return None if state is None else canonical_json(state).decode()
