"""A day of the fleet under limits, in words, for the page of a report, the command line and remarks alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from triggers.backtest.page.figures import byte_range, number_range, share_range
from triggers.contracts.api.backtests.reports import LimitedDayView
from triggers.contracts.campaign import Network, budget_owner
from triggers.pages.shown_numbers import counted, shown_bytes, shown_share

if TYPE_CHECKING:
    from triggers.backtest.limits.limited_day import LimitedDay

_WORTH_A_REMARK = 0.005
"""A smaller share of refused clips is in the table alone."""
_LIMITS = {"vehicle_day_bytes": "per vehicle per day", "total_bytes": "total", "upload_bytes": "per upload"}


def counts_clips(limit: str) -> bool:
    """Whether a limit counts clips, and not bytes."""
    return limit in ("clips", "vehicle_day_clips")


def limit_text(limit: str, amount: int) -> str:
    """A limit as the trigger file writes it."""
    if counts_clips(limit):
        return counted(amount, "clip") + ("" if limit == "clips" else " per vehicle per day")
    return f"{shown_bytes(amount)} {_LIMITS.get(limit, limit)}"


def reasons(day: LimitedDay | LimitedDayView) -> str:
    """The limits that refuse clips of a day, with their shares, as in `20.0 MB per vehicle per day 12.0 %`.

    Where there is no share of refused clips, why.
    """
    if day.refused is None:
        return "nothing fired" if day.unknown is None else f"not known: {day.unknown}"
    return ", ".join(
        f"{'' if each.trigger is None else f'{budget_owner(day.campaign, each.trigger)}: '}"
        f"{limit_text(each.limit, each.amount)} {shown_share(each.share)}"
        for each in day.refused_by
    )


def cellular(day: LimitedDay | LimitedDayView) -> str:
    """Bytes that may go over cellular networks: none, all of those that are uploaded, or at most so many."""
    if Network.CELLULAR not in day.networks:
        return "none"
    most = "" if list(day.networks) == [Network.CELLULAR] else "at most "
    return most + byte_range(day.cellular_bytes_per_fleet_day)


COLUMNS = ("campaign", "clips per day", "refused (95 %)", "refused by", "uploaded per day", "over cellular per day")
"""Titles of the table of limited days."""


def row(day: LimitedDay | LimitedDayView) -> tuple[str, ...]:
    """The cells of a campaign's day, under COLUMNS."""
    return (
        day.campaign,
        number_range(day.clips_per_fleet_day),
        share_range(day.refused),
        reasons(day),
        byte_range(day.uploaded_bytes_per_fleet_day),
        cellular(day),
    )


def refusals(days: Sequence[LimitedDay] | Sequence[LimitedDayView]) -> Iterator[str]:
    """A remark for each campaign whose limits refuse more than a few clips of a day, or nobody knows how many."""
    for day in days:
        if day.unknown is not None:
            yield f"it is not known what limits refuse of a day's clips of campaign `{day.campaign}`: {day.unknown}"
        if day.refused is not None and day.refused.mean >= _WORTH_A_REMARK:
            share = share_range(day.refused)
            yield f"limits refuse {share} of a day's clips of campaign `{day.campaign}`: {reasons(day)}"
