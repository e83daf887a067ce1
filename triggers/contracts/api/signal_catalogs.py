"""Signal catalogs in the API: those that operators have published, and what is published next."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from triggers.contracts.api.base import View
from triggers.contracts.base import Contract, Name
from triggers.contracts.limits import MAX_CATALOG_BYTES


class PublishCatalogRequest(Contract):
    """The YAML text of a signal catalog, and the name of which it becomes the newest version."""

    name: Name
    signals: Annotated[str, Field(max_length=MAX_CATALOG_BYTES)]


class SignalCatalogView(View):
    """A published version. `digest` is the SHA-256 of its text, `signals` how many it has.

    `state_bytes` and `operations` (per tick) are what it allows a program on a vehicle.
    """

    name: str
    version: int
    digest: str
    signals: int
    state_bytes: int
    operations: int
    published_by: str
    published_at: datetime


class SignalCatalogDetails(SignalCatalogView):
    """A published version with its YAML text."""

    text: str


class SignalCatalogList(BaseModel):
    """The newest version of each name, by name. `next` continues the list as `after`; null on the last page."""

    catalogs: list[SignalCatalogView]
    next: str | None = None
