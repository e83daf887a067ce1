"""Whether a process of the cloud lives and can work."""

from __future__ import annotations

from pydantic import BaseModel


class HealthView(BaseModel):
    """`status` is `ok`; anything else is a problem document. `deployment` is the id of the deployment that the process
    belongs to: random, no secret, and no right to anything."""

    status: str = "ok"
    deployment: str | None = None
    schema_revision: str | None = None
