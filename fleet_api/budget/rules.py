"""Rules for limits, as pure functions: who may set which one, and how high."""

from __future__ import annotations

from triggers.contracts.api.budget import LimitKind
from triggers.contracts.campaign import budget_owner, owner_parts
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, Forbidden, InvalidInput

OF_TRIGGERS: tuple[LimitKind, ...] = ("trigger_bytes", "trigger_clips")
OF_CAMPAIGNS: tuple[LimitKind, ...] = ("campaign_bytes", "campaign_clips", *OF_TRIGGERS)
"""Limits of campaigns and of triggers in them: who may set the one may set the other."""


def check_may_limit(kind: LimitKind, name: str, *, user: User, owner: str | None, owner_id: int | None) -> None:
    """Forbidden unless the user is an operator, or for a campaign or a trigger in it the campaign's owner or an
    approver."""
    if user.may(Role.OPERATOR):
        return
    if kind not in OF_CAMPAIGNS:
        raise Forbidden(f"{user.name} may not set the limit {kind}", remedy="ask an operator")
    if not user.may(Role.APPROVER) and not user.owns(owner_id):
        raise Forbidden(
            f"{name} is not {user.name}'s to limit", remedy=f"ask its owner ({owner}), an approver or an operator"
        )


def check_name(kind: LimitKind, name: str, zone: str | None) -> None:
    """InvalidInput for the fleet with a name, anything else without one, a trigger without its campaign and the other
    way round, and a zone of what has none of its own."""
    if (kind in ("fleet", "fleet_month")) != (name == ""):
        remedy = "name a campaign or a cost centre; the fleet has no name"
        raise InvalidInput(f"the limit {kind} is of {name!r}", remedy=remedy)
    campaign, trigger = owner_parts(name)
    is_named_so = budget_owner(campaign, trigger) == name and (kind in OF_TRIGGERS) == (trigger != "")
    if kind in OF_CAMPAIGNS and not is_named_so:
        remedy = "a campaign is named by itself, a trigger as CAMPAIGN.TRIGGER"
        raise InvalidInput(f"the limit {kind} is of {name!r}", remedy=remedy)
    if zone is not None and kind != "cost_centre_month":
        raise InvalidInput(f"the limit {kind} has no zone of its own", remedy="LONGTAIL_MONTH_ZONE is the fleet's")


def check_amount(kind: LimitKind, name: str, amount: int | None, *, given: int | None) -> None:
    """Conflict for more than `given`, which the approved version or the settings say: that is not raised in passing.

    So it is for a trigger of which nothing was given: what it used so far was not counted, and its vehicles may not
    know of budgets of triggers.
    """
    if amount is None:
        return
    if given is None and kind in OF_TRIGGERS:
        raise Conflict(
            f"{name} was approved without a limit in {'clips' if kind == 'trigger_clips' else 'bytes'} of its own",
            remedy="apply the text with a `budget` in the trigger, which is approved as a new version",
        )
    if given is None or amount <= given:
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
