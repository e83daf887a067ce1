"""What time and budgets do to campaigns: approved ones begin on their day, running ones complete.

A campaign completes when its last day is over, when its clips are all catalogued, or when so few bytes are left that
no clip as small as its smallest one would fit. What is merely reserved does not count: it may become free again.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

from storage.campaigns.life import activate, end, lock_campaigns, utc_today
from storage.campaigns.queries import CampaignVersion, settings_of
from triggers.contracts.campaign import CampaignSettings
from triggers.contracts.clip import MAX_CLIP_BYTES

_OPEN = text("""
    SELECT campaign, version, state, settings FROM campaign_versions
    WHERE state IN ('approved', 'active', 'paused')
    ORDER BY campaign, state = 'approved', version
""")

_USED = text("""
    SELECT a.campaign, a.kind, a.settled + coalesce(sum(e.settled_delta), 0) AS settled
    FROM ledger_accounts a
    LEFT JOIN ledger_entries e ON e.account_id = a.id AND NOT e.folded
    WHERE a.kind IN ('campaign_bytes', 'campaign_clips')
    GROUP BY a.id
""")

_SMALLEST_CLIP = text("""
    SELECT min(bytes) FROM (
        SELECT sum(charged_bytes) AS bytes FROM clip_fires WHERE campaign = :campaign GROUP BY clip_id
    ) AS by_clip
""")


def complete_due(connection: Connection) -> list[CampaignVersion]:
    """Begin and complete what is due; returns the versions that changed. Safe to call at once in replicas."""
    lock_campaigns(connection)
    today = utc_today(connection)
    used = {(row.campaign, row.kind): int(row.settled) for row in connection.execute(_USED)}
    changed = []
    for row in connection.execute(_OPEN).all():
        settings = settings_of(row.settings)
        if row.state == "approved":
            if settings.active_from is None or settings.active_from <= today:
                changed.append(activate(connection, row.campaign, row.version))
            continue
        reason = _completed(connection, settings, today, used)
        if reason is not None:
            changed.append(end(connection, row.campaign, row.version, reason=reason))
    return changed


def _completed(
    connection: Connection, settings: CampaignSettings, today: date, used: dict[tuple[str, str], int]
) -> str | None:
    budget = settings.budget
    if settings.active_to is not None and today > settings.active_to:
        return "date"
    if budget.clips is not None and used.get((settings.name, "campaign_clips"), 0) >= budget.clips:
        return "clips"
    if budget.total_bytes is None:
        return None
    left_bytes = budget.total_bytes - used.get((settings.name, "campaign_bytes"), 0)
    if left_bytes <= 0:
        return "budget"
    if left_bytes >= MAX_CLIP_BYTES:
        return None
    smallest = connection.execute(_SMALLEST_CLIP, {"campaign": settings.name}).scalar_one()
    return "budget" if smallest is not None and left_bytes < smallest else None
