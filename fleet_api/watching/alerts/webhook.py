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

    def tell(self, alerts: Iterable[Alert], state: State, save: Any) -> int:
        """Tell of what is new and of what is over; returns how many messages there were.

        `save` is called after each, so that a crash repeats one message at most; that one has the same
        Idempotency-Key. Unreachable when the webhook does not take one: it is told the next time.
        """
        told = 0
        alerts = list(alerts)
        for alert in alerts:
            held = state.held[alert.key]
            if alert.is_firing and not held.told:
                self._post(_message(alert))
                held.told = True
                save()
                told += 1
        for key in resolved(state, alerts):
            self._post(_end_of(key, state.held[key].since_s))
            del state.held[key]
            save()
            told += 1
        return told

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
