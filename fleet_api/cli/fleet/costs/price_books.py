"""`longtail cost publish`, `books` and `get`: the price book of a deployment, in versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import Column, Form, form_options, json_option, print_json, print_list, print_result

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.costs.price_books import PriceBookView

COLUMNS: tuple[Column[PriceBookView], ...] = (
    Column("version", lambda book: book.version),
    Column("currency", lambda book: book.currency),
    Column("start", lambda book: book.start),
    Column("published_by", lambda book: book.published_by),
    Column("published_at", lambda book: book.published_at),
    Column("digest", lambda book: book.digest),
)


@click.command(short_help="Publish a price book as the newest version.")
@click.argument("book", type=click.Path(path_type=Path))
@json_option
@with_client
def publish(client: Client, *, book: Path, as_json: bool) -> None:
    """Publish the price book BOOK as the deployment's newest version. Versions are never changed or taken back.

    Publishing the same text again changes nothing. The currency stays that of the first version, and earlier days keep
    having prices.
    """
    from triggers.costs.reader import parse_price_book, read_price_book_text

    text = read_price_book_text(book)
    parse_price_book(text, name=str(book))  # mistakes are told with the name of the file
    published = client.price_books.publish(text)
    if as_json:
        print_json(published.model_dump(mode="json"))
    else:
        print_result(f"price book {published.version} is published, digest {published.digest}")


@click.command(name="books", short_help="List the versions of the published price book.")
@form_options("json", "csv")
@with_client
def list_books(client: Client, form: Form) -> None:
    """List the versions of the deployment's price book, the newest first."""
    none = "no price book is published; an operator publishes one with `longtail cost publish BOOK`"
    print_list(form, client.price_books.list(), COLUMNS, none=none)


@click.command(short_help="Write a published price book to a file.")
@click.option("--version", type=WholeNumber(1, 2**31 - 1), help="This version.  [default: the newest]")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Write it to this file.")
@with_client
def get(client: Client, *, version: int | None, output: Path) -> None:
    """Write the published price book to a file: for `plan`, or to add prices to it."""
    from triggers.atomic_file import replace_text

    book = client.price_books.get(version)
    replace_text(output, book.text)
    print_result(f"{output} is price book {book.version}, digest {book.digest}")
