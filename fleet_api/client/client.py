"""The API as the command line calls it: bearer token in, JSON out, problems back as the errors they were.

A deployment is found by `--url`/`LONGTAIL_API_URL` and `--token`/`LONGTAIL_TOKEN`, else by the file that
`longtail up` leaves in its data directory.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urljoin, urlsplit

import httpx

from fleet_api.client.client_file import read_client_file
from storage.embedded.runas import default_data_dir
from triggers.contracts.problem import error_of
from triggers.errors import InvalidInput, Misconfigured, Unreachable

TIMEOUT_S = 60.0
PAGE = 100
MAX_READ_BYTES = 1024**3
_SETTING = "LONGTAIL_API_URL or --url"


class ApiClient:
    """One deployment's API. A context manager; methods raise the error that the API reports."""

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(headers=headers, timeout=timeout_s, trust_env=not on_this_machine(url))

    def get(self, path: str, **parameters: Any) -> Any:
        """GET a JSON document; parameters that are None are left out."""
        given = {name.replace("_", "-"): value for name, value in parameters.items() if value is not None}
        return self._json("GET", path, params=given)

    def post(self, path: str, body: Any = None) -> Any:
        """POST a JSON document; the answer's document, None when it has none."""
        return self._json("POST", path, json={} if body is None else body)

    def download(self, link: str, target: Path) -> None:
        """Write the bytes behind a link that an answer held to `target`, which appears only when it is whole.

        Misconfigured when it cannot be written. The token is sent to nobody but the API itself.
        """
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with self._linked(link) as response, part.open("xb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
            part.replace(target)
        except OSError as error:
            raise Misconfigured(
                f"{target}: cannot be written ({error.strerror})", remedy="free space, or choose another folder"
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def read(self, link: str, *, limit_bytes: int = MAX_READ_BYTES) -> bytes:
        """The bytes behind a link, in memory; InvalidInput when they are more than `limit_bytes`."""
        content = bytearray()
        with self._linked(link) as response:
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > limit_bytes:
                    raise InvalidInput(f"{response.url} has more than {limit_bytes} bytes", remedy="download it")
        return bytes(content)

    def search_clips(
        self, filter_text: str | None, *, limit: int | None = None, sortby: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Clips by CQL2 text, page after page, at most `limit`."""
        token: str | None = None
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            parameters = {"filter": filter_text, "limit": size, "token": token, "sortby": sortby}
            if filter_text is not None:
                parameters["filter_lang"] = "cql2-text"
            page = self.get("/v1/clips", **parameters)
            yield from page["clips"]
            left = None if left is None else left - len(page["clips"])
            token = page["next"]
            if token is None:
                return

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _linked(self, link: str) -> Iterator[httpx.Response]:
        """The answer behind a link, its body still to be read."""
        url = urljoin(self.url + "/", link)
        with ExitStack() as stack:
            client = self._http
            if not url.startswith(self.url + "/"):
                client = stack.enter_context(httpx.Client(timeout=TIMEOUT_S, trust_env=not on_this_machine(url)))
            try:
                response = stack.enter_context(client.stream("GET", url))
                if not response.is_success:
                    response.read()
                yield _checked(response)
            except httpx.HTTPError as error:
                raise Unreachable(f"{url} does not answer, or not to the end ({_reason(error)})") from error

    def _json(self, method: str, path: str, **request: Any) -> Any:
        response = self._send(method, self.url + path, **request)
        return response.json() if response.content else None

    def _send(self, method: str, url: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, url, **request)
        except httpx.HTTPError as error:
            raise Unreachable(
                f"the API at {self.url} does not answer ({_reason(error)})",
                remedy=f"start it with `longtail up`, or name another one ({_SETTING})",
            ) from error
        except httpx.InvalidURL as error:
            raise Misconfigured(f"{self.url!r} is no URL ({error})", remedy=f"correct {_SETTING}") from error
        return _checked(response)


def on_this_machine(url: str) -> bool:
    """Whether a URL leads to this machine: no proxy of the environment can be meant for it."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "::1") or host.startswith("127.")


def segment(text: str) -> str:
    """One segment of a path, quoted."""
    return quote(text, safe="")


def open_client(url: str | None, token: str | None, data_dir: Path | None) -> ApiClient:
    """The client of the deployment that options, environment or `client.json` name; Misconfigured when none does."""
    if url and token:
        return ApiClient(url, token)
    folder = data_dir or default_client_dir()
    known = read_client_file(folder)
    if known is None:
        if url:
            raise Misconfigured(f"no token for {url}", remedy="give --token or set LONGTAIL_TOKEN")
        raise Misconfigured(
            f"no deployment is known: there is no {folder / 'client.json'}",
            remedy="start one with `longtail up`, or give --url and --token (LONGTAIL_API_URL, LONGTAIL_TOKEN)",
        )
    if url and url.rstrip("/") != known.api_url and not token:
        raise Misconfigured(
            f"no token for {url} (the one in {folder / 'client.json'} is for {known.api_url})",
            remedy="give --token or set LONGTAIL_TOKEN",
        )
    return ApiClient(url or known.api_url, token or known.token)


def default_client_dir() -> Path:
    """The data directory that `longtail up` uses when nobody names one."""
    return Path(os.environ.get("LONGTAIL_DATA_DIR") or default_data_dir())


def _reason(error: httpx.HTTPError) -> str:
    return str(error).strip() or type(error).__name__


def _checked(response: httpx.Response) -> httpx.Response:
    """The response, or the error that it tells of."""
    if response.is_success:
        return response
    what = f"{response.request.method} {response.request.url}"
    raise error_of(response.status_code, response.headers, response.content, what=what)
