"""The API's routes, a subject a file."""

from __future__ import annotations

from fleet_api.routes import campaigns, clips, health, labels, objects, outcomes, vehicles

ROUTERS = tuple(module.router for module in (campaigns, vehicles, clips, labels, outcomes, objects, health))
