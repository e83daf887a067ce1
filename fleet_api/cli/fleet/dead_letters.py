"""`longtail dead-letters`: what could not go on, why, and acknowledging it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import json_option, print_json, print_table, remark

if TYPE_CHECKING:
    from fleet_api.client.client import ApiClient

PAGE = 100
STATES = ("open", "replayed", "discarded")
STAGES = ("gateway", "assembler", "extraction")


@click.group(name="dead-letters")
def dead_letters() -> None:
    """List and discard dead letters: manifests, cells and clips that could not go on, each with its reason."""


@dead_letters.command(name="list")
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True)
@click.option("--stage", type=click.Choice(STAGES), help="Only those of this stage.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="At most this many, newest first."
)
@json_option
@with_client
def list_(client: ApiClient, state: str, stage: str | None, limit: int, as_json: bool) -> None:
    """List dead letters, the newest first."""
    found = list(_pages(client, state, stage, limit))
    if as_json:
        print_json(found)
        return
    if not found:
        remark(f"no {state} dead letters")
        return
    columns = ("id", "stage", "reason", "vehicle", "clip", "fires", "since", "detail")
    print_table("", columns, [_row(letter) for letter in found])


@dead_letters.command()
@click.argument("letters", metavar="ID...", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1))
@with_client
def discard(client: ApiClient, letters: tuple[int, ...]) -> None:
    """Acknowledge dead letters: erase what is kept of them. That they were there, and why, stays.

    Needs the role operator.
    """
    for letter in letters:
        client.post(f"/v1/dead-letters/{letter}/discard")
        remark(f"dead letter {letter} is discarded")


def _pages(client: ApiClient, state: str, stage: str | None, limit: int) -> Iterator[dict[str, Any]]:
    before: int | None = None
    while limit > 0:
        page = client.get("/v1/dead-letters", state=state, stage=stage, before=before, limit=min(limit, PAGE))
        yield from page["dead_letters"]
        limit -= len(page["dead_letters"])
        before = page["next"]
        if before is None:
            return


def _row(letter: dict[str, Any]) -> tuple[object, ...]:
    since = letter["created_at"][:19].replace("T", " ")
    known = [letter[key] for key in ("stage", "reason", "vehicle_id", "clip_id", "fires")]
    return (str(letter["id"]), *known, since, letter["detail"])
