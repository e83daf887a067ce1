"""`longtail health`: whether a deployment's API is ready, as monitoring sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import json_option, print_fields, print_json

if TYPE_CHECKING:
    from fleet_api.client import Client


@click.command()
@json_option
@with_client
def health(client: Client, as_json: bool) -> None:
    """Ask the API whether it is ready: whether its database answers and has the schema that it needs.

    The exit status is 1 if it is not. `longtail doctor` examines a whole deployment.
    """
    ready = client.health.ready()
    if as_json:
        print_json(ready.model_dump(mode="json"))
    else:
        print_fields({"api": client.url, **ready.model_dump()})
