"""Routes for the outcomes of fires and for dead letters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.outcomes import usecases
from ingest.http.raising import raises
from triggers.contracts.api.outcomes import (
    MAX_LISTED_LETTERS,
    DeadLetterPage,
    LetterStage,
    LetterState,
    OutcomesList,
)
from triggers.errors import Conflict, NotFound

LetterId = Annotated[int, Path(ge=1, le=2**63 - 1)]

router = APIRouter(prefix="/v1", tags=["outcomes"], route_class=ApiRoute)


@router.get("/outcomes", summary="Count outcomes")
@raises(NotFound)
def count_outcomes(
    services: Use, user: Caller, campaign: Annotated[str | None, Query(max_length=64)] = None
) -> OutcomesList:
    """What became of every fire that vehicles have reported: per campaign version the counts add up to `fired`."""
    return usecases.count_outcomes(services, user, campaign=campaign)


@router.get("/dead-letters", summary="List dead letters")
def list_dead_letters(
    services: Use,
    user: Caller,
    *,
    state: LetterState = "open",
    stage: LetterStage | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next` of the previous page.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED_LETTERS)] = 100,
) -> DeadLetterPage:
    """What could not be processed, with the reason, newest first."""
    return usecases.list_dead_letters(services, user, state=state, stage=stage, before=before, limit=limit)


@router.post("/dead-letters/{letter_id}/discard", status_code=204, summary="Discard a dead letter")
@raises(Conflict)
def discard_dead_letter(services: Use, user: Caller, letter_id: LetterId) -> None:
    """Erase the content that was kept; the letter itself and its reason stay."""
    usecases.discard_dead_letter(services, user, letter_id)
