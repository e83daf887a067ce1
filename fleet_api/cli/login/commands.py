"""The commands `longtail login`, `logout` and `whoami`. The token stays in a file of the person's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.connection import ca_option, client_cert_option, data_option, url_option, with_client
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import json_option, plain_text, print_json, print_result, remark
from triggers.errors import LongtailError, Misconfigured

if TYPE_CHECKING:
    from fleet_api.client import Client

WAIT_S = 300


@click.command()
@url_option
@data_option
@ca_option
@client_cert_option
@click.option("--browser/--no-browser", default=True, help="Whether to open a browser; the address is shown anyway.")
@click.option(
    "--port",
    type=WholeNumber(0, 65535),
    default=0,
    help="Port of this machine to which the browser comes back, for a tunnel from another one; 0: any.",
)
@json_option
def login(
    *,
    url: str | None,
    data: Path | None,
    ca_file: Path | None,
    client_cert_file: Path | None,
    browser: bool,
    port: int,
    as_json: bool,
) -> None:
    """Log in at a deployment: your browser shows the log-in page of your organisation.

    Commands without a token go on under your name until the log-in ends, after some hours.
    """
    from fleet_api.client import Client
    from fleet_api.client.login.kept import KeptLogin, keep

    address = _address(url, data)
    with Client(address, "", ca_file=ca_file, client_cert_file=client_cert_file) as client:
        logged_in = _logged_in(client, browser, port)
    keep(KeptLogin(url=address, user=logged_in.user, token=logged_in.token, expires_at=logged_in.expires_at))
    if as_json:
        print_json(logged_in.model_dump(mode="json", exclude={"token"}))
        return
    until = plain_text(logged_in.expires_at)
    print_result(f"logged in at {address} as {logged_in.user} ({', '.join(logged_in.roles)}) until {until}")


@click.command()
@url_option
@data_option
@ca_option
@client_cert_option
def logout(url: str | None, data: Path | None, ca_file: Path | None, client_cert_file: Path | None) -> None:
    """End your log-in at a deployment, and delete its token on this machine."""
    from fleet_api.client import Client
    from fleet_api.client.login import kept

    address = _address(url, data)
    try:
        login = kept.read(address)
        if login is None:
            raise Misconfigured(f"you are not logged in at {address}", remedy="see `longtail whoami`")
        with Client(address, login.token, ca_file=ca_file, client_cert_file=client_cert_file) as client:
            page = client.login.log_out().provider_logout_url
    except LongtailError as error:
        if not kept.forget(address):
            raise
        remark(f"the log-in is deleted here; its end could not be told to the API: {error}")
        return
    kept.forget(address)
    print_result(f"logged out of {address}")
    if page is not None:
        remark(f"to log out of the provider, too, open {page}")


@click.command()
@json_option
@with_client
def whoami(client: Client, as_json: bool) -> None:
    """Show who you are to a deployment: your name, roles, and until when your token is valid."""
    me = client.login.me()
    if as_json:
        print_json(me.model_dump(mode="json"))
        return
    how = f"logged in at {me.issuer}" if me.issuer else "by a token"
    print_result(f"{me.name} ({', '.join(me.roles)}), {how}, until {plain_text(me.expires_at)}")


def _logged_in(client: Client, browser: bool, port: int) -> Any:
    """Send a browser to the provider, wait for it to come back, and exchange what it brings."""
    import webbrowser

    from fleet_api.cli.login.loopback import Loopback
    from fleet_api.openid.authorization import Attempt

    provider, attempt = client.login.provider(), Attempt.new()
    listener = Loopback(attempt, issuer=provider.issuer, iss_is_sent=provider.iss_is_sent, port=port)
    with listener:
        page = attempt.url(
            provider.authorization_endpoint,
            client_id=provider.client_id,
            scopes=provider.scopes,
            redirect_uri=listener.redirect_uri,
        )
        remark(f"log in with your browser: {page}")
        if browser:
            webbrowser.open(page)
        code = listener.code(WAIT_S)
    return client.login.exchange(
        code, verifier=attempt.verifier, nonce=attempt.nonce, redirect_uri=listener.redirect_uri
    )


def _address(url: str | None, data: Path | None) -> str:
    """The API that is meant, at an address where nobody on the way reads the token."""
    from fleet_api.client.data_dir import data_dir_of_environment, read_client_file
    from triggers.addresses import is_protected

    if not url:
        known = read_client_file(data or data_dir_of_environment())
        if known is None:
            raise Misconfigured("no deployment is named", remedy="give its address with --url or LONGTAIL_API_URL")
        url = known.api_url
    if not is_protected(url):
        raise Misconfigured(f"a log-in must not pass over plain HTTP: {url}", remedy="give the https:// address")
    return url.rstrip("/")
