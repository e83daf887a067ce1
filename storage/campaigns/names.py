"""Names of campaigns, and of triggers in them, that do not exist: NotFound with the nearest names that do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from sqlalchemy import Connection, select

from storage.tables import campaign_owners, campaign_versions
from triggers.contracts.campaign import RUNNING, budget_owner
from triggers.errors import NotFound

MAX_COMPARED = 10_000
"""Campaigns whose names are compared with one that does not exist."""
MAX_SHOWN = 64
"""Characters of a name that does not exist that an error message repeats: no name is longer."""
LISTED = 10
"""Triggers that a message lists."""
_c = campaign_versions.c


def no_campaign(connection: Connection, campaign: str) -> NotFound:
    """The error for a campaign that does not exist."""
    known = connection.execute(select(campaign_owners.c.campaign).limit(MAX_COMPARED)).scalars()
    remedy = _remedy(campaign, known, otherwise="`longtail campaign list` shows all campaigns")
    return NotFound(f"there is no campaign {campaign[:MAX_SHOWN]!r}", remedy=remedy)


def require_trigger(
    connection: Connection, campaign: str, trigger: str, *, ever: bool = False, own_budget: bool = False
) -> None:
    """NotFound unless a campaign's budget is, or with `ever` was, that of a version with this trigger.

    The budget is that of the running version, else of the latest that was approved. With `own_budget` the trigger must
    have a budget of its own there.
    """
    approved = select(_c.settings["triggers"]).where(_c.campaign == campaign, _c.bundle_digest.is_not(None))
    newest = approved.order_by(_c.state.in_(RUNNING).desc(), _c.version.desc()).limit(None if ever else 1)
    versions = connection.execute(newest).scalars().all()
    if not versions:
        raise NotFound(
            f"no version of {campaign} has been approved yet, so no trigger of it has a budget",
            remedy="`longtail campaign list` shows which versions wait for approval",
        )
    known = {each["name"] for triggers in versions for each in triggers}
    with_budget = {each["name"] for triggers in versions for each in triggers if each.get("budget")}
    if trigger not in known:
        has = f"it has {', '.join(sorted(known)[:LISTED])}" if known else "it has none"
        remedy = _remedy(trigger, known, otherwise=has)
        raise NotFound(f"{campaign} has no trigger {trigger[:MAX_SHOWN]!r}", remedy=remedy)
    if own_budget and trigger not in with_budget:
        raise NotFound(
            f"{budget_owner(campaign, trigger)} has no budget of its own",
            remedy=f"ask for all of {campaign}; a trigger has one if its text has a `budget`",
        )


def _remedy(name: str, known: Iterable[str], *, otherwise: str) -> str:
    """The nearest names as a question, or what else helps."""
    near = get_close_matches(name[:MAX_SHOWN].lower(), sorted(known), n=3)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
