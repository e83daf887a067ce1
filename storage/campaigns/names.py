"""Names of campaigns, their versions and triggers that do not exist: NotFound with the nearest names that do."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from sqlalchemy import ColumnElement, Connection, func, select

from storage.tables import campaign_owners, campaign_versions
from triggers.contracts.campaign import RUNNING, budget_owner
from triggers.errors import NotFound

MAX_COMPARED = 10_000
"""Campaigns whose names are compared with one that does not exist."""
MAX_SHOWN = 64
"""Characters of a name that does not exist that an error message repeats: no name is longer."""
LISTED = 10
"""Names that a message lists."""
_c = campaign_versions.c


def no_campaign(connection: Connection, campaign: str) -> NotFound:
    """The error for a campaign that does not exist."""
    known = connection.execute(select(campaign_owners.c.campaign).limit(MAX_COMPARED)).scalars()
    remedy = nearest(campaign, known, otherwise="`longtail campaign list` shows all campaigns")
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
        raise _no_trigger(campaign, trigger, known)
    if own_budget and trigger not in with_budget:
        raise NotFound(
            f"{budget_owner(campaign, trigger)} has no budget of its own",
            remedy=f"ask for all of {campaign}; a trigger has one if its text has a `budget`",
        )


def require_ever(connection: Connection, campaign: str | None, *, version: int | None, trigger: str | None) -> None:
    """NotFound unless there was ever such a version, and one with this trigger: of a campaign, or of any (None).

    Versions that were never approved count, too.
    """
    of_campaign = _c.campaign == campaign if campaign is not None else _c.campaign.is_not(None)
    if version is not None:
        newest = connection.execute(select(func.max(_c.version)).where(of_campaign)).scalar_one()
        # a restore leaves numbers out, so one below the newest may never have been given
        if newest is None or version > newest or not _exists(connection, of_campaign, _c.version == version):
            has = f"the newest is {newest}" if newest is not None else "nothing has been applied yet"
            raise NotFound(f"{campaign or 'no campaign'} has {'no' if campaign else 'a'} version {version}", remedy=has)
        of_campaign &= _c.version == version
    if trigger is None:
        return
    named = _c.settings.contains({"triggers": [{"name": trigger}]})
    if not _exists(connection, of_campaign, named):
        of_versions = select(_c.settings["triggers"]).where(of_campaign).order_by(_c.version.desc()).limit(MAX_COMPARED)
        lists = connection.execute(of_versions).scalars()
        raise _no_trigger(campaign, trigger, {each["name"] for triggers in lists for each in triggers})


def _no_trigger(campaign: str | None, trigger: str, known: Collection[str]) -> NotFound:
    """The error for a trigger that is not among those of a campaign, or of any (None)."""
    has = f"{'it has' if campaign else 'there are'} {listed(known) if known else 'none yet'}"
    what = f"trigger {trigger[:MAX_SHOWN]!r}"
    message = f"{campaign} has no {what}" if campaign else f"no campaign has a {what}"
    return NotFound(message, remedy=nearest(trigger, known, otherwise=has))


def _exists(connection: Connection, *of_version: ColumnElement[bool]) -> bool:
    return connection.execute(select(_c.version).where(*of_version).limit(1)).first() is not None


def listed(names: Collection[str]) -> str:
    """The first LISTED names in order, as a message lists them.

    >>> listed(["b", "a"]), listed(list("abcdefghijkl"))
    ('a, b', 'a, b, c, d, e, f, g, h, i, j, …')
    """
    return ", ".join(sorted(names)[:LISTED]) + (", …" if len(names) > LISTED else "")


def nearest(name: str, known: Iterable[str], *, otherwise: str) -> str:
    """A remedy for a name that does not exist: the nearest names as a question, or what else helps."""
    near = get_close_matches(name[:MAX_SHOWN].lower(), sorted(known), n=3)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
