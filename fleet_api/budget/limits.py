"""Use case for limits: set the one of a campaign, a trigger, a cost centre or the fleet, which applies at once."""

from __future__ import annotations

from datetime import UTC, datetime

from fleet_api.budget import rules
from fleet_api.services import Services
from storage import audit
from storage.campaigns import names, owners
from storage.jsonb import storable
from storage.ledger import limits
from storage.ledger.accounts import AccountKey
from storage.ledger.limits import FleetTerms, fleet_terms
from storage.ledger.usage import account, given_limit
from storage.uploads import endings
from triggers.contracts.api.budget import LimitRequest, LimitView
from triggers.contracts.campaign import owner_parts
from triggers.contracts.users import Role, User
from triggers.costs.months import zone_named


def set_limit(services: Services, user: User, request: LimitRequest) -> LimitView:
    """Set a limit, or take one away that was set so; it applies to everything that follows.

    Uploads that are under way are ended, the newest first, until what is held fits; what came of them is settled.
    Forbidden for whoever may not, Conflict for more than was approved, and for a trigger of which no such limit was;
    NotFound without such a campaign, and without such a trigger in the version whose limits apply.
    """
    user.require(Role.AUTHOR, Role.APPROVER, Role.OPERATOR)
    storable(request.reason, what="the reason")
    rules.check_name(request.kind, request.name, request.zone)
    if request.zone is not None:
        zone_named(request.zone)
    fleet = fleet_terms(services.settings)
    with services.database.begin() as connection:
        campaign, trigger = owner_parts(request.name)
        owner = owners.locked(connection, campaign) if request.kind in rules.OF_CAMPAIGNS else None
        rules.check_may_limit(
            request.kind,
            request.name,
            user=user,
            owner=None if owner is None else owner.owner,
            owner_id=None if owner is None else owner.owner_id,
        )
        limits.hold_reservations(connection)
        if request.kind in rules.OF_TRIGGERS:
            # What was set for a trigger of an earlier version can be taken away.
            names.require_trigger(connection, campaign, trigger, ever=request.amount is None)
        given = given_limit(connection, _key(request, fleet), fleet)
        rules.check_amount(request.kind, request.name, request.amount, given=given)
        amount, zone = limits.get_limit(connection, request.kind, request.name)
        limits.set_limit(connection, request.kind, request.name, amount=request.amount, zone=request.zone)
        _, zone_now = limits.get_limit(connection, request.kind, request.name)
        audit.record(
            connection,
            user,
            "budget.limit",
            "budget",
            f"{request.kind}/{request.name}" if request.name else request.kind,
            before={"amount": amount, "zone": zone},
            after={"amount": request.amount, "zone": zone_now},
            reason=request.reason,
        )
    key = _key(request, fleet, zone_now)
    # Only now: uploads that are being stored are locked, and reservations wait until the limit is there.
    ended = _end_above_limit(services, key, fleet)
    with services.database.begin() as connection:
        now = account(connection, key, fleet)
    above = 0 if now.limit is None else max(0, now.held - now.limit)
    return LimitView(
        kind=request.kind,
        name=request.name,
        limit=now.limit,
        month=key.month,
        held=now.held,
        settled=now.settled,
        above=above,
        ended=ended,
    )


def _end_above_limit(services: Services, key: AccountKey, fleet: FleetTerms) -> int:
    """End uploads that are under way, some at a time, until what the account holds fits, or none is left."""
    ended = 0
    while True:
        with services.database.begin() as connection:
            some = endings.end_above_limit(connection, key, fleet)
        ended += some
        if not some:
            return ended


def _key(request: LimitRequest, fleet: FleetTerms, zone: str | None = None) -> AccountKey:
    """The account that the limit is of; of a month, the present one."""
    now = datetime.now(UTC)
    if request.kind == "fleet_month":
        return AccountKey("fleet_month", month=fleet.month(now))
    if request.kind == "cost_centre_month":
        return AccountKey("cost_centre_month", cost_centre=request.name, month=fleet.month(now, zone))
    campaign, trigger = owner_parts(request.name)
    return AccountKey(request.kind, campaign, trigger=trigger)
