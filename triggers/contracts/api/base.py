"""Base of the API's answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Base of the answers: made from the attributes of what storage returns."""

    model_config = ConfigDict(from_attributes=True)
