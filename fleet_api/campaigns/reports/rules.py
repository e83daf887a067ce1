"""Rules for reports of campaign versions, as pure functions: when one may be attached, and what of it is withheld."""

from __future__ import annotations

from typing import Any

from triggers.contracts.api.backtests.stated import StatedReport
from triggers.contracts.campaign import CampaignState
from triggers.errors import Conflict, NotFound

WAITING = (CampaignState.DRAFT, CampaignState.SUBMITTED)
WITHHELD = ("fires", "by_drive", "leave_one_out", "largest_drive", "why_not", "findings", "left_out", "failed_drives")
"""What says of single drives or moments where a car may have been, or quotes what it measured."""


def check_can_attach(campaign: str, version: int, state: CampaignState) -> None:
    """Conflict once a version is approved: what the approver has seen stays."""
    if state not in WAITING:
        raise Conflict(
            f"{campaign} version {version} is {state}: the report that its approver has seen is not changed any more",
            remedy="apply the text as another version, and attach the report to that one",
        )


def no_report(campaign: str, version: int) -> NotFound:
    """NotFound for a version without a report."""
    return NotFound(
        f"no report of a backtest is attached to {campaign} version {version}",
        remedy=f"its author attaches one with `longtail campaign attach {campaign} REPORT`",
    )


def coarse(stated: StatedReport) -> StatedReport:
    """The report as totals over all drives, for who sees place cells only.

    A trigger may read where the car is, so the moment of a fire, or a drive that has some, says where it was. Fires by
    place cell stay, since cells are what they see.
    """
    report = stated.report
    triggers = {
        name: each.model_copy(update={"largest_drive": None, "largest_share": None, "why_not": None})
        for name, each in report.triggers.items()
    }
    events = [each.model_copy(update={"by_drive": {}}) for each in report.events]
    left_out: dict[str, Any] = {
        "by_drive": [],
        "leave_one_out": {},
        "findings": [],
        "left_out": [],
        "failed_drives": [],
    }
    shown = report.model_copy(update={"triggers": triggers, "events": events, **left_out})
    return stated.model_copy(update={"report": shown, "fires": ()})
