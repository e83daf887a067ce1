"""Moves campaigns on: approved ones start on their start date, running ones complete."""

from __future__ import annotations

from functools import partial

from ingest.steward.completion import completion_reason
from storage.campaigns import facts, life
from storage.campaigns.queries import CampaignVersion
from storage.database import Connection
from storage.ledger.usage import Settled, settled_by_campaign
from triggers.contracts.campaign import CampaignState
from triggers.contracts.campaign_life import has_begun


def move_on(connection: Connection) -> list[CampaignVersion]:
    """Start and complete the versions that are due; returns those that changed. Several workers may call it at once.

    1. lock the campaigns, so that no other step comes between reading and deciding
    2. read today's date, the approved and running versions, and what they have used
    3. take each step that the rules ask for
    """
    life.lock_campaigns(connection)
    today = life.utc_today(connection)
    settled = settled_by_campaign(connection)
    changed = []
    for version in facts.open_versions(connection):
        name, number, settings = version.campaign, version.version, version.settings
        if version.state == CampaignState.APPROVED:
            if has_begun(settings, today):
                changed.append(life.activate(connection, name, number))
            continue
        smallest = partial(facts.smallest_clip_bytes, connection, name)
        reason = completion_reason(settings, today, settled.get(name, Settled()), smallest)
        if reason is not None:
            changed.append(life.end(connection, name, number, reason=reason))
    return changed
