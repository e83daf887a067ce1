"""The report of a backtest as its author states it to approvers: what ran, what it gave, and fires to be drawn.

Nobody but the author has seen the drives. What binds it to a campaign's version are the digests of the programs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from triggers.contracts.api.backtests.reports import ReportView
from triggers.contracts.base import Contract, Name, Sha256Hex, ShortText
from triggers.contracts.campaign import CampaignSettings
from triggers.contracts.limits import MAX_SOURCE_BYTES

MAX_REPORT_BYTES = 4 * 1024**2
"""Of a report as JSON."""
MAX_STATED_DRIVES = 500
MAX_STATED_FIRES = 5000
MAX_STATED_BREAKDOWNS = 20
"""Triggers whose fires are told by speed, place and hour."""
MAX_STATED_TEXT = 4000
"""Characters of one text of a report, the trigger file apart."""
_MAX_NUMBER = 2**63
DriveName = Annotated[str, StringConstraints(max_length=1000)]


def _of_this_age(at: datetime) -> datetime:
    """A time that has one in every zone, and that a report can have."""
    if not 2000 <= at.year < 3000:
        raise ValueError("a report is of a time from the year 2000 on")
    return at


class RanCampaign(Contract):
    """A campaign of the file: its settings, and the digest of its program."""

    settings: CampaignSettings
    digest: Sha256Hex


class WhatRan(Contract):
    """What a backtest ran, when, and by which release of Longtail.

    `at` is not in what `longtail backtest --json` writes, which is the same byte for byte whenever it runs.
    `longtail` is the release, null where that is not known.
    `source` is the trigger file with its imports and with the values of its params, `catalog` the name that its author
    gave the signal catalog, and `catalog_digest` the SHA-256 of its text.
    """

    at: Annotated[AwareDatetime, AfterValidator(_of_this_age)] | None = None
    longtail: ShortText | None = None
    file: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    source: Annotated[str, StringConstraints(max_length=MAX_SOURCE_BYTES)]
    catalog: ShortText
    catalog_digest: Sha256Hex
    campaigns: Annotated[tuple[RanCampaign, ...], Field(max_length=1000)]


class StatedFire(Contract):
    """A fire, in seconds of its drive's own clock."""

    trigger: Name
    drive: DriveName
    t: float


class StatedReport(Contract):
    """A report of limited size: of many drives those with the most fires, of many fires the first.

    `drives_left_out` and `fires_left_out` say how many more there were; the counts of `report` are those of all.
    `breakdowns_left_out` says of how many more triggers fires were told by speed, place and hour.
    """

    run: WhatRan
    report: ReportView
    drives_left_out: Annotated[int, Field(ge=0, lt=2**53)] = 0
    fires: Annotated[tuple[StatedFire, ...], Field(max_length=MAX_STATED_FIRES)]
    fires_left_out: Annotated[int, Field(ge=0, lt=2**53)] = 0
    breakdowns_left_out: Annotated[int, Field(ge=0, lt=2**53)] = 0

    @model_validator(mode="after")
    def _can_be_shown(self) -> Self:
        """It is shown again and again, so what cannot be must not be kept."""
        if len(self.report.by_drive) > MAX_STATED_DRIVES:
            raise ValueError(f"`by_drive` has more than {MAX_STATED_DRIVES} drives; leave out those with fewer fires")
        if self.report.breakdown is not None and len(self.report.breakdown.triggers) > MAX_STATED_BREAKDOWNS:
            raise ValueError(
                f"`breakdown` has more than {MAX_STATED_BREAKDOWNS} triggers; leave out those with fewer fires"
            )
        for value in _values(self.report.model_dump()):
            if isinstance(value, str) and len(value) > MAX_STATED_TEXT:
                raise ValueError(f"a text of the report has more than {MAX_STATED_TEXT} characters")
            if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) < _MAX_NUMBER):
                raise ValueError("a number of the report is not finite, or beyond 2^63")
        return self


def _values(document: Any) -> Iterator[Any]:
    """The texts and numbers of a document, its keys among them."""
    if isinstance(document, dict):
        yield from document
        document = list(document.values())
    if isinstance(document, list | tuple):
        for each in document:
            yield from _values(each)
    else:
        yield document
