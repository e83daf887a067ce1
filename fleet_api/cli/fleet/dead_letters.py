"""`longtail dead-letters`: list and discard what could not be processed."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import Column, Form, list_options, print_list, print_result
from triggers.contracts.api.outcomes import LetterStage, LetterState

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.outcomes import DeadLetterView

COLUMNS: tuple[Column[DeadLetterView], ...] = (
    Column("id", lambda letter: letter.id),
    Column("stage", lambda letter: letter.stage),
    Column("reason", lambda letter: letter.reason),
    Column("vehicle", lambda letter: letter.vehicle_id),
    Column("clip", lambda letter: letter.clip_id),
    Column("fires", lambda letter: letter.fires),
    Column("created_at", lambda letter: letter.created_at),
    Column("detail", lambda letter: letter.detail),
)


@click.group(name="dead-letters")
def dead_letters() -> None:
    """List and discard dead letters: manifests, cells and clips that could not be processed, each with its
    reason."""


@dead_letters.command(name="list")
@click.option(
    "--state",
    type=click.Choice(get_args(LetterState)),
    default="open",
    show_default=True,
    help="Only those in this state.",
)
@click.option("--stage", type=click.Choice(get_args(LetterStage)), help="Only those from this stage.")
@click.option("--limit", type=WholeNumber(1), default=100, show_default=True, help="At most this many.")
@list_options
@with_client
def list_(client: Client, state: LetterState, stage: LetterStage | None, limit: int, form: Form) -> None:
    """List dead letters, newest first."""
    letters = client.dead_letters.list(state=state, stage=stage, limit=limit)
    print_list(form, letters, COLUMNS, none=f"no {state} dead letters")


@dead_letters.command(short_help="Acknowledge dead letters.")
@click.argument("letters", metavar="ID...", nargs=-1, required=True, type=WholeNumber(1, 2**63 - 1))
@with_client
def discard(client: Client, letters: tuple[int, ...]) -> None:
    """Acknowledge dead letters, and erase the data kept with them. The letters and their reasons remain.

    Needs the role operator.
    """
    for letter in letters:
        client.dead_letters.discard(letter)
        print_result(f"dead letter {letter} is discarded")
