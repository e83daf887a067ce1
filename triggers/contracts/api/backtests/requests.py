"""A backtest as it is asked for: one program or two, the drives or clips that they run over, and a forecast's fleet."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from triggers.contracts.api.campaigns import CatalogReference
from triggers.contracts.api.clips import MAX_FILTER_CHARACTERS
from triggers.contracts.base import Contract, Name
from triggers.contracts.limits import MAX_CATALOG_BYTES, MAX_SOURCE_BYTES

MAX_PROGRAMS = 2
MAX_CHOSEN_DRIVES = 200
MAX_CHOSEN_CLIPS = 1000
DEFAULT_CLIPS = 100
MAX_VEHICLES = 10**9
MAX_SWEEP_CHARACTERS = 2000

DriveName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""A recorded drive that the deployment offers, as `GET /v1/drives` names it; or the id of a clip."""


class ProgramRequest(Contract):
    """What to run: a trigger file with its signal catalog, or a campaign's version, which has both.

    `signals` is the text of a signal catalog, `catalog` names a published one. `campaign` and `version` are in place of
    all of them. `sweep` runs the program with several values of one of its params, too, such as `hold=100ms,300ms` or
    `hold=200ms..1s/5`, as `longtail backtest --sweep` does.
    """

    source: Annotated[str, Field(max_length=MAX_SOURCE_BYTES)] | None = None
    filename: Annotated[str, StringConstraints(min_length=1, max_length=300)] = "campaign.trigger"
    signals: Annotated[str, Field(max_length=MAX_CATALOG_BYTES)] | None = None
    catalog: CatalogReference | None = None
    campaign: Name | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    sweep: Annotated[str, StringConstraints(min_length=1, max_length=MAX_SWEEP_CHARACTERS)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.source is None:
            if self.campaign is None or self.version is None or self.signals is not None or self.catalog is not None:
                raise ValueError("give either `source` with a signal catalog, or `campaign` and `version`")
        elif self.campaign is not None or self.version is not None:
            raise ValueError("`campaign` and `version` take the place of `source`: give one of both")
        elif (self.signals is None) == (self.catalog is None):
            raise ValueError("give either `signals`, the text of a signal catalog, or `catalog`, a published one")
        return self


class ChosenClips(Contract):
    """The clips that a filter admits (all without one), the latest first; at most `limit`."""

    filter: Annotated[str, StringConstraints(max_length=MAX_FILTER_CHARACTERS)] | None = None
    filter_lang: Literal["cql2-text", "cql2-json"] = "cql2-text"
    limit: Annotated[int, Field(ge=1, le=MAX_CHOSEN_CLIPS)] = DEFAULT_CLIPS


class Over(Contract):
    """What a backtest runs over: drives by their names, or clips."""

    drives: Annotated[tuple[DriveName, ...], Field(min_length=1, max_length=MAX_CHOSEN_DRIVES)] | None = None
    clips: ChosenClips | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.drives is None) == (self.clips is None):
            raise ValueError("give either `drives`, names of recorded drives, or `clips`, a filter")
        if self.drives is not None and len(set(self.drives)) != len(self.drives):
            raise ValueError("`drives` names a drive twice")
        return self


class FleetRequest(Contract):
    """The fleet of the forecast; `sample` is to keep one in this many fires (null: as the campaigns say)."""

    vehicles: Annotated[int, Field(ge=1, le=MAX_VEHICLES)] = 1000
    hours_per_day: Annotated[float, Field(gt=0, le=24)] = 1.0
    sample: Annotated[int, Field(ge=1, le=10**9)] | None = None


class BacktestRequest(Contract):
    """Which programs to run over what. With two, each is reported alone, and what they do differently.

    With `breakdown` reports have fires by speed, place and hour.
    """

    programs: Annotated[tuple[ProgramRequest, ...], Field(min_length=1, max_length=MAX_PROGRAMS)]
    over: Over
    fleet: FleetRequest = FleetRequest()
    breakdown: bool = False

    @model_validator(mode="after")
    def _no_fleet_over_clips(self) -> Self:
        if self.over.clips is not None and self.fleet != FleetRequest():
            raise ValueError("`fleet` has no effect over clips, which are no sample of driving: leave it out")
        return self
