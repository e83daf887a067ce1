"""`longtail cost publish`, `books` and `get`: an operator publishes a price book, others list and get it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fleet_api.cli.conftest import Longtail
from tests.triggers.costs.books import BOOK


def test_a_price_book_is_published_listed_and_got(longtail: Longtail, tmp_path: Path) -> None:
    book, got = tmp_path / "prices.yaml", tmp_path / "got.yaml"
    book.write_text(BOOK, "utf-8")
    assert "no price book is published" in longtail("cost", "books", role="viewer").err
    shown = longtail("cost", "publish", str(book), role="operator")
    assert re.fullmatch(r"price book 1 is published, digest [0-9a-f]{64}\n", shown.out)
    book.write_text(BOOK + "# dearer soon\n", "utf-8")
    assert longtail("cost", "publish", str(book), "--json", role="operator").json()["version"] == 2
    listed = longtail("cost", "books", "--json", role="viewer").json()
    assert [(each["version"], each["currency"], each["published_by"]) for each in listed] == [
        (2, "EUR", "operator-user"),
        (1, "EUR", "operator-user"),
    ]
    longtail("cost", "get", "-o", str(got), role="viewer")
    assert got.read_text("utf-8") == BOOK + "# dearer soon\n"
    longtail("cost", "get", "--version", "1", "-o", str(got), role="viewer")
    assert got.read_text("utf-8") == BOOK


def test_a_book_with_mistakes_is_refused_by_the_name_of_its_file(longtail: Longtail, tmp_path: Path) -> None:
    book = tmp_path / "prices.yaml"
    book.write_text(BOOK.replace("0.05", "free"), "utf-8")
    refused = longtail("cost", "publish", str(book), role="operator")
    assert (refused.status, refused.out) == (1, "")
    assert f"{book}:6: prices.0.transfer_per_gb.wifi: free is not a decimal number" in refused.err


def test_who_is_no_operator_publishes_nothing(longtail: Longtail, tmp_path: Path) -> None:
    book = tmp_path / "prices.yaml"
    book.write_text(BOOK, "utf-8")
    assert longtail("cost", "publish", str(book), role="author").status == 1
    assert longtail("cost", "get", "-o", str(tmp_path / "none.yaml"), role="author").status == 1
