"""Label jobs through the use cases: who may touch a claimed job, and answers that got lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fleet_api.clips.usecases import search_clips, show_clip
from fleet_api.labels import usecases
from fleet_api.services import Services
from storage.labels import jobs
from tests.storage.clips.catalog_support import OPENLABEL, add_clip
from triggers.contracts.api.labels import ClaimRequest, CompleteRequest, FailRequest, JobView, RenewRequest
from triggers.contracts.users import Role, User
from triggers.errors import Forbidden, InvalidInput, LeaseLost, NotFound

LAB = User("lab", frozenset({Role.LABELER}))
OTHER = User("lab2", frozenset({Role.LABELER}))
ADMIN = User("root", frozenset({Role.ADMIN}))


@pytest.fixture
def job(services: Services) -> JobView:
    """A job that lab has claimed."""
    with services.database.begin() as connection:
        jobs.ensure(connection, add_clip(connection), "auto")
    (claimed,) = usecases.claim(services, LAB, ClaimRequest(task="auto", labeler="anna")).jobs
    return claimed


def test_a_labeler_sees_the_clip_that_it_has_claimed_and_no_other_and_searches_nothing(
    services: Services, job: JobView
) -> None:
    with services.database.begin() as connection:
        other = add_clip(connection)
    assert show_clip(services, LAB, job.clip.id).id == job.clip.id
    for user, clip_id in ((LAB, other), (OTHER, job.clip.id), (LAB, "none")):
        with pytest.raises(NotFound, match="has claimed no clip"):
            show_clip(services, user, clip_id)
    search: dict[str, Any] = {"filter_source": None, "language": "cql2-text", "sortby": "-recorded", "limit": 1}
    with pytest.raises(Forbidden, match="needs the role viewer"):
        search_clips(services, LAB, **search, token=None)
    both = User("lab", frozenset({Role.LABELER, Role.VIEWER}))
    assert show_clip(services, both, other).id == other


def completed(job: JobView, **changes: Any) -> CompleteRequest:
    """Its labels."""
    return CompleteRequest(**{"token": job.token, "openlabel": OPENLABEL, "provenance": {"model": "x"}, **changes})


@pytest.mark.parametrize("done", [False, True])
def test_a_token_serves_the_user_who_claimed_with_it_and_an_administrator(
    services: Services, job: JobView, done: bool
) -> None:
    if done:
        usecases.complete(services, LAB, job.id, completed(job))
    steps: list[Callable[[], object]] = [
        lambda: usecases.complete(services, OTHER, job.id, completed(job)),
        lambda: usecases.renew(services, OTHER, job.id, RenewRequest(token=job.token)),
        lambda: usecases.fail(services, OTHER, job.id, FailRequest(token=job.token, reason="x")),
    ]
    for step in steps:
        with pytest.raises(Forbidden):
            step()
    by_admin, by_holder = (usecases.complete(services, user, job.id, completed(job)) for user in (ADMIN, LAB))
    assert by_admin == by_holder


def test_the_same_content_again_gives_the_same_labels_and_other_content_or_an_older_token_does_not(
    services: Services, job: JobView
) -> None:
    first, again = (usecases.complete(services, LAB, job.id, completed(job)) for _ in range(2))
    assert first == again
    for changes in ({"provenance": {}}, {"token": job.token + 1}):
        with pytest.raises(LeaseLost):
            usecases.complete(services, LAB, job.id, completed(job, **changes))


def test_labels_that_are_not_openlabel_leave_the_job_leased(services: Services, job: JobView) -> None:
    with pytest.raises(InvalidInput):
        usecases.complete(services, LAB, job.id, completed(job, openlabel={}))
    assert usecases.count(services, LAB).tasks["auto"]["leased"] == 1
