"""The options with which commands find the API: --url, --token, --token-file, --data, --ca-file, --client-cert-file."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from fleet_api.client import Client

Command = Callable[..., Any]
OpenApi = Callable[[], "Client"]
url_option = click.option("--url", envvar="LONGTAIL_API_URL", help="The API's address (LONGTAIL_API_URL).")
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="LONGTAIL_DATA_DIR",
    help="Data directory of a `longtail up` on this machine, which holds the address and a token (LONGTAIL_DATA_DIR).",
)
ca_option = click.option(
    "--ca-file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="LONGTAIL_CA_FILE",
    help="File with the authority of the API's certificate (LONGTAIL_CA_FILE).",
)


client_cert_option = click.option(
    "--client-cert-file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="LONGTAIL_CLIENT_CERT_FILE",
    help="File with your certificate and its key, for an API that asks for one (LONGTAIL_CLIENT_CERT_FILE).",
)


def with_client(command: Command) -> Command:
    """Add the options, and pass the command an open `Client` as its first argument."""

    @with_api
    @functools.wraps(command)
    def wrapped(*, open_api: OpenApi, **options: Any) -> Any:
        with open_api() as client:
            return command(client, **options)

    return wrapped


def with_api(command: Command) -> Command:
    """Add the options, and pass the command `open_api`, which opens the client if the command needs one."""

    @url_option
    @click.option(
        "--token",
        "api_token",
        envvar="LONGTAIL_TOKEN",
        help="Your token; better LONGTAIL_TOKEN or --token-file, as everyone on a machine can read its command lines.",
    )
    @click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="LONGTAIL_TOKEN_FILE",
        help="File with your token, which only you can read (LONGTAIL_TOKEN_FILE).",
    )
    @data_option
    @ca_option
    @client_cert_option
    @functools.wraps(command)
    def wrapped(
        *,
        url: str | None,
        api_token: str | None,
        token_file: Path | None,
        data: Path | None,
        ca_file: Path | None,
        client_cert_file: Path | None,
        **options: Any,
    ) -> Any:
        def open_api() -> Client:
            return connect(url, _token(api_token, token_file), data, ca_file, client_cert_file)

        return command(open_api=open_api, **options)

    return wrapped


def _token(token: str | None, file: Path | None) -> str | None:
    """The token that is meant: what stands on the command line wins over what is in variables."""
    if file is None or (token and not is_typed("token_file")) or (token and is_typed("api_token")):
        return token
    from fleet_api.cli.token_file import read_token_file

    return read_token_file(file)


def is_typed(option: str) -> bool:
    """Whether an option of the running command was given on its command line."""
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


def connect(
    url: str | None, token: str | None, data: Path | None, ca_file: Path | None, client_cert_file: Path | None
) -> Client:
    """Open the client; it is imported only now, because importing httpx takes a quarter of a second."""
    from fleet_api.client import open_client

    return open_client(url, token, data, ca_file=ca_file, client_cert_file=client_cert_file)
