"""Usage: clips, bytes and reported counts, summed by what they are counted by."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.base import View

UsageDimension = Literal["campaign", "version", "trigger", "region", "model", "network"]
UsageTime = Literal["hour", "day", "month"]
UsageKey = Literal["month", "day", "hour", "campaign", "version", "trigger", "region", "model", "network"]
"""By what usage can be grouped. Times are in UTC."""
MAX_LISTED_USAGE = 10_000


class UsageView(View):
    """What a group used. Keys that it is not grouped by are null; what is not known, or does not apply, is ''.

    Reports of vehicles have no network; of what they report only `fires` have a trigger, as vehicles count all else for
    a campaign version as a whole.
    """

    month: datetime | None = None
    day: datetime | None = None
    hour: datetime | None = None
    campaign: str | None = None
    version: int | None = None
    """0 for clips that were erased before usage was counted."""
    trigger: str | None = None
    region: str | None = None
    model: str | None = None
    network: str | None = None
    clips: int
    """Stored clips. One with fires of several triggers is one clip of each, so these are not to be summed."""
    kept_fires: int
    """Fires in these clips."""
    clip_bytes: int
    """What the fires in these clips are charged: all of them together, the clips' sizes."""
    wire_bytes: int
    """What came over the network for clips, stored or not, with everything that was sent again."""
    fires: int
    """As reported by vehicles, like all that follow."""
    suppressed: int
    sampled_out: int
    """Fires that did not become clips, like the next three; what is on its way is in none of them."""
    refused: int
    dropped: int
    failed: int
    armed_ns: int
    distance_m: int


class UsageList(BaseModel):
    """Groups in the order of their keys; pass `next` as `after` to continue, null at the end.

    `since` and `until` are the whole hours that were counted; to continue, pass these.
    """

    since: datetime
    until: datetime
    groups: list[UsageView]
    next: str | None
