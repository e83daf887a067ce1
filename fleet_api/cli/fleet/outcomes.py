"""`longtail outcomes`: how every fire ended, in counts that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.campaign_report import counted_by_reason
from fleet_api.cli.output import Column, Form, form_options, print_json, print_list, print_table
from triggers.contracts.api.outcomes import FIRE_OUTCOMES

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.outcomes import CampaignOutcomesView


def _count(name: str) -> Column[CampaignOutcomesView]:
    return Column(name, lambda counts: getattr(counts, name), shown=counted_by_reason)


COLUMNS: tuple[Column[CampaignOutcomesView], ...] = (
    Column("campaign", lambda counts: counts.campaign),
    Column("version", lambda counts: counts.version),
    *(_count(name) for name in ("fired", *FIRE_OUTCOMES, "expired", "erased", "unaccounted", "suppressed")),
)


@click.command()
@click.argument("campaign", required=False)
@form_options("json", "csv")
@with_client
def outcomes(client: Client, campaign: str | None, form: Form) -> None:
    """Count the outcomes of fires for each version of one campaign, or of all campaigns.

    `fired` is the sum of sampled_out, refused, dropped, failed, catalogued and in_flight. `expired` and `erased` are
    the parts of catalogued whose clips are erased. `unaccounted` is the part of in_flight that the cloud should have
    but does not. --json includes the counts of open dead letters.
    """
    counts = client.outcomes.count(campaign)
    if form == "json":
        print_json(counts.model_dump(mode="json"))
        return
    print_list(form, counts.outcomes, COLUMNS, none="no fires have been reported yet")
    if form == "table" and counts.dead_letters:
        print_table("Open dead letters", ("reason", "count"), sorted(counts.dead_letters.items()))
