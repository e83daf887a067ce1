"""Alerts as they are shown: by the API as it keeps them, and by the command line."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from fleet_api.watching.alerts.evaluate import Alert
from triggers.contracts.api.watching.alerts import AlertView


def alert_view(alert: Alert, *, lacking: Collection[str] = ()) -> AlertView:
    """An alert as it is shown, without the labels that say nothing where it is."""
    return AlertView(
        alert=alert.rule.name,
        severity=alert.rule.severity,
        state="firing" if alert.is_firing else "pending",
        labels={name: value for name, value in sorted(alert.labels) if name not in lacking},
        value=alert.value if math.isfinite(alert.value) else None,
        since=datetime.fromtimestamp(alert.since_s, UTC),
        summary=alert.summary,
        remedy=alert.remedy,
    )


def views_of(stored: Sequence[object]) -> list[AlertView]:
    """The alerts of an evaluation that was kept."""
    return [AlertView.model_validate(each) for each in stored]
