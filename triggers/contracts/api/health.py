"""Whether a process of the cloud lives and can work."""

from __future__ import annotations

from pydantic import BaseModel


class HealthView(BaseModel):
    """`status` is `ok`; anything else is a problem document."""

    status: str = "ok"
    schema_revision: str | None = None
