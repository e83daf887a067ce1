"""The settings of a campaign: triggers and their capture windows, target, rollout, sampling and budget."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from triggers.contracts.base import AttributeValue, Contract, Name, ShortText, SignalName
from triggers.contracts.compared import Sides
from triggers.times import NS_PER_S

MAX_TRIGGERS = 1000
MAX_TARGET_OPERANDS = 100
MAX_TARGET_VALUES = 1000
MAX_COMPARES = 100
"""How many heads a campaign may compare, sample by sample and event by event each."""
MAX_EVENT_WINDOW_NS = 60 * NS_PER_S
"""How far apart the rises of two sides may be that are the same event."""

MAX_CAPTURE_NS = 10 * 60 * NS_PER_S
DEFAULT_RECORDING_NS = 60 * NS_PER_S
"""The longest capture (before and after a fire, added up), unless a vehicle or signal catalog states another."""


class CampaignState(StrEnum):
    """The state of a campaign version.

    draft → submitted → approved → active ⇄ paused → completed or stopped. Any state but the last two can be stopped.
    """

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"


RUNNING = (CampaignState.ACTIVE, CampaignState.PAUSED)
"""The states of a version that vehicles have; at most one version of a campaign is in one of them."""
ENDED = (CampaignState.COMPLETED, CampaignState.STOPPED)
"""The final states."""


class HaltKind(StrEnum):
    """Why the stages of a rollout do not count: no vehicle has the version, or those of the stage alone keep it."""

    PAUSED = "paused"
    HELD = "held"


class Network(StrEnum):
    """Class of the network that an upload uses; budgets and prices differ by it."""

    WIFI = "wifi"
    CELLULAR = "cellular"


DayRule = Literal["keep", "drop"]
"""What becomes of a clip that the budget of a vehicle's day refuses."""


def _is_missing(value: object) -> bool:
    return value is None


class CaptureWindow(Contract):
    """What a fire records: a window around it, and the signals and cameras in it (with wildcards expanded)."""

    before_ns: Annotated[int, Field(ge=0, le=MAX_CAPTURE_NS)]
    after_ns: Annotated[int, Field(ge=0, le=MAX_CAPTURE_NS)]
    signals: tuple[SignalName, ...]
    cameras: tuple[Name, ...] = ()
    on_change: Annotated[tuple[SignalName, ...], Field(exclude_if=operator.not_)] = ()
    """Those of the signals that are only sent when they change; a clip begins with the value that they have then."""
    lists: Annotated[dict[SignalName, tuple[Name, ...]], Field(exclude_if=operator.not_)] = {}
    """Those of the signals that are lists of objects, each with its key and its value fields, as samples have them."""


def budget_owner(campaign: str, trigger: str | None) -> str:
    """Whose budget it is, as refusals, reports and tables name it: a campaign's, or that of a trigger in it.

    >>> budget_owner("city", None), budget_owner("city", "cut_in")
    ('city', 'city.cut_in')
    """
    return f"{campaign}.{trigger}" if trigger else campaign


def owner_parts(name: str) -> tuple[str, str]:
    """The campaign and the trigger ('': the campaign itself) that `budget_owner` names so.

    >>> owner_parts("city"), owner_parts("city.cut_in")
    (('city', ''), ('city', 'cut_in'))
    """
    campaign, _, trigger = name.partition(".")
    return campaign, trigger


class BudgetLimits(Contract):
    """Limits of a campaign or a trigger, in bytes and clips; None for a limit that is not set. At least one is set."""

    vehicle_day_bytes: Annotated[int, Field(gt=0)] | None = None
    vehicle_day_clips: Annotated[int, Field(gt=0)] | None = Field(default=None, exclude_if=_is_missing)
    """Left out where there is none, since vehicles of before know no such member."""
    total_bytes: Annotated[int, Field(gt=0)] | None = None
    clips: Annotated[int, Field(gt=0)] | None = None
    when_day_is_spent: DayRule = Field(default="keep", exclude_if=lambda rule: rule == "keep")
    """Whether a clip that the budget of a vehicle's day refuses waits for the next day. Left out when it does, since
    vehicles of before know no such member."""


class TriggerSettings(Contract):
    """A trigger as the vehicle's host needs it; its condition is in the program under the same name."""

    name: Name
    describe: ShortText = ""
    cooldown_ns: Annotated[int, Field(ge=0)]
    capture: CaptureWindow
    tags: tuple[str, ...] = ()
    sample_one_in: Annotated[int, Field(ge=1)] | None = Field(default=None, exclude_if=_is_missing)
    """One of so many of its fires is kept, whatever its campaign says; None: what that says. Left out where there is
    none, as `priority` is, since vehicles of before know no such members."""
    priority: Annotated[int, Field(ge=0, le=100)] | None = Field(default=None, exclude_if=_is_missing)
    """That of its fires' clips, whatever its campaign says; None: what that says."""
    budget: BudgetLimits | None = Field(default=None, exclude_if=_is_missing)
    """Limits of what its fires may use in each campaign, beside the limits of the campaign."""


