"""Alerts in the API: what is wrong in a deployment, since when, and what to do about it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.base import View

AlertSeverity = Literal["critical", "warning", "info"]
AlertState = Literal["firing", "pending"]
"""`pending`: the condition holds, but not yet for as long as the rule wants."""


class AlertView(View):
    """A condition that holds for what its labels name, such as a campaign.

    `value` is the number that was compared, null where it is infinite.
    """

    alert: str
    severity: AlertSeverity
    state: AlertState
    labels: dict[str, str]
    value: float | None
    since: datetime
    summary: str
    remedy: str


class AlertList(BaseModel):
    """What holds, the worst first, as evaluated at `evaluated_at`; null before the first evaluation.

    `missing` are the sources of metrics that could not be read then: what they had told before is still listed.
    `elsewhere` are the rules that are about other processes than the API; Prometheus, or `longtail alerts` with the
    addresses of these processes, evaluates them.
    """

    evaluated_at: datetime | None
    alerts: list[AlertView]
    missing: list[str]
    elsewhere: list[str]
