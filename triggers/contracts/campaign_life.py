"""The life of a campaign version: a table of its steps, and its first and last day.

Everything that changes a version's state (an author, an approver, the steward) takes one of these steps, by
compare-and-swap on the state: a step is refused from a state that it does not start from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from triggers.contracts.campaign import ENDED, RUNNING, CampaignSettings, CampaignState
from triggers.errors import Conflict


@dataclass(frozen=True, slots=True)
class CampaignStep:
    """One step. `name` is a participle, as in "cannot be paused"."""

    name: str
    from_states: tuple[CampaignState, ...]
    to: CampaignState

    @property
    def changes_what_runs(self) -> bool:
        """Whether this step may change the set of campaigns that vehicles run."""
        return any(state in RUNNING for state in (*self.from_states, self.to))

    def refused(self, campaign: str, version: int, state: CampaignState) -> Conflict:
        """The error for a version in a state that this step does not start from."""
        return Conflict(
            f"{campaign} version {version} is {state} and cannot be {self.name}",
            remedy=f"this is only possible in the state {' or '.join(self.from_states)}",
        )


SUBMIT = CampaignStep("submitted", (CampaignState.DRAFT,), CampaignState.SUBMITTED)
APPROVE = CampaignStep("approved", (CampaignState.SUBMITTED,), CampaignState.APPROVED)
REJECT = CampaignStep("rejected", (CampaignState.SUBMITTED,), CampaignState.DRAFT)
ACTIVATE = CampaignStep("activated", (CampaignState.APPROVED,), CampaignState.ACTIVE)
PAUSE = CampaignStep("paused", (CampaignState.ACTIVE,), CampaignState.PAUSED)
RESUME = CampaignStep("resumed", (CampaignState.PAUSED,), CampaignState.ACTIVE)
HOLD = CampaignStep("held", (CampaignState.ACTIVE,), CampaignState.ACTIVE)
RELEASE = CampaignStep("resumed", (CampaignState.ACTIVE,), CampaignState.ACTIVE)
COMPLETE = CampaignStep("completed", RUNNING, CampaignState.COMPLETED)
STOP = CampaignStep("stopped", tuple(state for state in CampaignState if state not in ENDED), CampaignState.STOPPED)

STEPS = (SUBMIT, APPROVE, REJECT, ACTIVATE, PAUSE, RESUME, HOLD, RELEASE, COMPLETE, STOP)


def has_begun(settings: CampaignSettings, today: date) -> bool:
    """Whether the campaign's first day has been reached; `today` is a UTC date."""
    return settings.active_from is None or settings.active_from <= today


def is_over(settings: CampaignSettings, today: date) -> bool:
    """Whether the campaign's last day (inclusive) has passed; `today` is a UTC date."""
    return settings.active_to is not None and settings.active_to < today
