"""Steps of campaign versions as the database takes them: from the states that the table names, and from no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storage.campaigns import life
from storage.campaigns.queries import CampaignVersion, get_version, running
from storage.database import Database
from tests.support.fleet import PROGRAM, a_user, add_draft, add_version, campaign_settings
from triggers.contracts import campaign_life
from triggers.contracts.campaign import BudgetLimits, CampaignState
from triggers.contracts.campaign_life import STEPS, CampaignStep
from triggers.errors import Conflict, InvalidInput, NotFound

TAKE: dict[CampaignStep, Callable[[Any, str, int], CampaignVersion]] = {
    campaign_life.SUBMIT: lambda c, name, version: life.submit(c, name, version, user=a_user(c)),
    campaign_life.APPROVE: lambda c, name, version: life.approve(c, name, version, bundle=b"sealed", user=a_user(c)),
    campaign_life.REJECT: lambda c, name, version: life.reject(c, name, version, reason="a test", user=a_user(c)),
    campaign_life.ACTIVATE: life.activate,
    campaign_life.PAUSE: lambda c, name, version: life.pause(c, name, version, user=a_user(c)),
    campaign_life.RESUME: life.resume,
    campaign_life.HOLD: lambda c, name, version: life.hold(c, name, version, user=a_user(c), reason="a test"),
    campaign_life.RELEASE: life.release,
    campaign_life.COMPLETE: lambda c, name, version: life.end(c, name, version, reason="date"),
    campaign_life.STOP: lambda c, name, version: life.stop(c, name, version, user=a_user(c)),
}


def content(source: str) -> life.VersionContent:
    """A version of `braking` out of this text."""
    settings = campaign_settings("braking", BudgetLimits(clips=1))
    return life.VersionContent(settings=settings, program=PROGRAM, source=source, signal_catalog="")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_is_taken_from_its_states_and_refused_in_all_others(database: Database, step: CampaignStep) -> None:
    for state in CampaignState:
        with database.begin() as connection:
            add_version(connection, state, state=state)
        before = revision(database)
        with database.begin() as connection:
            if state in step.from_states:
                assert TAKE[step](connection, state, 1).state == step.to
            else:
                with pytest.raises(Conflict, match=f"is {state} and cannot be {step.name}"):
                    TAKE[step](connection, state, 1)
                assert get_version(connection, state, 1).state == state
        raised = revision(database) > before
        assert raised == (state in step.from_states and step.changes_what_runs)


def test_a_version_that_no_column_can_hold_is_not_found(database: Database) -> None:
    for take in TAKE.values():
        with pytest.raises(NotFound), database.begin() as connection:
            take(connection, "braking", 2**40)


def test_open_versions_are_found_by_all_of_their_content(database: Database) -> None:
    with database.begin() as connection:
        first = add_draft(connection, content("one"))
        second = add_draft(connection, content("two"))
        assert (first.version, second.version) == (1, 2)
        assert life.find_open(connection, content("one")) == first
        assert life.find_open(connection, content("three")) is None
        life.stop(connection, "braking", 1, user=a_user(connection))
        assert life.find_open(connection, content("one")) is None


def test_texts_that_cannot_be_stored_are_invalid(database: Database) -> None:
    with pytest.raises(InvalidInput, match="source"), database.begin() as connection:
        add_draft(connection, content("\x00"))


def revision(database: Database) -> int:
    """The assignment revision."""
    with database.begin() as connection:
        return running(connection)[0]
