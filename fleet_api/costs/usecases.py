"""Use cases for price books: publish, list and show them. Each is one transaction."""

from __future__ import annotations

from fleet_api.costs import rules
from fleet_api.costs.expected import read_book
from fleet_api.services import Services
from storage import audit
from storage.costs import price_books
from triggers.contracts.api.costs.price_books import (
    PriceBookDetails,
    PriceBookList,
    PriceBookView,
    PublishPriceBookRequest,
)
from triggers.contracts.base import text_digest
from triggers.contracts.users import Role, User
from triggers.costs.reader import parse_price_book


def publish(services: Services, user: User, request: PublishPriceBookRequest) -> tuple[PriceBookView, bool]:
    """Publish a price book as the newest version; returns it, and whether it is new.

    InvalidInput for a text with mistakes; Conflict if it cannot follow the newest one.
    """
    user.require(Role.OPERATOR)
    book = parse_price_book(request.prices, name="the price book")
    with services.database.begin() as connection:
        price_books.lock(connection)
        newest = price_books.newest(connection)
        if newest is not None and newest.digest == text_digest(request.prices):
            return PriceBookView.model_validate(newest), False
        if newest is not None:
            _, text = price_books.find(connection, newest.version)
            rules.check_follows(book, read_book(text))
        published = price_books.add(
            connection,
            request.prices,
            version=1 if newest is None else newest.version + 1,
            currency=book.currency,
            start=book.tariffs[0].start,
            user=user,
        )
        after = {"digest": published.digest, "currency": published.currency, "start": published.start.isoformat()}
        audit.record(connection, user, "price_book.publish", "price_book", str(published.version), after=after)
    return PriceBookView.model_validate(published), True


def list_price_books(services: Services, user: User, *, before: int | None, limit: int) -> PriceBookList:
    """Versions before a number, the newest first; at most `limit`."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        books = price_books.page(connection, before=before, limit=limit)
    return PriceBookList(
        price_books=[PriceBookView.model_validate(book) for book in books],
        next=books[-1].version if len(books) == limit else None,
    )


def show_price_book(services: Services, user: User, version: int | None) -> PriceBookDetails:
    """A version, or the newest (None), with its text; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        published, text = price_books.find(connection, version)
    return PriceBookDetails(**PriceBookView.model_validate(published).model_dump(), text=text)
