"""Campaign versions: one runs at a time under any race, every change raises the revision."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from fleet_api.campaigns import usecases
from fleet_api.campaigns.views import summary_view
from fleet_api.services import Services
from storage.campaigns import life
from storage.campaigns.queries import CampaignVersion, get_version, get_versions, running
from storage.database import Database
from tests.fleet_api.api_server import SIGNALS, campaign_text
from tests.support.fleet import PROGRAM, PROGRAM_DIGEST, a_user, add_draft, campaign_settings
from tests.support.waiting import wait_for
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.campaigns import ApplyRequest, CampaignView
from triggers.contracts.campaign import BudgetLimits, RolloutStage
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, Forbidden, NotFound, TooMany


def ann(database: Database) -> User:
    """An author who is an approver as well."""
    with database.begin() as connection:
        return a_user(connection, "ann", Role.AUTHOR, Role.APPROVER)


def bob(database: Database) -> User:
    """An approver."""
    with database.begin() as connection:
        return a_user(connection, "bob", Role.APPROVER)


def apply(database: Database, name: str = "braking", source: str = "one", **changes: Any) -> CampaignVersion:
    """A version submitted by ann."""
    limits = changes.pop("limits", BudgetLimits(clips=10))
    settings = campaign_settings(name, limits).model_copy(update=changes)
    content = life.VersionContent(settings=settings, program=PROGRAM, source=source, signal_catalog="")
    with database.begin() as connection:
        version = add_draft(connection, content)
        return life.submit(connection, name, version.version, user=a_user(connection))


def approve(
    services: Services, version: CampaignVersion, user: User | None = None, seen_digest: str | None = None
) -> CampaignView:
    """Approve it, by default with its own digest."""
    digest = seen_digest or version.approval_digest
    return usecases.approve(
        services, user or bob(services.database), version.campaign, version.version, seen_digest=digest
    )


def revision(database: Database) -> int:
    """The assignment revision."""
    with database.begin() as connection:
        return running(connection)[0]


def state(database: Database, version: CampaignVersion | CampaignView) -> str:
    """The version's state now."""
    with database.begin() as connection:
        return get_version(connection, version.campaign, version.version).state


def test_every_change_of_what_runs_raises_the_revision(services: Services) -> None:
    database = services.database
    version = apply(database)
    seen = [revision(database)]
    approve(services, version)
    seen.append(revision(database))
    for step in (usecases.pause, usecases.resume, usecases.stop):
        step(services, bob(database), "braking", 1)
        seen.append(revision(database))
    assert seen == sorted(set(seen))


def test_a_rolled_back_step_leaves_state_and_revision(services: Services) -> None:
    version = approve(services, apply(services.database))
    before = revision(services.database)
    with pytest.raises(RuntimeError), services.database.begin() as connection:
        life.pause(connection, "braking", 1, user=a_user(connection))
        raise RuntimeError
    assert (state(services.database, version), revision(services.database)) == ("active", before)


def test_of_versions_approved_at_once_one_runs(services: Services) -> None:
    versions = [apply(services.database, source=str(number)) for number in range(6)]
    barrier = threading.Barrier(6)

    def race(version: CampaignVersion) -> str:
        barrier.wait(timeout=30)
        return approve(services, version).state

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(race, versions)) == ["active"] * 6
    with services.database.begin() as connection:
        after = get_versions(connection, "braking")
        assert len(running(connection)[1]) == 1
    assert sorted(version.state for version in after) == ["active", *["stopped"] * 5]
    assert {version.ended_reason for version in after} == {None, "superseded"}


def test_of_equal_steps_at_once_one_succeeds(services: Services) -> None:
    version = apply(services.database)

    def race(_: int) -> str:
        try:
            return approve(services, version).state
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(race, range(4))) == ["active", "conflict", "conflict", "conflict"]


def test_the_same_text_applied_at_once_is_one_version(services: Services) -> None:
    request = ApplyRequest(source=campaign_text(), signals=SIGNALS)
    user = ann(services.database)

    applied = []

    def was_applied() -> bool:
        try:
            applied.append(usecases.apply(services, user, request))
        except TooMany:  # a user has one compilation at a time
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        for _ in range(6):
            pool.submit(wait_for, was_applied, within_s=60, what="a turn")
    assert len(applied) == 6
    assert {view.version for view, _ in applied} == {1}
    assert sorted(is_new for _, is_new in applied) == [False] * 5 + [True]


