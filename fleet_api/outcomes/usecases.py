"""Use cases for outcomes: count what became of fires, and list and discard dead letters."""

from __future__ import annotations

from dataclasses import asdict

from fleet_api.services import Services
from storage import audit
from storage.campaigns.queries import get_versions
from storage.counts.outcomes import outcomes
from storage.erasure import objects
from storage.uploads import dead_letters
from triggers.contracts.api.outcomes import (
    CampaignOutcomesView,
    DeadLetterPage,
    DeadLetterView,
    LetterStage,
    LetterState,
    OutcomesList,
)
from triggers.contracts.users import Role, User


def count_outcomes(services: Services, user: User, *, campaign: str | None) -> OutcomesList:
    """Outcomes of the versions of one campaign or all campaigns, and open dead letters by reason.

    NotFound without such a campaign.
    """
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        if campaign is not None:
            get_versions(connection, campaign, limit=1)
        counted = outcomes(connection, campaign)
        letters = dead_letters.count_open(connection)
    rows = [
        CampaignOutcomesView(campaign=name, version=version, **asdict(counts))
        for (name, version), counts in counted.items()
    ]
    return OutcomesList(outcomes=rows, dead_letters=letters)


def list_dead_letters(
    services: Services, user: User, *, state: LetterState, stage: LetterStage | None, before: int | None, limit: int
) -> DeadLetterPage:
    """Dead letters whose id is lower than `before`, newest first, at most `limit`."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        letters = dead_letters.listing(connection, state=state, stage=stage, before_id=before, limit=limit)
    return DeadLetterPage(
        dead_letters=[DeadLetterView.model_validate(letter) for letter in letters],
        next=letters[-1].id if len(letters) == limit else None,
    )


def discard_dead_letter(services: Services, user: User, letter_id: int) -> None:
    """Erase the content kept for a dead letter; NotFound when there is none, Conflict when it is no longer open.

    Its object is deleted after the commit, by the steward, so that no open letter ever names an object that is gone.
    """
    user.require(Role.OPERATOR)
    with services.database.begin() as connection:
        letter, _ = dead_letters.get(connection, letter_id)
        object_key = dead_letters.discard(connection, letter_id)
        before = {"state": letter.state, "stage": letter.stage, "reason": letter.reason, "fires": letter.fires}
        if object_key is not None:
            objects.add(connection, [object_key])
        audit.record(connection, user, "dead_letter.discard", "dead letter", str(letter_id), before=before)
