"""The base class of the API's responses, and the request that several subjects share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from triggers.contracts.base import Contract


class View(BaseModel):
    """Base of the responses: built from the attributes of what storage returns."""

    model_config = ConfigDict(from_attributes=True)


class ReasonRequest(Contract):
    """Why somebody decides something about what is others'; it is kept and shown."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]