class Comparison(Contract):
    """`attribute op value(s)` in a target; unknown for a vehicle without the attribute."""

    kind: Literal["compare"] = "compare"
    attribute: str
    op: Literal["==", "!=", "<", "<=", ">", ">=", "in"]
    values: Annotated[tuple[AttributeValue, ...], Field(min_length=1, max_length=MAX_TARGET_VALUES)]
    reported: bool = Field(default=False, exclude_if=operator.not_)
    """Whether what the vehicle itself reports counts, where the fleet has recorded nothing. Left out when it does not,
    since vehicles of before know no such member."""
    as_versions: bool = Field(default=False, exclude_if=operator.not_)
    """Whether the values are versions (docs/language.md); unknown for a vehicle whose attribute is not one. Left out as
    above."""


class Junction(Contract):
    """`and`, `or` and `not` of targets (`not` has one operand)."""

    kind: Literal["and", "or", "not"]
    operands: Annotated[tuple[Target, ...], Field(min_length=1, max_length=MAX_TARGET_OPERANDS)]


Target = Annotated[Comparison | Junction, Field(discriminator="kind")]


class RolloutStage(Contract):
    """A share of the fleet (0 < share <= 1) for a duration; the last stage has no end."""

    share: Annotated[float, Field(gt=0, le=1)]
    duration_ns: Annotated[int, Field(gt=0)] | None = None


class UploadRoute(Contract):
    """A network that clips may be uploaded on, and the largest size of a clip on it (None: any size)."""

    network: Network
    up_to_bytes: Annotated[int, Field(gt=0)] | None = None


class EventComparison(Contract):
    """A bool head whose rises are matched on the vehicle, up to `within_ns` apart; with a driver's signal, or None."""

    head: SignalName
    within_ns: Annotated[int, Field(ge=1, le=MAX_EVENT_WINDOW_NS)]
    driver: SignalName | None = None

    @property
    def sides(self) -> tuple[Sides, ...]:
        """Whose rises are matched with whose."""
        return (Sides.ACTIVE_SHADOW,) if self.driver is None else tuple(Sides)


class CampaignSettings(Contract):
    """Everything about a campaign except its program; docs/language.md has the defaults."""

    name: Name
    describe: ShortText = ""
    triggers: Annotated[tuple[TriggerSettings, ...], Field(max_length=MAX_TRIGGERS)]
    compare: Annotated[tuple[SignalName, ...], Field(max_length=MAX_COMPARES)] = ()
    """Bool heads whose active and shadow values are counted on the vehicle."""
    events: Annotated[tuple[EventComparison, ...], Field(max_length=MAX_COMPARES, exclude_if=operator.not_)] = ()
    """Bool heads whose rises are matched on the vehicle, each head once. Left out where there are none, since vehicles
    of before know no such member."""
    target: Target | None = None
    rollout: Annotated[tuple[RolloutStage, ...], Field(min_length=1)] = (RolloutStage(share=1.0),)
    sample_one_in: Annotated[int, Field(ge=1)] = 1
    budget: BudgetLimits
    upload: Annotated[tuple[UploadRoute, ...], Field(min_length=1)] = (UploadRoute(network=Network.WIFI),)
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    active_from: date | None = None
    active_to: date | None = None
    retain_ns: Annotated[int, Field(gt=0)] | None = None

    def one_in(self, trigger: TriggerSettings) -> int:
        """One of how many fires of a trigger is kept: as the trigger says, else as the campaign."""
        return self.sample_one_in if trigger.sample_one_in is None else trigger.sample_one_in

    def priority_of(self, trigger: TriggerSettings) -> int:
        """The priority of a trigger's fires: as the trigger says, else as the campaign."""
        return self.priority if trigger.priority is None else trigger.priority

    @property
    def largest_upload_bytes(self) -> int | None:
        """The size of the largest clip that some network takes; None without a limit."""
        sizes = [route.up_to_bytes for route in self.upload]
        known = [size for size in sizes if size is not None]
        return max(known) if known and len(known) == len(sizes) else None


@dataclass(frozen=True, slots=True)
class RunningCampaign:
    """An active campaign version, with what is needed to assign it to vehicles."""

    campaign: str
    version: int
    settings: CampaignSettings
    bundle_digest: str
    rollout_from: datetime
    held_at: datetime | None = None
    """Since when its rollout is held in the stage that it had then."""


Junction.model_rebuild()
