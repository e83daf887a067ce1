"""`longtail schema`: the trigger language, as a program or a language model outside needs to know it."""

from __future__ import annotations

from pathlib import Path

import click

from fleet_api.cli.output import print_json, print_result

_PARTS = ("rules", "words", "units", "grammar", "diagnostics", "examples", "catalog", "schemas")


@click.command()
@click.option(
    "--for",
    "reader",
    type=click.Choice(["llm", "json"]),
    default="llm",
    show_default=True,
    help="A text for language models, or JSON for programs.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --for json.")
@click.option(
    "--signals", "catalog_file", type=click.Path(path_type=Path), help="A signal catalog, which is then told, too."
)
@click.option(
    "--part",
    "parts",
    type=click.Choice(_PARTS),
    multiple=True,
    help="Only this part; may be repeated. `schemas` (JSON Schemas) are of the JSON alone.  [default: all]",
)
def schema(reader: str, as_json: bool, catalog_file: Path | None, parts: tuple[str, ...]) -> None:
    """Print the trigger language: its rules, words, units, grammar, diagnostics, examples, and a signal catalog.

    It is made from what the compiler itself reads, so it is that of this release. The text says its size in tokens.
    """
    from triggers.schema.documents import document
    from triggers.schema.text import text_for_models
    from triggers.signals.catalog import SignalCatalog

    as_json = as_json or reader == "json"
    if "schemas" in parts and not as_json:
        raise click.UsageError("--part schemas needs --json: JSON Schemas are for programs")
    if "catalog" in parts and catalog_file is None:
        raise click.UsageError("--part catalog needs --signals, the signal catalog")
    catalog = None if catalog_file is None else SignalCatalog.load(catalog_file)
    if as_json:
        print_json(document(catalog, parts))
    else:
        print_result(text_for_models(catalog, parts).removesuffix("\n"))
