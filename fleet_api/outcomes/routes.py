"""What became of fires and uploads: counts that add up, and the dead letters."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from fleet_api.api.auth import Operator, Viewer
from fleet_api.api.routing import Route
from fleet_api.api.services import Use
from ingest.http.raising import raises
from storage.counts.outcomes import outcomes
from storage.uploads import dead_letters
from triggers.contracts.api.outcomes import (
    MAX_LISTED_LETTERS,
    CampaignOutcomesView,
    DeadLetterPage,
    DeadLetterView,
    LetterStage,
    LetterState,
    OutcomesList,
)
from triggers.errors import Conflict

LetterId = Annotated[int, Path(ge=1, le=2**63 - 1)]

router = APIRouter(prefix="/v1", tags=["outcomes"], route_class=Route)


@router.get("/outcomes", summary="Count outcomes")
def count_outcomes(
    services: Use, _user: Viewer, campaign: Annotated[str | None, Query(max_length=64)] = None
) -> OutcomesList:
    """What became of every fire that vehicles have reported: per campaign version the counts add up to `fired`."""
    with services.database.begin() as connection:
        counted = outcomes(connection, campaign)
        letters = dead_letters.count_open(connection)
    rows = [CampaignOutcomesView(campaign=key[0], version=key[1], **asdict(each)) for key, each in counted.items()]
    return OutcomesList(outcomes=rows, dead_letters=letters)


@router.get("/dead-letters", summary="List dead letters")
def list_dead_letters(
    services: Use,
    _user: Viewer,
    state: LetterState = "open",
    stage: LetterStage | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED_LETTERS)] = 100,
) -> DeadLetterPage:
    """What could not go on, with its reason, newest first."""
    with services.database.begin() as connection:
        found = dead_letters.listing(connection, state=state, stage=stage, before_id=before, limit=limit)
    return DeadLetterPage(
        dead_letters=[DeadLetterView.model_validate(letter) for letter in found],
        next=found[-1].id if len(found) == limit else None,
    )


@router.post("/dead-letters/{letter_id}/discard", status_code=204, summary="Discard a dead letter")
@raises(Conflict)
def discard_dead_letter(services: Use, _user: Operator, letter_id: LetterId) -> None:
    """Erase what is kept of it; that it was there, and why, stays."""
    with services.database.begin() as connection:
        object_key = dead_letters.discard(connection, letter_id)
    if object_key is not None:
        services.store.delete(object_key)
