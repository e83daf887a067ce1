"""Outcomes of fires and uploads: counts per campaign version, dead letters, and alerts."""

from __future__ import annotations

from collections.abc import Iterator

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.outcomes import (
    DeadLetterPage,
    DeadLetterView,
    LetterStage,
    LetterState,
    OutcomesList,
)
from triggers.contracts.api.watching.alerts import AlertList

PAGE = 100


class Outcomes:
    """What `client.outcomes` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def count(self, campaign: str | None = None) -> OutcomesList:
        """Counts of every campaign version, or of one campaign's, and open dead letters by reason."""
        return self._transport.get(OutcomesList, path_of("outcomes"), {"campaign": campaign})


class Alerts:
    """What `client.alerts` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def current(self) -> AlertList:
        """What is wrong, since when, and what to do about it, as evaluated within the last minute or so."""
        return self._transport.get(AlertList, path_of("alerts"))


class DeadLetters:
    """What `client.dead_letters` can do. `page` is the number of letters per request."""

    def __init__(self, transport: Transport, *, page: int = PAGE) -> None:
        self._transport = transport
        self._page = page

    def list(
        self, *, state: LetterState = "open", stage: LetterStage | None = None, limit: int | None = None
    ) -> Iterator[DeadLetterView]:
        """Dead letters, newest first, page after page, at most `limit`."""
        return self._transport.pages(
            DeadLetterPage,
            path_of("dead-letters"),
            lambda page: page.dead_letters,
            by="before",
            size=self._page,
            parameters={"state": state, "stage": stage},
            limit=limit,
        )

    def discard(self, letter_id: int) -> None:
        """Erase the data kept with a letter; the letter and its reason remain. Raises Conflict if it is not open."""
        self._transport.act(path_of("dead-letters", letter_id, "discard"))