def test_of_texts_based_on_one_version_and_applied_at_once_one_is_kept(services: Services) -> None:
    with services.database.begin() as connection:
        authors = [a_user(connection, name, Role.AUTHOR) for name in ("ann", "bob")]

    def race(author: User) -> str:
        request = ApplyRequest(source=campaign_text(f'describe "{author.name}"'), signals=SIGNALS, based_on=0)
        try:
            return str(usecases.apply(services, author, request)[0].version)
        except Conflict as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(race, authors)) == ["1", "conflict"]


def test_the_author_does_not_approve_alone_and_nothing_has_changed(services: Services) -> None:
    version = apply(services.database)
    with pytest.raises(Forbidden):
        approve(services, version, user=ann(services.database))
    assert state(services.database, version) == "submitted"


def test_another_digest_or_version_is_not_approved(services: Services) -> None:
    version = apply(services.database)
    with pytest.raises(Conflict, match="has the digest"):
        approve(services, version, seen_digest="0" * 64)
    with pytest.raises(NotFound):
        usecases.approve(services, bob(services.database), "braking", 2**40, seen_digest=PROGRAM_DIGEST)
    assert state(services.database, version) == "submitted"


def test_a_pause_does_not_count_for_the_rollout(services: Services) -> None:
    approve(services, apply(services.database))
    with services.database.begin() as connection:
        connection.execute(text("UPDATE campaign_versions SET rollout_from = now() - interval '1 day'"))
        life.pause(connection, "braking", 1, user=a_user(connection))
        connection.execute(text("UPDATE campaign_versions SET paused_at = now() - interval '20 hours'"))
    with services.database.begin() as connection:
        resumed = life.resume(connection, "braking", 1)
    assert resumed.rollout_from is not None
    assert timedelta(hours=3.9) < datetime.now(UTC) - resumed.rollout_from < timedelta(hours=4.1)


def test_a_hold_keeps_its_stage_whatever_happens_meanwhile_and_goes_on_from_there(services: Services) -> None:
    stages = (RolloutStage(share=0.1, duration_ns=86_400 * 10**9), RolloutStage(share=1.0))
    approve(services, apply(services.database, rollout=stages))
    approver = bob(services.database)
    backdate(services.database, rollout_from="5 hours")
    usecases.hold(services, approver, "braking", 1, ReasonRequest(reason="too many"))
    backdate(services.database, rollout_from="72 hours", held_at="67 hours")
    usecases.pause(services, approver, "braking", 1)
    paused = usecases.resume(services, approver, "braking", 1)
    assert paused.held_at is not None, "the pause is over, and the hold is not"
    with services.database.begin() as connection:
        held = summary_view(get_version(connection, "braking", 1), {}, now=datetime.now(UTC))
        assert running(connection)[1][0].held_at == held.held_at
    assert held.stage is not None and (held.stage.number, held.stage.ends_at) == (1, None)
    released = usecases.resume(services, approver, "braking", 1)
    assert (released.state, released.held_at, released.held_by, released.held_reason) == ("active", None, None, None)
    with services.database.begin() as connection:
        began = get_version(connection, "braking", 1).rollout_from
    assert began is not None and timedelta(hours=4.9) < datetime.now(UTC) - began < timedelta(hours=5.1)


def backdate(database: Database, **ago: str) -> None:
    """Let these columns of the version be so long ago."""
    columns = ", ".join(f"{name} = now() - interval '{interval}'" for name, interval in ago.items())
    with database.begin() as connection:
        connection.execute(text(f"UPDATE campaign_versions SET {columns}"))


def test_of_each_campaign_the_running_version_is_listed_else_the_newest(services: Services) -> None:
    database = services.database
    approve(services, apply(database))
    apply(database, source="two")
    apply(database, "other")
    first = usecases.list_campaigns(services, bob(services.database), after="", limit=1)
    second = usecases.list_campaigns(services, bob(services.database), after=first.next or "", limit=2)
    assert first.next == "braking"
    assert [(campaign.campaign, campaign.version, campaign.state) for campaign in first.campaigns] == [
        ("braking", 1, "active")
    ]
    assert [(campaign.campaign, campaign.version, campaign.state) for campaign in second.campaigns] == [
        ("other", 1, "submitted")
    ]
    assert second.next is None
