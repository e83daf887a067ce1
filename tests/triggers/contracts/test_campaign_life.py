"""The life of a campaign version: every state is reached, two have no way out, days are whole days."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.fleet import campaign_settings
from triggers.contracts.campaign import ENDED, RUNNING, BudgetLimits, CampaignState
from triggers.contracts.campaign_life import (
    ACTIVATE,
    APPROVE,
    COMPLETE,
    PAUSE,
    REJECT,
    RESUME,
    STEPS,
    STOP,
    SUBMIT,
    has_begun,
    is_over,
)


def test_every_state_is_reached_from_a_draft() -> None:
    reached = {CampaignState.DRAFT}
    for _ in STEPS:
        reached |= {step.to for step in STEPS if reached.intersection(step.from_states)}
    assert reached == set(CampaignState)


def test_ended_versions_have_no_way_out_and_all_others_can_be_stopped() -> None:
    ways_out = {state for step in STEPS for state in step.from_states}
    assert ways_out.isdisjoint(ENDED)
    assert ways_out == set(STOP.from_states)


def test_steps_that_touch_running_versions_change_what_runs() -> None:
    assert [step for step in STEPS if not step.changes_what_runs] == [SUBMIT, APPROVE, REJECT]
    assert {ACTIVATE.to, PAUSE.to, RESUME.to} == set(RUNNING) == set(COMPLETE.from_states)


def test_a_refusal_names_the_state_and_the_states_that_are_needed() -> None:
    refused = COMPLETE.refused("braking", 3, CampaignState.DRAFT)
    assert refused.message == "braking version 3 is draft and cannot be completed"
    assert refused.remedy == "this is only possible in the state active or paused"


@pytest.mark.parametrize(
    ("day", "begun", "over"), [(4, False, False), (5, True, False), (7, True, False), (8, True, True)]
)
def test_first_and_last_day_are_included(day: int, begun: bool, over: bool) -> None:
    settings = campaign_settings("braking", BudgetLimits()).model_copy(
        update={"active_from": date(2026, 1, 5), "active_to": date(2026, 1, 7)}
    )
    today = date(2026, 1, day)
    assert (has_begun(settings, today), is_over(settings, today)) == (begun, over)


def test_a_campaign_without_days_has_begun_and_is_never_over() -> None:
    settings = campaign_settings("braking", BudgetLimits())
    assert (has_begun(settings, date.min), is_over(settings, date.max)) == (True, False)
