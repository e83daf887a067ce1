"""Price books in the API: those that operators have published, and what is published next."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from triggers.contracts.api.base import View
from triggers.contracts.base import Contract
from triggers.contracts.limits import MAX_PRICE_BOOK_BYTES


class PublishPriceBookRequest(Contract):
    """The YAML text of a price book, which becomes the deployment's newest version."""

    prices: Annotated[str, Field(max_length=MAX_PRICE_BOOK_BYTES)]


class PriceBookView(View):
    """A published version. `digest` is the SHA-256 of its text, `start` the first day that has prices."""

    version: int
    digest: str
    currency: str
    start: date
    published_by: str
    published_at: datetime


class PriceBookDetails(PriceBookView):
    """A published version with its YAML text."""

    text: str


class PriceBookList(BaseModel):
    """Versions, the newest first. `next` continues the list as `before`; null on the last page."""

    price_books: list[PriceBookView]
    next: int | None = None
