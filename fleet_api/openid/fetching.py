"""Requests to the OpenID provider: one deadline, a bound on the answer's size, and no redirect is followed.

A provider may be slow, broken, or somebody else's by now. Whatever it answers, the API gives up after `EXCHANGE_S` and
holds no more than `MAX_ANSWER_BYTES` of it.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

import httpx

from storage.settings import PREFIX
from triggers.addresses import is_protected
from triggers.errors import Misconfigured, Unreachable

# The vehicle's transport: the only one that keeps one deadline for a whole exchange, which is what is needed here.
from triggers.vehicle.exchange import ExchangeTransport

EXCHANGE_S = 8.0
MAX_ANSWER_BYTES = 256 * 1024
"""Google's discovery document has 2 KiB, its keys 3 KiB; a large organisation's keys 30 KiB."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider answered: JSON objects only."""

    status_code: int
    document: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """The document, under the name by which authlib asks for it."""
        return self.document

    def raise_for_status(self) -> None:
        """Every answer that gets here is a success, or an OAuth error that authlib reads."""


class Fetching:
    """Requests to one provider. `ca_file` has the authority that signed its certificate."""

    def __init__(self, ca_file: Path | None = None, *, exchange_s: float = EXCHANGE_S) -> None:
        self._ca_file = ca_file
        self._exchange_s = exchange_s

    def get(self, url: str) -> dict[str, Any]:
        """The JSON object at a URL. Unreachable, naming the URL, for any other answer or none."""
        answer = self._send("GET", url)
        if answer.status_code != HTTPStatus.OK:
            _refuse(url, f"it answered {answer.status_code}")
        return answer.document

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """The answer to a form: a success, or a status of 400 or 401 with an OAuth error (RFC 6749, section 5.2)."""
        answer = self._send("POST", url, data=dict(form), headers=dict(headers))
        if answer.status_code not in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED):
            _refuse(url, f"it answered {answer.status_code}")
        return answer

    def _send(self, method: str, url: str, **content: Any) -> Answer:
        if not is_protected(url):
            _refuse(url[:200], "it is not an https:// URL")
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", **content.pop("headers", {})}
        try:
            with closing(self._client()) as client, client.stream(method, url, headers=headers, **content) as answer:
                return Answer(answer.status_code, _document(url, answer))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            _refuse(url, str(error) or type(error).__name__, error)

    def _client(self) -> httpx.Client:
        try:
            context = ssl.create_default_context(cafile=self._ca_file) if self._ca_file else None
        except OSError as error:
            raise Misconfigured(
                f"the authorities in {self._ca_file} cannot be used: {error}",
                remedy=f"name a PEM file in {PREFIX}OIDC_CA_FILE",
            ) from error
        return httpx.Client(transport=ExchangeTransport(self._exchange_s, context), timeout=self._exchange_s)


def _document(url: str, answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer, read up to the bound."""
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        _refuse(url, "it answered in an encoding that was not asked for")
    content = bytearray()
    for part in answer.iter_raw():
        content += part
        if len(content) > MAX_ANSWER_BYTES:
            _refuse(url, f"its answer is larger than {MAX_ANSWER_BYTES} bytes")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        _refuse(url, f"it answered {answer.status_code}, and not with JSON", error)
    if not isinstance(document, dict):
        _refuse(url, "it answered with JSON that is not an object")
    return document


def _refuse(url: str, reason: str, error: Exception | None = None) -> NoReturn:
    raise Unreachable(
        f"the OpenID provider cannot be used: {url}: {reason}",
        remedy=f"check {PREFIX}OIDC_ISSUER and {PREFIX}OIDC_CA_FILE, and that this machine reaches the provider",
    ) from error
