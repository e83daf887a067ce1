"""The summary of a demonstration: counts per campaign that add up, clips, and, if the loop did not close, why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from triggers.contracts.api.outcomes import FIRE_OUTCOMES, OutcomesView


@dataclass(frozen=True)
class CampaignResult:
    """A campaign's fires: what the backtest predicted, what the vehicles counted, and how each one ended."""

    campaign: str
    predicted: int
    fired: int
    suppressed: int
    sampled_out: int
    refused: int
    dropped: int
    failed: int
    catalogued: int
    in_flight: int

    @classmethod
    def of(cls, campaign: str, outcomes: OutcomesView | None, predicted: int) -> CampaignResult:
        """The result from the API's outcomes, summed over reasons; `outcomes` is None if no vehicle reported any."""
        names = (*FIRE_OUTCOMES, "fired", "suppressed")
        values = {name: getattr(outcomes, name, 0) for name in names}
        counts = {name: sum(value.values()) if isinstance(value, dict) else value for name, value in values.items()}
        return cls(campaign=campaign, predicted=predicted, **counts)

    @property
    def ended(self) -> int:
        """The number of fires that are accounted for; equal to `fired` if the counts add up."""
        return sum(getattr(self, name) for name in FIRE_OUTCOMES)


@dataclass(frozen=True)
class ClipResult:
    """A clip in the catalog. `seconds` are its fires' times from the drive's start, `moments` the same in words."""

    id: str
    state: str
    drive: str
    vehicle_id: str
    triggers: list[str]
    campaigns: list[str]
    seconds: list[float]
    moments: list[str]
    span_s: tuple[float, float]
    size_bytes: int
    digest: str
    fires: int
    labels: list[str]
    file: str = ""
    thumbnail: str = ""


@dataclass
class Summary:
    """A run's result. `uploads` are the clips that vehicles handed over, `objects` the clip files in the store.

    `data_dir` and `console_token` are empty unless the deployment's data is kept.
    """

    drives: list[str]
    vehicles: int
    campaigns: list[CampaignResult]
    clips: list[ClipResult]
    uploads: int
    objects: int
    labeled: int
    dead_letters: int
    uploaded_bytes: int
    predicted_bytes: int
    seconds: float = 0.0
    results_dir: str = ""
    problems: list[str] = field(default_factory=list)
    data_dir: str = ""
    console_token: str = ""

    def gaps(self) -> list[str]:
        """The reasons why the loop did not close, one line each; empty if it closed."""
        gaps = [line for result in self.campaigns for line in _gaps_of(result)]
        if not any(result.catalogued for result in self.campaigns):
            gaps.append("no fire reached the catalog: the triggers did not fire, or no vehicle matches a target")
        gaps += [f"clip {clip.id} is {clip.state}" for clip in self.clips if clip.state != "ready"]
        clips = len(self.clips)
        for name, count in (("uploaded", self.uploads), ("stored", self.objects), ("labelled", self.labeled)):
            if count != clips:
                gaps.append(f"clips {name}: {count}, but in the catalog: {clips}")
        in_clips = sum(clip.fires for clip in self.clips)
        catalogued = sum(result.catalogued for result in self.campaigns)
        if in_clips != catalogued:
            gaps.append(f"fires in the clips: {in_clips}, but counted as catalogued: {catalogued}")
        if self.dead_letters:
            gaps.append(f"open dead letters: {self.dead_letters}")
        return gaps

    def document(self) -> dict[str, Any]:
        """As JSON values, with whether the loop closed."""
        return {**asdict(self), "closed": not self.gaps(), "gaps": self.gaps()}


def _gaps_of(result: CampaignResult) -> list[str]:
    gaps = []
    if result.ended != result.fired:
        gaps.append(f"{result.campaign}: fires {result.fired}, but outcomes {result.ended}")
    if result.in_flight:
        gaps.append(f"{result.campaign}: fires still in flight: {result.in_flight}")
    return gaps
