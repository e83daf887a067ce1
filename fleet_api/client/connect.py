"""Finding a deployment: by address and token, else by the file that `longtail up` leaves in its data directory."""

from __future__ import annotations

from pathlib import Path

from fleet_api.client.client import ApiClient
from fleet_api.client.data_dir import NAME, data_dir_of_environment, read_client_file
from triggers.errors import Misconfigured


def open_client(
    url: str | None = None, token: str | None = None, data_dir: Path | None = None, *, ca_file: Path | None = None
) -> ApiClient:
    """The client of the deployment at `url`, or of the one in a data directory; raises Misconfigured without either.

    The token in a data directory is sent only to the deployment of that directory.
    """
    if url and token:
        return ApiClient(url, token, ca_file=ca_file)
    file = (data_dir or data_dir_of_environment()) / NAME
    known = read_client_file(file.parent)
    if known is None:
        if url:
            raise Misconfigured(f"no token for {url}", remedy="set LONGTAIL_TOKEN or LONGTAIL_TOKEN_FILE")
        raise Misconfigured(
            f"no deployment found: there is no {file}",
            remedy="start one with `longtail up`, or set LONGTAIL_API_URL and LONGTAIL_TOKEN",
        )
    if url and url.rstrip("/") != known.api_url and not token:
        raise Misconfigured(
            f"no token for {url} (the one in {file} is for {known.api_url})",
            remedy="set LONGTAIL_TOKEN or LONGTAIL_TOKEN_FILE",
        )
    return ApiClient(url or known.api_url, token or known.token, ca_file=ca_file)
