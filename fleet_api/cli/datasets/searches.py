"""`longtail search`: searches of clips that are kept under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.clips.commands import COLUMNS as CLIP_COLUMNS
from fleet_api.cli.fleet.clips.filters import translated
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    json_option,
    list_options,
    print_fields,
    print_json,
    print_list,
    print_result,
    remark,
)

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.datasets.searches import SavedSearchView

COLUMNS: tuple[Column[SavedSearchView], ...] = (
    Column("name", lambda search: search.name),
    Column("filter", lambda search: search.filter),
    Column("sortby", lambda search: search.sortby),
    Column("saved_by", lambda search: search.saved_by),
    Column("saved_at", lambda search: search.saved_at),
)


@click.group()
def search() -> None:
    """Keep searches of clips under a name, and share them by a link."""


@search.command(short_help="Keep a filter under a name.")
@click.argument("name")
@click.argument("cql2")
@click.option("--sortby", help="A property to sort by; a leading - reverses the order.  [default: -recorded]")
@click.option("--replace", is_flag=True, help="Replace the search that has this name.")
@with_client
def save(client: Client, *, name: str, cql2: str, sortby: str | None, replace: bool) -> None:
    """Keep a CQL2 text under a NAME, and print its link. Saving the same again changes nothing.

    Units are translated as in `clips search`, and a time relative to now becomes the time that it is now.
    Only who saved a search, or an operator, may replace it.
    """
    order = {} if sortby is None else {"sortby": sortby}
    saved = client.searches.save(name, translated(client, cql2), replace=replace, **order)
    print_result(client.url + saved.href)


@search.command(name="list", short_help="List the saved searches.")
@list_options
@with_client
def list_(client: Client, form: Form) -> None:
    """List the saved searches by name."""
    print_list(form, client.searches.list(), COLUMNS, none="no search is saved; `longtail search save` keeps one")


@search.command(short_help="Show a saved search with its link.")
@click.argument("name")
@json_option
@with_client
def show(client: Client, *, name: str, as_json: bool) -> None:
    """Show a saved search with its link, which others can open with a token of theirs."""
    found = client.searches.get(name)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_fields(found.model_dump(exclude={"href"}) | {"link": client.url + found.href})


@search.command(short_help="List the clips that a saved search finds.")
@click.argument("name")
@click.option("--limit", type=WholeNumber(1), help="At most this many clips.  [default: all]")
@list_options
@with_client
def run(client: Client, name: str, limit: int | None, form: Form) -> None:
    """List the clips that a saved search finds now."""
    saved = client.searches.get(name)
    clips = client.clips.search(saved.filter, limit=limit, sortby=saved.sortby, note=remark)
    print_list(form, clips, CLIP_COLUMNS, none="no clip matches")


@search.command(short_help="Delete a saved search.")
@click.argument("name")
@with_client
def delete(client: Client, *, name: str) -> None:
    """Delete a saved search, which who saved it and operators may. No clip is erased."""
    client.searches.delete(name)
    print_result(f"{name} is deleted")
