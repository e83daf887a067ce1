"""Rules for limits, as pure functions: who may set which one, and how high."""

from __future__ import annotations

from triggers.contracts.api.budget import LimitKind
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, Forbidden, InvalidInput

OF_CAMPAIGNS: tuple[LimitKind, ...] = ("campaign_bytes", "campaign_clips")


def check_may_limit(kind: LimitKind, name: str, *, user: User, owner: str | None, owner_id: int | None) -> None:
    """Forbidden unless the user is an operator, or for a campaign its owner or an approver."""
    if user.may(Role.OPERATOR):
        return
    if kind not in OF_CAMPAIGNS:
        raise Forbidden(f"{user.name} may not set the limit {kind}", remedy="ask an operator")
    if not user.may(Role.APPROVER) and not user.owns(owner_id):
        raise Forbidden(
            f"{name} is not {user.name}'s to limit", remedy=f"ask its owner ({owner}), an approver or an operator"
        )


def check_name(kind: LimitKind, name: str, zone: str | None) -> None:
    """InvalidInput for the fleet with a name, anything else without one, and a zone of what has none of its own."""
    if (kind in ("fleet", "fleet_month")) != (name == ""):
        remedy = "name a campaign or a cost centre; the fleet has no name"
        raise InvalidInput(f"the limit {kind} is of {name!r}", remedy=remedy)
    if zone is not None and kind != "cost_centre_month":
        raise InvalidInput(f"the limit {kind} has no zone of its own", remedy="LONGTAIL_MONTH_ZONE is the fleet's")


def check_amount(kind: LimitKind, name: str, amount: int | None, *, given: int | None) -> None:
    """Conflict for more than `given`, which the approved version or the settings say: that is not raised in passing."""
    if amount is None or given is None or amount <= given:
        return
    if kind in OF_CAMPAIGNS:
        raise Conflict(
            f"{name} was approved for {given}, and {amount} is more",
            remedy="apply the text with another budget, which is approved as a new version",
        )
    what, setting = (
        ("a month of the fleet", "LONGTAIL_FLEET_MONTH_BYTES")
        if kind == "fleet_month"
        else ("the fleet", "LONGTAIL_FLEET_TOTAL_BYTES")
    )
    raise Conflict(f"the settings give {what} {given} bytes, and {amount} is more", remedy=f"raise {setting}")
