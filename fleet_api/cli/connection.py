"""The options with which commands find the API: --url, --token and --data."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fleet_api.client import ApiClient

Command = Callable[..., Any]


def with_client(command: Command) -> Command:
    """Add the options, and pass the command an open `ApiClient` as its first argument."""

    @click.option("--url", envvar="LONGTAIL_API_URL", help="The API's address (LONGTAIL_API_URL).")
    @click.option("--token", "api_token", envvar="LONGTAIL_TOKEN", help="Your token (LONGTAIL_TOKEN).")
    @click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="LONGTAIL_DATA_DIR",
        help="Data directory of a `longtail up` on this machine, which holds both (LONGTAIL_DATA_DIR).",
    )
    @functools.wraps(command)
    def wrapped(*, url: str | None, api_token: str | None, data: Path | None, **options: Any) -> Any:
        with connect(url, api_token, data) as client:
            return command(client, **options)

    return wrapped


def connect(url: str | None, token: str | None, data: Path | None) -> ApiClient:
    """Open the client; it is imported only now, because importing httpx takes a quarter of a second."""
    from fleet_api.client import open_client

    return open_client(url, token, data)
