"""`longtail signals import-vss`: a signal catalog made from a COVESA Vehicle Signal Specification."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from fleet_api.cli.folders import check_not_inputs
from fleet_api.cli.output import counted, json_option, print_json, remark
from triggers.written_numbers import is_number

if TYPE_CHECKING:
    from triggers.signals.vss import VssImport

_STANDARD_OUTPUT = Path("-")


@click.command(name="import-vss", short_help="Turn a COVESA VSS file (JSON) into a signal catalog.")
@click.argument("vss_file", metavar="VSS.json", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="CATALOG.yaml",
    help="Write the signal catalog to this file; - is standard output.",
)
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="NAME=HZ",
    help="Rate of a signal, or of all signals of a branch; the longest name wins. Others are `update: on_change`.",
)
@click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="VSS=UNIT",
    help="The catalog's unit for a VSS unit that has no counterpart; `VSS=` means a plain number.",
)
@json_option
def import_vss(vss_file: Path, output: Path, rates: tuple[str, ...], units: tuple[str, ...], as_json: bool) -> None:
    """Turn a COVESA Vehicle Signal Specification (as `vspec export json` writes it) into a signal catalog.

    Leaves that cannot become signals are listed with the reason, with --json on standard output.
    """
    from triggers.atomic_file import replace_text
    from triggers.signals.vss import import_vss as imported_from

    if as_json and output == _STANDARD_OUTPUT:
        raise click.UsageError("--json and `-o -` cannot both write to standard output")
    if output != _STANDARD_OUTPUT:
        check_not_inputs([("-o", output)], [vss_file], "import")
    result = imported_from(vss_file, rates_hz=_rates(rates), units=_pairs(units, "--unit", "VSS=UNIT"))
    if output == _STANDARD_OUTPUT:
        click.echo(result.text, nl=False)
    else:
        replace_text(output, result.text)
    if as_json:
        print_json(
            {
                "leaves": result.leaves,
                "imported": len(result.catalog.signals),
                "skipped": [{"name": skipped.name, "reason": skipped.reason} for skipped in result.skipped],
            }
        )
    else:
        _show(result)


def _show(result: VssImport) -> None:
    for reason, names in result.skipped_by_reason.items():
        remark(f"left out, {reason}: {counted(len(names), 'leaf', 'leaves')}")
        for name in names:
            remark(f"    {name}")
    imported = counted(len(result.catalog.signals), "signal")
    remark(f"{imported} of {counted(result.leaves, 'leaf', 'leaves')}, {len(result.skipped)} left out")


def _rates(words: tuple[str, ...]) -> dict[str, float]:
    rates = {}
    for name, value in _pairs(words, "--rate", "NAME=HZ").items():
        if not is_number(value):
            _misuse("--rate", f"{name}={value}", "NAME=HZ")
        rates[name] = float(value)
    return rates


def _pairs(words: tuple[str, ...], option: str, form: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals or name in pairs:
            _misuse(option, word, form)
        pairs[name] = value
    return pairs


def _misuse(option: str, word: str, form: str) -> NoReturn:
    raise click.BadParameter(f"`{word}` is not of the form {form}, or was given twice", param_hint=option)
