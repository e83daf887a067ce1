"""Price books: operators publish versions, which stay as they are, in one currency and without losing earlier days."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from httpx import Response
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.fleet_api.api_server import Api
from tests.triggers.costs.books import BOOK
from triggers.contracts.limits import MAX_PRICE_BOOK_BYTES

DEARER = BOOK.replace("wifi: 0.04", "wifi: 0.05")


def publish(api: Api, prices: str = BOOK) -> Response:
    return api.post("/v1/price-books", {"prices": prices}, "operator")


def test_versions_are_added_and_the_newest_text_is_no_new_version(api: Api) -> None:
    answers = [publish(api, each) for each in (BOOK, BOOK, DEARER, BOOK)]
    assert [each.status_code for each in answers] == [201, 200, 201, 201]
    assert [each.json()["version"] for each in answers] == [1, 1, 2, 3]
    first, _, second, third = (each.json() for each in answers)
    assert (first["currency"], first["start"], first["published_by"]) == ("EUR", "2026-01-01", "operator-user")
    assert first["digest"] == third["digest"] != second["digest"]
    assert api.get("/v1/price-books/newest").json() == third | {"text": BOOK}
    assert api.get("/v1/price-books/2").json() == second | {"text": DEARER}


def test_versions_are_listed_page_by_page_the_newest_first(api: Api) -> None:
    for number in range(3):
        publish(api, BOOK + f"# {number}\n")
    page = api.get("/v1/price-books", limit=2).json()
    assert ([each["version"] for each in page["price_books"]], page["next"]) == ([3, 2], 2)
    page = api.get("/v1/price-books", limit=2, before=2).json()
    assert ([each["version"] for each in page["price_books"]], page["next"]) == ([1], None)


def test_what_is_not_published_is_not_found(api: Api) -> None:
    assert api.get("/v1/price-books").json() == {"price_books": [], "next": None}
    answer = api.get("/v1/price-books/newest")
    assert (answer.status_code, answer.json()["detail"]) == (404, "no price book is published")
    assert "longtail cost publish" in answer.json()["remedy"]
    publish(api)
    assert api.get("/v1/price-books/2").status_code == 404
    assert api.get("/v1/price-books/0").status_code == 422


@pytest.mark.parametrize("change", ["UPDATE price_books SET text = ''", "DELETE FROM price_books"])
def test_a_published_version_is_never_changed(api: Api, change: str) -> None:
    publish(api)
    with pytest.raises(IntegrityError, match="never changed"), api.database.engine.begin() as connection:
        connection.execute(text(change))


def test_a_book_with_mistakes_is_refused_with_all_of_them(api: Api) -> None:
    answer = publish(api, BOOK.replace("0.05", "-0.05").replace("3 months", "soon"))
    assert answer.status_code == 422
    first, second = answer.json()["detail"].splitlines()
    assert first.startswith("the price book:6: prices.0.transfer_per_gb.wifi: '-0.05' is negative")
    assert second.startswith("the price book:9: prices.0.storage.hot.stays: ")
    assert publish(api, "#" * (MAX_PRICE_BOOK_BYTES + 1)).status_code == 422
    assert api.get("/v1/price-books").json()["price_books"] == []


def test_a_book_cannot_follow_one_of_another_currency_or_lose_earlier_days(api: Api) -> None:
    publish(api)
    refused = publish(api, BOOK.replace("EUR", "USD"))
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "the price book is in USD, and those before it are in EUR",
    )
    later = BOOK[: BOOK.index("  - from: 2026")] + BOOK[BOOK.index("  - from: 2027") :]
    refused = publish(api, later)
    assert refused.status_code == 409
    assert "begins on 2027-01-01, and the one before it on 2026-01-01" in refused.json()["detail"]
    assert publish(api, BOOK.replace("from: 2026-01-01", "from: 2025-01-01")).status_code == 201


def test_a_book_keeps_the_tiers_of_storage_classes(api: Api) -> None:
    assert publish(api, BOOK).status_code == 201
    refused = publish(api, BOOK.replace("[DEEP_ARCHIVE]", "[GLACIER]"))
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "the price book does not say in which tier DEEP_ARCHIVE is, and the one before it does",
    )
    assert publish(api, BOOK.replace("[DEEP_ARCHIVE]", "[GLACIER, DEEP_ARCHIVE]")).status_code == 201


def test_a_book_cannot_end_before_the_one_that_it_follows(api: Api) -> None:
    def ending(day: str) -> str:
        return BOOK.replace("from: 2027-01-01\n", f"from: 2027-01-01\n    through: {day}\n")

    assert publish(api, ending("2027-12-31")).status_code == 201
    refused = publish(api, ending("2027-06-30"))
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "the price book has prices through 2027-06-30, and the one before it has prices through 2027-12-31",
    )
    assert [publish(api, each).status_code for each in (ending("2028-12-31"), BOOK)] == [201, 201]
    refused = publish(api, ending("2030-12-31"))
    assert (refused.status_code, refused.json()["detail"].endswith("the one before it has no end")) == (409, True)


def test_two_who_publish_at_once_get_versions_of_their_own(api: Api) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: publish(api, BOOK + f"# {number}\n"), range(8)))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 9))
