"""Whether the API lives and can work."""

from __future__ import annotations

from fleet_api.client.transport import Transport
from triggers.contracts.api.health import HealthView


class Health:
    """What `client.health` can do; no token is needed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def live(self) -> HealthView:
        """The process answers; Unreachable when it does not."""
        return self._transport.get(HealthView, "/healthz")

    def ready(self) -> HealthView:
        """The process can work: its database answers and has the schema it needs."""
        return self._transport.get(HealthView, "/readyz")
