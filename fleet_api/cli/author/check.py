"""`longtail check`: every mistake in trigger files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.output import counted, json_option, print_json, remark

if TYPE_CHECKING:
    from triggers.language.compile import Compilation
    from triggers.language.text.diagnostics import Diagnostic

signals_option = click.option(
    "--signals",
    "catalog_file",
    type=click.Path(path_type=Path),
    required=True,
    help="The signal catalog, a YAML file.",
)

set_option = click.option(
    "--set",
    "values",
    metavar="NAME=VALUE",
    multiple=True,
    help="Give a param of the file another value, as in hold=500ms or c.hold=500ms; may be repeated.",
)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@signals_option
@set_option
@json_option
def check(files: tuple[Path, ...], catalog_file: Path, values: tuple[str, ...], as_json: bool) -> int:
    """Report every mistake in trigger files, where it is, and what to write instead.

    The exit status is 1 if there is an error; warnings do not count.
    """
    from triggers.language.compile import compile_file
    from triggers.signals.catalog import SignalCatalog

    catalog = SignalCatalog.load(catalog_file)
    compiled = [compile_file(file, catalog, values=values) for file in files]
    diagnostics = _distinct(compiled)
    if as_json:
        print_json(
            {"ok": all(compilation.ok for compilation in compiled), "diagnostics": [d.to_json() for d in diagnostics]}
        )
    else:
        show_diagnostics(compiled)
        errors = sum(1 for diagnostic in diagnostics if diagnostic.severity == "error")
        warnings = counted(len(diagnostics) - errors, "warning")
        remark(f"{counted(len(files), 'file')}: {counted(errors, 'error')}, {warnings}")
    return 0 if all(compilation.ok for compilation in compiled) else 1


def show_diagnostics(compiled: list[Compilation]) -> None:
    """Print all diagnostics for people, on standard error."""
    from triggers.language.text.diagnostics import render_all

    text = render_all(_distinct(compiled))
    if text:
        click.echo(text + "\n", err=True)


def _distinct(compiled: list[Compilation]) -> list[Diagnostic]:
    """All diagnostics, without repeating for each file those about the signal catalog that they share."""
    return list(dict.fromkeys(diagnostic for compilation in compiled for diagnostic in compilation.diagnostics))
