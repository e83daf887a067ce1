"""The report of a backtest that is attached to a campaign's version: what is sent, and what approvers get."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from triggers.contracts.api.backtests.requests import MAX_PROGRAMS
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.contracts.api.base import View
from triggers.contracts.api.campaigns import ReportSummaryView
from triggers.contracts.base import Contract


class AttachReportRequest(Contract):
    """A report, or a backtest of your own on this deployment whose report it is."""

    report: StatedReport | None = None
    backtest: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[!-~]+$")] | None = None
    program: Annotated[int, Field(ge=0, lt=MAX_PROGRAMS)] = 0
    """Which of the backtest's programs, from 0."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.report is None) == (self.backtest is None):
            raise ValueError("give either `report`, or `backtest`, the id of one of your own")
        if self.report is not None and self.program:
            raise ValueError("`program` is one of a `backtest`; a report has all of its programs")
        return self


class AttachedReportView(View):
    """A report as it was attached. `withheld` names what is left out for who sees place cells only."""

    campaign: str
    version: int
    attached: ReportSummaryView
    withheld: list[str]
    document: StatedReport
