"""Routes of authoring: what an editor asks while an author types. Both only ask, and change nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from fleet_api.authoring import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import MIB, json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.authoring.checks import CheckRequest, CheckView
from triggers.contracts.api.authoring.vocabulary import VocabularyRequest, VocabularyView
from triggers.errors import NotFound, Overloaded, TooMany

MAX_BODY_BYTES = 16 * MIB

router = APIRouter(prefix="/v1/authoring", tags=["authoring"], route_class=ApiRoute)


@router.post("/check", summary="Check a trigger text")
@raises(NotFound, TooMany, Overloaded)
def check_text(
    services: Use, user: Caller, body: Annotated[CheckRequest, json_body(CheckRequest, limit_bytes=MAX_BODY_BYTES)]
) -> CheckView:
    """Every mistake in a trigger text, where it is, and what to write instead; nothing is kept.

    A text with mistakes is a 200 as well. `formatted` asks for the text as `longtail fmt` writes it, `explained` for
    what its programs cost on a vehicle, `constants` for the numbers of its conditions, with ranges to try.
    """
    return usecases.check(services, user, body)


@router.post("/vocabulary", summary="List what a trigger text may name")
@raises(NotFound, TooMany, Overloaded)
def list_vocabulary(
    services: Use,
    user: Caller,
    body: Annotated[VocabularyRequest, json_body(VocabularyRequest, limit_bytes=MAX_BODY_BYTES)],
) -> VocabularyView:
    """The words of the language with their meaning, its units, and the signals, heads, attributes and cameras of a
    signal catalog."""
    return usecases.vocabulary(services, user, body)
