"""Finding a deployment: by address and token, by a log-in that is kept, else by the file that `longtail up` leaves."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from fleet_api.client.client import Client
from fleet_api.client.data_dir import NAME, data_dir_of_environment, read_client_file
from fleet_api.client.login import kept
from triggers.errors import Misconfigured

_LOG_IN = "set LONGTAIL_TOKEN or LONGTAIL_TOKEN_FILE, or `longtail login"


def open_client(
    url: str | None = None,
    token: str | None = None,
    data_dir: Path | None = None,
    *,
    ca_file: Path | None = None,
    client_cert_file: Path | None = None,
) -> Client:
    """The client of the deployment at `url`, or of the one in a data directory; raises Misconfigured without either.

    Without a token, whoever has logged in at that deployment (`longtail login`) goes on under that name. The token in a
    data directory is sent only to the deployment of that directory.
    """
    open_at = partial(Client, ca_file=ca_file, client_cert_file=client_cert_file)
    if url and token:
        return open_at(url, token)
    if url and (login := kept.read(url)) is not None:
        return open_at(url, login.token)
    file = (data_dir or data_dir_of_environment()) / NAME
    known = read_client_file(file.parent)
    if known is None:
        if url:
            raise Misconfigured(f"no token for {url}", remedy=f"{_LOG_IN} --url {url}`")
        raise Misconfigured(
            f"no deployment found: there is no {file}",
            remedy="start one with `longtail up`, or set LONGTAIL_API_URL and LONGTAIL_TOKEN",
        )
    if url and url.rstrip("/") != known.api_url and not token:
        raise Misconfigured(
            f"no token for {url} (the one in {file} is for {known.api_url})",
            remedy=f"{_LOG_IN} --url {url}`",
        )
    if not url and not token and (login := kept.read(known.api_url)) is not None:
        return open_at(known.api_url, login.token)
    return open_at(url or known.api_url, token or known.token)
