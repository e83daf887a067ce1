"""The base class of the API's responses."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Base of the responses: built from the attributes of what storage returns."""

    model_config = ConfigDict(from_attributes=True)
