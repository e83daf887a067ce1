"""Whether the API is alive and ready."""

from __future__ import annotations

from fleet_api.client.transport import Transport
from triggers.contracts.api.health import HealthView


class Health:
    """What `client.health` can do; no token is needed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def live(self) -> HealthView:
        """Whether the process answers; raises Unreachable if it does not."""
        return self._transport.get(HealthView, "/healthz")

    def ready(self) -> HealthView:
        """Whether its database answers and has the schema that it needs; raises an error if not."""
        return self._transport.get(HealthView, "/readyz")
