"""`longtail erasure-report`: get the signed report on an erased vehicle, and verify one that somebody has."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.given_file import read_limited
from fleet_api.cli.output import json_option, print_fields, print_json, print_result, remark
from triggers.atomic_file import replace_bytes

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.erasure.report import ErasureReport


@click.group("erasure-report")
def erasure_report() -> None:
    """Get and verify reports on erased vehicles: what was erased, when, by whom and why."""


@erasure_report.command(short_help="Get the signed report on an erased vehicle.")
@click.argument("vehicle", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the signed report to this file.")
@json_option
@with_client
def get(client: Client, vehicle: str, out: Path | None, as_json: bool) -> None:
    """Get the signed report on the vehicle ID, once everything of it is erased, objects included.

    Needs the role operator. The ID must be given in full.
    """
    told = client.vehicles.erasure_report(vehicle)
    if as_json:
        print_json(told.model_dump(mode="json"))
    else:
        _show(told.report)
    if out is not None:
        replace_bytes(out, base64.b64decode(told.envelope))
        remark(f"wrote {out}")


@erasure_report.command(short_help="Verify a signed report.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--public-key",
    "keys",
    multiple=True,
    required=True,
    metavar="BASE64",
    help="A public key of the deployment, 32 bytes in base64; may be repeated.",
)
@click.option("--vehicle", metavar="ID", help="The vehicle that it must be about.")
def verify(file: Path, keys: tuple[str, ...], vehicle: str | None) -> None:
    """Verify that a key of the deployment signed the report in FILE, and show the report."""
    # Commands that need no cryptography start faster without it.
    from fleet_api.signing.reports import MAX_ENVELOPE_BYTES, open_report
    from triggers.contracts.erasure.report import digest_of_vehicle
    from triggers.errors import Untrusted

    envelope = read_limited(file, MAX_ENVELOPE_BYTES, remedy="give the file of a report")
    report = open_report(envelope, [_key(key) for key in keys])
    if vehicle is not None and digest_of_vehicle(vehicle).hex() != report.vehicle_digest:
        raise Untrusted("the report is about another vehicle", remedy="ask for the report on this one")
    _show(report)
    print_result("the signature is right")


def _show(report: ErasureReport) -> None:
    fields = report.model_dump(mode="json")
    counts = {f"{kind}.{name}": number for kind in ("erased", "unlinked") for name, number in fields.pop(kind).items()}
    print_fields(fields | counts)


def _key(text: str) -> bytes:
    from triggers.contracts.trust.document import decoded_key

    try:
        return decoded_key(text)
    except ValueError as error:
        raise click.BadParameter(f"`{text[:60]}` is not a public key: {error}", param_hint="--public-key") from error
