"""`longtail signals`: signal catalogs made from other descriptions, and those that a deployment has published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.author.vss import import_vss
from fleet_api.cli.connection import with_client
from fleet_api.cli.output import Column, Form, json_option, list_options, print_json, print_list, print_result

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.signal_catalogs import SignalCatalogView

COLUMNS: tuple[Column[SignalCatalogView], ...] = (
    Column("name", lambda catalog: catalog.name),
    Column("version", lambda catalog: catalog.version),
    Column("signals", lambda catalog: catalog.signals),
    Column("operations", lambda catalog: catalog.operations),
    Column("state_bytes", lambda catalog: catalog.state_bytes),
    Column("published_by", lambda catalog: catalog.published_by),
    Column("published_at", lambda catalog: catalog.published_at),
    Column("digest", lambda catalog: catalog.digest),
)


@click.group()
def signals() -> None:
    """Make signal catalogs, and publish, list and get those of a deployment.

    Once operators have published catalogs, campaigns are applied against these.
    """


signals.add_command(import_vss)


@signals.command(short_help="Publish a signal catalog as the next version of a name.")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@with_client
def publish(client: Client, *, name: str, file: Path, as_json: bool) -> None:
    """Publish FILE, a signal catalog, as the next version of NAME. Versions are never changed or taken back.

    Publishing the same text again changes nothing. Its `limits` are those of the programs that are compiled against it.
    """
    from triggers.signals.catalog import read_catalog_text

    published = client.signal_catalogs.publish(name, read_catalog_text(file))
    if as_json:
        print_json(published.model_dump(mode="json"))
    else:
        print_result(f"{published.name}@{published.version} is published, digest {published.digest}")


@signals.command(name="list", short_help="List the published signal catalogs.")
@list_options
@with_client
def list_(client: Client, form: Form) -> None:
    """List the published signal catalogs, each with its newest version and what it allows programs."""
    none = "no signal catalog is published; an operator publishes one with `longtail signals publish NAME FILE`"
    print_list(form, client.signal_catalogs.list(), COLUMNS, none=none)


@signals.command(short_help="Write a published signal catalog to a file.")
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Write it to this file.")
@with_client
def get(client: Client, *, reference: str, output: Path) -> None:
    """Write a published signal catalog, by its name, NAME@VERSION or digest, to a file: for `check` and `backtest`."""
    from triggers.atomic_file import replace_text

    catalog = client.signal_catalogs.get(reference)
    replace_text(output, catalog.text)
    print_result(f"{output} is {catalog.name}@{catalog.version}, digest {catalog.digest}")
