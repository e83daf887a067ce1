"""A webhook that is told of alerts: each once when it fires, and once when it is over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import httpx

from fleet_api.watching.alerts.evaluate import Alert, resolved
from fleet_api.watching.alerts.state import State
from triggers.addresses import is_protected, web_origin
from triggers.errors import Misconfigured, Unreachable

TIMEOUT_S = 15.0


class Webhook:
    """An address that takes JSON by POST. It is a secret: messages name its host only."""

    def __init__(self, url: str) -> None:
        """Misconfigured for an address over which others could read what is told."""
        if not is_protected(url):
            raise Misconfigured(
                "the webhook is not an https:// address", remedy="use https, or an address of this machine"
            )
        self._url = url

    def tell(
        self, alerts: Iterable[Alert], state: State, save: Any, *, is_complete: bool = True
    ) -> tuple[int, Unreachable | None]:
        """Tell of what is new and of what is over; returns how many messages there were, and why one was not taken.

        `save` is called after each, so that a crash repeats one message at most; that one has the same
        Idempotency-Key. A message that the webhook does not take is sent again the next time, and holds up no other.
        """
        told, problem = 0, None
        alerts = list(alerts)
        new = [alert for alert in alerts if alert.is_firing and not state.held[alert.key].told]
        over = resolved(state, alerts, is_complete=is_complete)
        messages = [
            *((alert.key, _message(alert)) for alert in new),
            *((key, _end_of(key, state.held[key].since_s)) for key in over),
        ]
        for key, message in messages:
            try:
                self._post(message)
            except Unreachable as error:
                problem = error
                continue
            if key in over:
                del state.held[key]
            else:
                state.held[key].told = True
            save()
            told += 1
        return told, problem

    def _post(self, message: dict[str, Any]) -> None:
        identity = json.dumps([message[name] for name in ("status", "alert", "labels", "since")], sort_keys=True)
        headers = {"Idempotency-Key": hashlib.sha256(identity.encode()).hexdigest()}
        try:
            answer = httpx.post(self._url, json=message, headers=headers, timeout=TIMEOUT_S)
        except httpx.HTTPError as error:
            raise Unreachable(
                f"the webhook at {web_origin(self._url)} did not answer: {type(error).__name__}"
            ) from error
        if not answer.is_success:
            raise Unreachable(f"the webhook at {web_origin(self._url)} answered {answer.status_code}")


def _message(alert: Alert) -> dict[str, Any]:
    return {
        "status": "firing",
        "alert": alert.rule.name,
        "severity": alert.rule.severity,
        "labels": dict(alert.labels),
        "value": alert.value if abs(alert.value) < float("inf") else None,
        "summary": alert.summary,
        "remedy": alert.remedy,
        "since": _time(alert.since_s),
    }


def _end_of(key: str, since_s: float) -> dict[str, Any]:
    name, labels = json.loads(key)
    return {"status": "resolved", "alert": name, "labels": dict(labels), "since": _time(since_s)}


def _time(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")
