"""When campaigns complete, decided without a database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ingest.steward.completion import CompletionReason, completion_reason
from storage.ledger.usage import Settled
from tests.support.fleet import campaign_settings
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.clip import MAX_CLIP_BYTES

TODAY = date(2026, 6, 15)
DAY = timedelta(days=1)
LIMITS = BudgetLimits(clips=10, total_bytes=1000)


def never_asked() -> int | None:
    raise AssertionError("the smallest clip was looked up although it does not decide")


@pytest.mark.parametrize(("last_day", "reason"), [(TODAY, None), (TODAY - DAY, CompletionReason.DATE)])
def test_a_campaign_runs_through_its_last_day(last_day: date, reason: CompletionReason | None) -> None:
    settings = campaign_settings("braking", LIMITS).model_copy(update={"active_to": last_day})
    assert completion_reason(settings, TODAY, Settled(), lambda: None) == reason


@pytest.mark.parametrize(
    ("settled", "reason"),
    [
        (Settled(clips=9), None),
        (Settled(clips=10), CompletionReason.CLIPS),
        (Settled(bytes=900), None),
        (Settled(bytes=901), CompletionReason.BUDGET),
        (Settled(bytes=1000), CompletionReason.BUDGET),
    ],
)
def test_a_campaign_completes_when_no_further_clip_fits(settled: Settled, reason: CompletionReason | None) -> None:
    assert completion_reason(campaign_settings("braking", LIMITS), TODAY, settled, lambda: 100) == reason


def test_without_any_clip_every_byte_may_be_used() -> None:
    settings = campaign_settings("braking", LIMITS)
    assert completion_reason(settings, TODAY, Settled(bytes=999), lambda: None) is None


def test_the_smallest_clip_is_looked_up_only_when_it_decides() -> None:
    plenty = campaign_settings("braking", BudgetLimits(total_bytes=2 * MAX_CLIP_BYTES))
    assert completion_reason(plenty, TODAY, Settled(), never_asked) is None
    no_byte_limit = campaign_settings("braking", BudgetLimits(clips=1))
    assert completion_reason(no_byte_limit, TODAY, Settled(bytes=10**15), never_asked) is None
