"""Reports of limited size, for pages and approvals, from what `longtail backtest --json` writes or a job gave."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import ValidationError

from triggers.contracts.api.backtests.reports import BreakdownReportView, ReportView
from triggers.contracts.api.backtests.stated import (
    MAX_STATED_BREAKDOWNS,
    MAX_STATED_DRIVES,
    MAX_STATED_FIRES,
    MAX_STATED_TEXT,
    StatedFire,
    StatedReport,
    WhatRan,
)
from triggers.errors import InvalidInput

_AGAIN = "run the backtest again with this release of Longtail: `longtail backtest ... --json FILE`"


def stated_of_json(document: Mapping[str, Any], *, what: str, at: datetime | None = None) -> StatedReport:
    """A report as `longtail backtest --json` writes it; InvalidInput for anything else, naming `what` it was.

    `at` is when it ran.
    """
    if "run" not in document:
        raise InvalidInput(f"{what} does not say what ran: an earlier release wrote it", remedy=_AGAIN)
    try:
        fires = [StatedFire.model_validate(fire) for fire in islice(document["fires"], MAX_STATED_FIRES)]
        parts = {key: value for key, value in document.items() if key not in ("run", "fires")}
        report = ReportView.model_validate(_showable(_with_names(parts)))
        run = WhatRan.model_validate_json(json.dumps(document["run"])).model_copy(update={"at": at})
        return bounded(report, run, fires, in_all=len(document["fires"]))
    except (KeyError, TypeError, AttributeError, ValueError, ValidationError) as error:
        raise InvalidInput(
            f"{what} has another form than the reports of this release ({type(error).__name__})", remedy=_AGAIN
        ) from error


def bounded(report: ReportView, run: WhatRan, fires: Iterable[StatedFire], *, in_all: int) -> StatedReport:
    """A report with the drives and the breakdowns of triggers with the most fires, and the first of `in_all` fires."""
    order = sorted(range(len(report.by_drive)), key=lambda place: -report.by_drive[place].fires)
    kept = sorted(order[:MAX_STATED_DRIVES])
    by_drive = [report.by_drive[place] for place in kept]
    names = {each.drive for each in by_drive}
    events = [
        each.model_copy(update={"by_drive": {name: counts for name, counts in each.by_drive.items() if name in names}})
        for each in report.events
    ]
    shown = tuple(islice(fires, MAX_STATED_FIRES))
    breakdown, breakdowns_left_out = _most_fires(report)
    changes = {"by_drive": by_drive, "events": events, "breakdown": breakdown}
    return StatedReport(
        run=run,
        report=ReportView.model_validate(_showable(report.model_copy(update=changes).model_dump())),
        drives_left_out=len(report.by_drive) - len(by_drive),
        fires=shown,
        fires_left_out=max(0, in_all - len(shown)),
        breakdowns_left_out=breakdowns_left_out,
    )


def _most_fires(report: ReportView) -> tuple[BreakdownReportView | None, int]:
    """The breakdown of the triggers with the most fires, in their order, and of how many that fired it is left out."""
    found = report.breakdown
    if found is None:
        return None, 0
    fires = {name: sum(each.fires for each in bins.speed) for name, bins in found.triggers.items()}
    fired = sorted((name for name in fires if fires[name]), key=lambda name: -fires[name])
    kept = set(fired[:MAX_STATED_BREAKDOWNS])
    triggers = {name: bins for name, bins in found.triggers.items() if name in kept}
    return found.model_copy(update={"triggers": triggers}), len(fired) - len(kept)


def _with_names(document: dict[str, Any]) -> dict[str, Any]:
    """The document with drives by name instead of by path, as the paths of an author's machine are nobody else's."""
    names = {each["path"]: each["drive"] for each in document["by_drive"] if each.get("path")}

    def named(reason: str) -> str:
        for path in sorted((path for path in names if path in reason), key=len, reverse=True):
            reason = reason.replace(path, names[path])
        return reason

    left_out = [each | {"reason": named(each["reason"])} for each in document["left_out"]]
    failed = [{"drive": "", "problem": str(each), "remedy": ""} for each in document["failed_drives"]]
    return document | {"left_out": left_out, "failed_drives": failed}


def _showable(value: Any) -> Any:
    """A document without infinite numbers, which JSON has not, and with long texts cut."""
    if isinstance(value, dict):
        return {_showable(key): _showable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_showable(each) for each in value]
    if isinstance(value, str) and len(value) > MAX_STATED_TEXT:
        return value[: MAX_STATED_TEXT - 1] + "…"
    return None if isinstance(value, float) and not math.isfinite(value) else value
