"""`longtail vehicles`: enrol, show, revoke, quarantine and erase vehicles."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    counted,
    json_option,
    list_options,
    plain_text,
    print_fields,
    print_json,
    print_list,
    print_result,
    print_table,
    remark,
    shown_bytes,
)
from fleet_api.cli.questions import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet_api.client import Client
    from triggers.contracts.api.vehicles import VehicleView
    from triggers.contracts.base import AttributeValue

COLUMNS: tuple[Column[VehicleView], ...] = (
    Column("vehicle", lambda vehicle: vehicle.id),
    Column("enrolled_at", lambda vehicle: vehicle.enrolled_at),
    Column("last_check_in_at", lambda vehicle: vehicle.last_check_in_at),
    Column("revoked_at", lambda vehicle: vehicle.revoked_at),
    Column("quarantined_at", lambda vehicle: vehicle.quarantined_at),
    Column("problems", lambda vehicle: len(vehicle.problems)),
    Column("refusals", lambda vehicle: sum(vehicle.refusals.values())),
    Column("attributes", lambda vehicle: vehicle.attributes),
)
SHOWN = (
    "enrolled_at",
    "last_check_in_at",
    "revoked_at",
    "quarantined_at",
    "quarantined_by",
    "quarantine_reason",
    "counts_voided_at",
    "counts_voided_by",
    "counts_void_reason",
)
PROBLEM_COLUMNS: tuple[Column[VehicleView], ...] = (
    COLUMNS[0],
    Column("last_check_in_at", lambda vehicle: vehicle.last_check_in_at),
    Column("problems", lambda vehicle: vehicle.problems, shown="; ".join),
)


_reason_option = click.option("--reason", required=True, help="Why; it is kept and shown.")
attribute_option = click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="""An attribute of the vehicle; may be repeated. Numbers, true and false are read as such; '"3"' is a text.""",
)


@click.group()
def vehicles() -> None:
    """Enrol vehicles, show them, revoke their tokens, quarantine and erase them."""


@vehicles.command(short_help="Enrol a vehicle and print its token.")
@click.argument("vehicle", metavar="ID")
@attribute_option
@click.option("--replays", is_flag=True, help="It is simulated: it plays drives in less time than they contain.")
@click.option("--replace", is_flag=True, help="The vehicle is enrolled already: replace its token.")
@json_option
@with_client
def enrol(
    client: Client, vehicle: str, *, attributes: tuple[str, ...], replays: bool, replace: bool, as_json: bool
) -> None:
    """Enrol a vehicle and print its token, which cannot be shown again. Needs the role operator.

    Enrolling a vehicle again needs --replace: it replaces its token, and adds to its attributes.
    """
    enrolled = client.vehicles.enrol(vehicle, _attributes(attributes), replays=replays, replace=replace)
    if as_json:
        print_json(enrolled.model_dump(mode="json"))
        return
    print_result(enrolled.token)
    remark(f"this is the token of {enrolled.id}; keep it, because it cannot be shown again")
    remark(f"its agent also needs (--json prints it all): API {enrolled.api_url}, gateway {enrolled.gateway_url},")
    remark(f"public keys {', '.join(enrolled.public_keys)}")


@vehicles.command(short_help="Issue a code with which a vehicle enrols itself.")
@click.argument("vehicle", metavar="ID")
@attribute_option
@click.option("--replace", is_flag=True, help="The vehicle is enrolled already: the code ends its token or key.")
@json_option
@with_client
def code(client: Client, vehicle: str, *, attributes: tuple[str, ...], replace: bool, as_json: bool) -> None:
    """Issue a one-time code with which the vehicle ID enrols itself, under a key that it makes.

    Needs the role operator. No secret is left with people: the code works once, for LONGTAIL_ENROLMENT_CODE_TTL_S (an
    hour), and the key never leaves the vehicle. It then signs its requests instead of sending a token.
    """
    issued = client.vehicles.issue_code(vehicle, _attributes(attributes), replace=replace)
    if as_json:
        print_json(issued.model_dump(mode="json"))
        return
    print_result(issued.code)
    remark(f"{issued.id} enrols with it once, at {issued.api_url}, until {plain_text(issued.expires_at)}")


@vehicles.command(name="list", short_help="List vehicles by id.")
@click.option("--limit", type=WholeNumber(1), help="At most this many.  [default: all]")
@list_options
@with_client
def list_(client: Client, limit: int | None, form: Form) -> None:
    """List vehicles by id, with what they reported at their latest check-in."""
    none = "no vehicles yet; enrol one with `longtail vehicles enrol ID`"
    print_list(form, client.vehicles.list(limit=limit), COLUMNS, none=none)


@vehicles.command()
@click.argument("vehicle", metavar="ID")
@json_option
@with_client
def show(client: Client, vehicle: str, as_json: bool) -> None:
    """Show a vehicle. The beginning of an ID is enough if it is unique."""
    details = client.vehicles.get(client.vehicles.resolve(vehicle))
    if as_json:
        print_json(details.model_dump(mode="json"))
    else:
        _show(details)


@vehicles.command(short_help="List the problems that vehicles reported.")
@click.option("--limit", type=WholeNumber(1), help="Examine at most this many vehicles.  [default: all]")
@list_options
@with_client
def problems(client: Client, limit: int | None, form: Form) -> None:
    """List the vehicles that reported problems at their latest check-in, with the problems."""
    print_list(form, _troubled(client, limit), PROBLEM_COLUMNS, none="no vehicle reports a problem")


@vehicles.command(short_help="Revoke the token of a vehicle.")
@click.argument("vehicle", metavar="ID")
@with_client
def revoke(client: Client, vehicle: str) -> None:
    """Revoke the token of a vehicle, which shuts it out until it is enrolled again. What it uploaded stays.

    Needs the role operator. The ID must be given in full.
    """
    client.vehicles.revoke(vehicle)
    print_result(f"{vehicle} is revoked")


@vehicles.command(short_help="Refuse what a vehicle sends until it is released.")
@click.argument("vehicle", metavar="ID")
@_reason_option
@with_client
def quarantine(client: Client, vehicle: str, reason: str) -> None:
    """Refuse a vehicle's uploads and reports until it is released. It keeps them, and still checks in.

    Needs the role operator. The ID must be given in full.
    """
    client.vehicles.quarantine(vehicle, reason=reason)
    print_result(f"{vehicle} is in quarantine")


@vehicles.command(short_help="Accept again what a vehicle in quarantine sends.")
@click.argument("vehicle", metavar="ID")
@_reason_option
@with_client
def release(client: Client, vehicle: str, reason: str) -> None:
    """Accept the uploads and reports of a vehicle in quarantine again. Its junk of today is pardoned.

    Needs the role operator. The ID must be given in full.
    """
    client.vehicles.release(vehicle, reason=reason)
    print_result(f"{vehicle} is released")


@vehicles.command("void-counts", short_help="Leave a vehicle's counts out of all sums.")
@click.argument("vehicle", metavar="ID")
@_reason_option
@click.option("--undo", is_flag=True, help="Have them in all sums again.")
@with_client
def void_counts(client: Client, vehicle: str, reason: str, undo: bool) -> None:
    """Leave the counts that a vehicle reported, and will report, out of all sums. They are kept.

    Needs the role operator. The ID must be given in full.
    """
    if undo:
        client.vehicles.restore_counts(vehicle, reason=reason)
        print_result(f"the counts of {vehicle} are in the sums again")
    else:
        client.vehicles.void_counts(vehicle, reason=reason)
        print_result(f"the counts of {vehicle} are in no sum any more")


@vehicles.command(short_help="Erase a vehicle with everything that it sent.")
@click.argument("vehicle", metavar="ID")
@click.option("--reason", required=True, help="Why; it is kept, so it should name nobody.")
@click.option("--yes", is_flag=True, help="Do not ask for the ID again.")
@json_option
@with_client
def erase(client: Client, vehicle: str, reason: str, yes: bool, as_json: bool) -> None:
    """Erase a vehicle for good: its clips, labels, uploads and its id. Counts and budgets keep their sums.

    Needs the role operator. The ID must be given in full, and once more when asked. Given again, it says what is left.
    """
    if not yes:
        _confirm(vehicle)
    erased = client.vehicles.erase(vehicle, reason=reason)
    if as_json:
        print_json(erased.model_dump(mode="json"))
        return
    amount = f"{counted(erased.clips, 'clip')} of {shown_bytes(erased.size_bytes)}"
    print_result(f"{vehicle} is shut out for good; its {amount} are being erased")


def _confirm(vehicle: str) -> None:
    typed = ask(f"This erases {vehicle} with everything that it sent, for good. Type its ID")
    if typed != vehicle:
        raise click.UsageError(f"nothing was erased: `{typed}` is not `{vehicle}`")


def _troubled(client: Client, limit: int | None) -> Iterator[VehicleView]:
    return (vehicle for vehicle in client.vehicles.list(limit=limit) if vehicle.problems)


def _show(vehicle: VehicleView) -> None:
    print_fields(
        {
            "vehicle": vehicle.id,
            **{name: getattr(vehicle, name) for name in SHOWN},
            "clock_offset_s": vehicle.clock_offset_ns / 1e9 if vehicle.last_check_in_at else None,
            **{f"refusals.{reason}": number for reason, number in vehicle.refusals.items()},
            **{f"vehicle.{name}": value for name, value in vehicle.attributes.items()},
            **{f"software.{name}": value for name, value in vehicle.software.items()},
        }
    )
    if vehicle.problems:
        print_table("Problems", ("problem",), [(problem,) for problem in vehicle.problems])


def _attributes(words: tuple[str, ...]) -> dict[str, AttributeValue]:
    """The attributes, each given once."""
    attributes: dict[str, AttributeValue] = {}
    for word in words:
        name, value = _attribute(word)
        if name in attributes:
            raise click.BadParameter(f"the attribute `{name}` is given twice", param_hint="--attribute")
        attributes[name] = value
    return attributes


def _attribute(word: str) -> tuple[str, AttributeValue]:
    name, equals, text = word.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"`{word}` is not of the form NAME=VALUE", param_hint="--attribute")
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return name, text
    if isinstance(value, float) and not math.isfinite(value):
        raise click.BadParameter(
            f"`{word}`: the number is beyond 1.79e308; write a text as '\"...\"'", param_hint="--attribute"
        )
    return name, value if isinstance(value, bool | int | float | str) else text
