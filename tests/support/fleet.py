"""A small fleet in the database: vehicles with tokens, approved campaigns, and manifests of their clips."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, insert, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from storage import users
from storage.campaigns import life
from storage.campaigns.queries import CampaignVersion
from storage.tables import campaign_owners, campaign_versions
from storage.vehicles.enrolment import enrol
from triggers.contracts.bundle import make_bundle
from triggers.contracts.campaign import BudgetLimits, CampaignSettings, CaptureWindow, TriggerSettings
from triggers.contracts.clip import CELL_BYTES, ClipManifest, Fire, RecordingManifest
from triggers.contracts.users import Role, User

PROGRAM = b"a program"
PROGRAM_DIGEST = hashlib.sha256(PROGRAM).hexdigest()
TRIGGER = "hard_brake"
T_NS = 1_700_000_000_000_000_000

_numbers = itertools.count(1)


def enroll_vehicle(connection: Connection, vehicle_id: str = "car-1") -> str:
    """A vehicle that has every approved version; returns its token."""
    token = enrol(connection, vehicle_id, {"region": "eu"}, replace=True).token
    assign_all(connection)
    return token


def assign_all(connection: Connection) -> None:
    """Give every vehicle every approved version, since 1970."""
    connection.execute(
        text("""
            INSERT INTO assignments (vehicle_id, campaign, version, assigned_from)
            SELECT v.id, c.campaign, c.version, 'epoch'
            FROM vehicles v CROSS JOIN campaign_versions c
            WHERE c.bundle_digest IS NOT NULL
            ON CONFLICT DO NOTHING
        """)
    )


def a_user(connection: Connection, name: str = "ann", *roles: Role) -> User:
    """A user of this name, who has these roles."""
    user_id, spelled = users.ensure(connection, name)
    return User(spelled, frozenset(roles), user_id)


def campaign_settings(
    name: str, limits: BudgetLimits, of_triggers: Mapping[str, BudgetLimits | None] | None = None
) -> CampaignSettings:
    """Settings with one trigger, or with these, each with its own budget."""
    window = CaptureWindow(before_ns=0, after_ns=0, signals=("speed",))
    triggers = {TRIGGER: None} if of_triggers is None else of_triggers
    return CampaignSettings(
        name=name,
        triggers=tuple(
            TriggerSettings(name=trigger, cooldown_ns=0, capture=window, tags=("brake",), budget=own)
            for trigger, own in triggers.items()
        ),
        budget=limits,
    )


def add_version(
    connection: Connection,
    name: str,
    version: int = 1,
    *,
    state: str = "active",
    approved: bool = True,
    limits: BudgetLimits | None = None,
    of_triggers: Mapping[str, BudgetLimits | None] | None = None,
) -> None:
    """A campaign version in any state, which all vehicles have; one that runs stops the version that ran before."""
    if state == "active":
        connection.execute(
            update(campaign_versions)
            .where(campaign_versions.c.campaign == name, campaign_versions.c.state.in_(("active", "paused")))
            .values(state="stopped")
        )
    owner = pg_insert(campaign_owners).values(campaign=name, owner_id=a_user(connection).id)
    connection.execute(owner.on_conflict_do_nothing())
    connection.execute(
        insert(campaign_versions).values(
            campaign=name,
            version=version,
            state=state,
            source="",
            signal_catalog="",
            settings=json.loads(campaign_settings(name, limits or BudgetLimits(), of_triggers).canonical_json()),
            program=PROGRAM,
            program_digest=PROGRAM_DIGEST,
            approval_digest=hashlib.sha256(f"bundle of {name} {version}".encode()).hexdigest(),
            bundle=b"sealed" if approved else None,
            bundle_digest=hashlib.sha256(f"{name} {version}".encode()).hexdigest() if approved else None,
            author_id=a_user(connection).id,
        )
    )
    assign_all(connection)


def add_draft(connection: Connection, content: life.VersionContent, *, author: str = "ann") -> CampaignVersion:
    """The next version of a campaign, a draft, with the digest that an approval has to name."""
    number, settings = life.next_draft(connection, content)
    digest = make_bundle(settings, number, content.program).approval_digest
    return life.add_draft(connection, content, number, approval_digest=digest, author=a_user(connection, author))


def fire(campaign: str, charged_bytes: int, *, version: int = 1, **changes: Any) -> Fire:
    """The next fire of a campaign, at T_NS."""
    values: dict[str, Any] = {
        "campaign": campaign,
        "version": version,
        "program_digest": PROGRAM_DIGEST,
        "trigger": TRIGGER,
        "ordinal": next(_numbers),
        "t_ns": T_NS,
        "window_start_ns": T_NS,
        "window_end_ns": T_NS,
        "inclusion_probability": 1.0,
        "charged_bytes": charged_bytes,
    }
    return Fire(**{**values, **changes})


def manifest_of(data: bytes, fires: Sequence[Fire], *, vehicle_id: str = "car-1", **changes: Any) -> ClipManifest:
    """The manifest of a clip of one second with these bytes; `changes` are of the recording."""
    cells = (data[start : start + CELL_BYTES] for start in range(0, len(data), CELL_BYTES))
    hashes = tuple(hashlib.sha256(cell).hexdigest() for cell in cells)
    return _manifest(len(data), hashes, fires, vehicle_id=vehicle_id, **changes)


def _manifest(
    size_bytes: int, cells: tuple[str, ...], fires: Sequence[Fire], *, vehicle_id: str, **changes: Any
) -> ClipManifest:
    values: dict[str, Any] = {
        "vehicle_id": vehicle_id,
        "recording_id": f"rec-{next(_numbers)}",
        "start_ns": T_NS,
        "end_ns": T_NS + 10**9,
        "fires": tuple(fires),
        "signals": ("speed",),
    }
    return ClipManifest(recording=RecordingManifest(**{**values, **changes}), size_bytes=size_bytes, cells=cells)


def clip_manifest(data: bytes, campaign: str = "braking", *, vehicle_id: str = "car-1") -> ClipManifest:
    """The manifest of a clip with one fire, which is charged for all of it."""
    return manifest_of(data, [fire(campaign, len(data))], vehicle_id=vehicle_id)


def charged_manifest(charges: Mapping[str, int], *, vehicle_id: str = "car-1") -> ClipManifest:
    """The manifest of a clip of zeros with one fire per campaign, charged as given (campaign to bytes); a name such as
    `alpha.other` is of another trigger in a campaign."""
    named = [(name.partition("."), amount) for name, amount in charges.items()]
    fires = [fire(campaign, amount, trigger=trigger or TRIGGER) for (campaign, _, trigger), amount in named]
    whole, rest = divmod(sum(charges.values()), CELL_BYTES)
    cells = (_hash_of_zeros(CELL_BYTES),) * whole + ((_hash_of_zeros(rest),) if rest else ())
    return _manifest(whole * CELL_BYTES + rest, cells, fires, vehicle_id=vehicle_id)


@cache
def _hash_of_zeros(size_bytes: int) -> str:
    """Of clips of gigabytes, whose bytes nobody reads, only the hashes are made."""
    return hashlib.sha256(bytes(size_bytes)).hexdigest()
