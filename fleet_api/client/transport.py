"""The client's HTTP requests: contract types in and out, and error responses raised as Longtail's errors."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar, cast
from urllib.parse import quote, urljoin, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from triggers.addresses import is_loopback
from triggers.contracts.clip import CLIP_ID_FORM
from triggers.contracts.problem import error_of, retry_after_s
from triggers.errors import InvalidInput, Misconfigured, Overloaded, Unreachable
from triggers.private_files import no_password
from triggers.remedies import first_mistake

TIMEOUT_S = 60.0
PATIENCE_S = 30.0
"""How long a request waits in all where the API asks to come again (Retry-After)."""
MAX_SEGMENT_CHARACTERS = 1000
SHOWN_CANDIDATES = 5
SHORTEST_PAUSE_S = 0.1
_COME_AGAIN = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
_SETTING = "LONGTAIL_API_URL or --url"
_FORMS = {
    "clips": CLIP_ID_FORM,
    "vehicles": "a vehicle's id has at most 64 of A-Z a-z 0-9 . _ : -; `longtail vehicles list` shows all",
    "campaigns": "a campaign's name has at most 64 of a-z 0-9 _; `longtail campaign list` shows all",
}
"""What ids and names look like, by the first segment of their paths."""

Answer = TypeVar("Answer", bound=BaseModel)
Request = TypeVar("Request", bound=BaseModel)
Entry = TypeVar("Entry")
Parameters = Mapping[str, str | int | None]
"""Query parameters under the names that the API gives them; those that are None are left out."""


class PageOfList(Protocol):
    """A page of a list, as a document has it."""

    @property
    def next(self) -> str | int | None:
        """What the next page is asked for by; None: this is the last."""


PageKind = TypeVar("PageKind", bound=PageOfList)


class Transport:
    """Requests to one deployment's API with one token."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float,
        patience_s: float = PATIENCE_S,
        http: httpx.Client | None = None,
        ca_file: Path | None = None,
        client_cert_file: Path | None = None,
    ) -> None:
        self._patience_s = patience_s
        self.url = _checked_url(url)
        self._headers = {"Authorization": f"Bearer {_checked_token(token)}"} if token else {}
        self._ca_file, self._client_cert_file = ca_file, client_cert_file
        verified = verification(ca_file, client_cert_file)
        self._http = http or httpx.Client(timeout=timeout_s, trust_env=not on_this_machine(url), verify=verified)

    def get(self, kind: type[Answer], path: str, parameters: Parameters | None = None) -> Answer:
        """GET a document."""
        given = {name: value for name, value in (parameters or {}).items() if value is not None}
        return self._parsed(kind, self._send("GET", path, params=given))

    def pages(
        self,
        kind: type[PageKind],
        path: str,
        entries: Callable[[PageKind], Sequence[Entry]],
        *,
        by: str,
        size: int,
        parameters: Parameters | None = None,
        limit: int | None = None,
    ) -> Iterator[Entry]:
        """The entries of a list, at most `limit`: pages of `size` are fetched as they are needed.

        `by` is the query parameter that takes the `next` of the page before.
        """
        position: str | int | None = None
        left = limit
        while left is None or left > 0:
            asked = {**(parameters or {}), by: position, "limit": size if left is None else min(size, left)}
            page = cast(PageKind, self.get(cast(type[BaseModel], kind), path, asked))
            found = entries(page)
            yield from found
            left = None if left is None else left - len(found)
            position = page.next
            if position is None:
                return

    def whole(
        self, kind: type[Answer], path: str, entries: str, *, size: int, parameters: Parameters | None = None
    ) -> Answer:
        """The first page of a list with the entries of all pages, which are its member `entries`; not for long ones."""
        first = page = self.get(kind, path, {**(parameters or {}), "limit": size})
        while (after := cast(PageOfList, page).next) is not None:
            page = self.get(kind, path, {**(parameters or {}), "after": after, "limit": size})
            getattr(first, entries).extend(getattr(page, entries))
        return first.model_copy(update={"next": None})

    def post(self, kind: type[Answer], path: str, body: BaseModel | None = None) -> Answer:
        """POST a document, or an empty one; the answer's document."""
        return self._parsed(kind, self._post(path, body))

    def put(self, kind: type[Answer], path: str, body: BaseModel) -> Answer:
        """PUT a document; the answer's document."""
        headers = {"Content-Type": "application/json"}
        return self._parsed(kind, self._send("PUT", path, content=_encoded(body), headers=headers))

    def act(self, path: str, body: BaseModel | None = None) -> None:
        """POST a document or an empty document, and ignore the body of the answer."""
        self._post(path, body)

    def remove(self, path: str) -> None:
        """DELETE what the path names, and ignore the body of the answer."""
        self._send("DELETE", path)

    def delete(self, kind: type[Answer], path: str, parameters: Parameters) -> Answer:
        """DELETE what the path names; the answer's document."""
        return self._parsed(kind, self._send("DELETE", path, params=dict(parameters)))

    @contextmanager
    def linked(self, link: str, *, span: str | None = None) -> Iterator[httpx.Response]:
        """The response for a link from an earlier answer, its body not yet read. The token is sent only to the API.

        `span` is a value of the header Range.
        """
        url = urljoin(self.url + "/", link)
        with ExitStack() as stack:
            http, headers = self._http, dict(self._headers)
            if not url.startswith(self.url + "/"):
                verified = verification(self._ca_file, self._client_cert_file, with_known=True)
                http = stack.enter_context(
                    httpx.Client(timeout=TIMEOUT_S, trust_env=not on_this_machine(url), verify=verified)
                )
                headers = {}
            if span is not None:
                headers |= {"Range": span, "Accept-Encoding": "identity"}
            try:
                for pause in _Pauses(self._patience_s):
                    response = stack.enter_context(http.stream("GET", url, headers=headers))
                    if not response.is_success:
                        response.read()
                    if not pause(response):
                        break
                yield _checked(response)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise Unreachable(f"{url} does not answer, or its answer is incomplete ({_reason(error)})") from error

    def range_of(self, link: str, start: int, end: int) -> bytes:
        """The bytes of a linked file from `start` to before `end`."""
        with self.linked(link, span=f"bytes={start}-{end - 1}") as response:
            content = response.read()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:  # a server need not know ranges (RFC 9110, 14.2)
            content = content[start:end]
        if len(content) != end - start:
            raise Unreachable(f"{response.url} answered with {len(content)} bytes of {end - start}")
        return content

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _post(self, path: str, body: BaseModel | None) -> httpx.Response:
        content = b"{}" if body is None else _encoded(body)
        return self._send("POST", path, content=content, headers={"Content-Type": "application/json"})

    def _send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        try:
            for pause in _Pauses(self._patience_s):
                response = self._http.request(
                    method, self.url + path, headers={**self._headers, **(headers or {})}, **request
                )
                if not pause(response):
                    break
        except httpx.HTTPError as error:
            raise Unreachable(
                f"the API at {self.url} does not answer ({_reason(error)})",
                remedy=f"start it with `longtail up`, or give another address ({_SETTING})",
            ) from error
        except (
            httpx.InvalidURL,
            UnicodeEncodeError,
        ) as error:  # the base URL was checked, so the fault is in the request
            raise InvalidInput(f"this request cannot be sent to the API: {_reason(error)}") from error
        return _checked(response)

    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer:
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise Misconfigured(
                f"the answer from {response.request.url} is not one of Longtail's API ({first_mistake(error)})",
                remedy=f"check {_SETTING}, and that the client and the server have the same version",
            ) from error


class _Pauses:
    """The attempts of a request: after each, a pause as the answer asks, until they would take too long together."""

    def __init__(self, patience_s: float) -> None:
        self._left_s = patience_s

    def __iter__(self) -> Iterator[Callable[[httpx.Response], bool]]:
        while True:
            yield self._pause

    def _pause(self, response: httpx.Response) -> bool:
        """Wait as long as this answer asks, and return true, if the request is to be sent again."""
        if response.status_code not in _COME_AGAIN or "Retry-After" not in response.headers:
            return False
        if response.request.method != "GET" and not _is_refused_unread(response):
            return False
        wait_s = retry_after_s(response.headers)
        if wait_s > self._left_s:
            return False
        self._left_s -= max(wait_s, SHORTEST_PAUSE_S)
        time.sleep(max(wait_s, SHORTEST_PAUSE_S))
        return True


def _is_refused_unread(response: httpx.Response) -> bool:
    """Whether nothing was done for this request: what it asks for may be asked again, whatever it is."""
    error = error_of(response.status_code, response.headers, response.content, what="a request")
    return isinstance(error, Overloaded)


def path_of(*segments: str | int) -> str:
    """A path below /v1, with each segment quoted; raises InvalidInput for a text that cannot be a segment."""
    remedy = _FORMS.get(str(segments[0]), "")
    return "/v1/" + "/".join(_segment(str(segment), remedy) for segment in segments)


def request_of(kind: type[Request], /, **values: Any) -> Request:
    """A request's document; raises InvalidInput, naming the value that breaks a rule."""
    try:
        return kind(**values)
    except ValidationError as error:
        first = first_mistake(error)
        raise InvalidInput(str(first), remedy=first.remedy) from error


def refuse_ambiguous(things: str, prefix: str, ids: Sequence[str]) -> NoReturn:
    """Raise InvalidInput, naming some of the ids that begin with `prefix`."""
    shown = ", ".join(sorted(ids)[:SHOWN_CANDIDATES]) + (" ..." if len(ids) > SHOWN_CANDIDATES else "")
    raise InvalidInput(f"several {things} have an id that begins with {prefix}: {shown}", remedy="give more of the id")


def on_this_machine(url: str) -> bool:
    """Whether a URL leads to this machine, so that the environment's proxies must not be used for it."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return is_loopback(host)


def _checked_url(url: str) -> str:
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeEncodeError) as error:
        raise Misconfigured(f"{url!r} is not a URL ({error})", remedy=f"correct {_SETTING}") from error
    if parts.scheme not in ("http", "https") or not parts.host:
        raise Misconfigured(f"{url!r} is not an HTTP address", remedy=f"correct {_SETTING}")
    return url.rstrip("/")


def _checked_token(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Misconfigured(
            "the token has characters that a token cannot have", remedy="correct LONGTAIL_TOKEN or --token"
        )
    return token


def _segment(text: str, remedy: str) -> str:
    """A slash would be taken for the end of the segment by the server, and what follows for another address."""
    if text in ("", ".", "..") or "/" in text or len(text) > MAX_SEGMENT_CHARACTERS:
        raise InvalidInput(f"{text[:60]!r} is not a name or id", remedy=remedy)
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{text!r} is not UTF-8 text", remedy=remedy) from error


def _encoded(body: BaseModel) -> bytes:
    try:
        return body.model_dump_json().encode()
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"this cannot be sent as JSON: {error}") from error


def _reason(error: Exception) -> str:
    return str(error).strip() or type(error).__name__


def _checked(response: httpx.Response) -> httpx.Response:
    """The response if it is a success; otherwise raises the error that it describes."""
    if response.is_success:
        return response
    what = f"{response.request.method} {response.request.url}"
    raise error_of(response.status_code, response.headers, response.content, what=what)


def verification(
    ca_file: Path | None, client_cert_file: Path | None = None, *, with_known: bool = False
) -> ssl.SSLContext | bool:
    """How a server's certificate is verified: by the authorities in this file, else by those that httpx knows; and the
    certificate that is shown to a server that asks for one.

    `with_known`: by both, for a link that may lead to the deployment or to an object store of somebody else.
    """
    if ca_file is None and client_cert_file is None:
        return True
    context = _knowing() if ca_file is None or with_known else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise Misconfigured(
                f"the authorities in {ca_file} cannot be used: {error}",
                remedy="name a PEM file (--ca-file, LONGTAIL_CA_FILE)",
            ) from error
    return showing(context, client_cert_file)


def _knowing() -> ssl.SSLContext:
    """A context with the authorities that httpx knows."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise Misconfigured(
            f"the authorities that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used: {error}",
            remedy="correct or unset these variables",
        ) from error


def showing(context: ssl.SSLContext, client_cert_file: Path | None) -> ssl.SSLContext:
    """The context, with the certificate in this file for servers that ask for one. Misconfigured if it has none."""
    if client_cert_file is None:
        return context
    try:
        context.load_cert_chain(client_cert_file, password=no_password)
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"the client's certificate in {client_cert_file} cannot be used: {error}",
            remedy="name a PEM file with a certificate and its key (--client-cert-file, LONGTAIL_CLIENT_CERT_FILE)",
        ) from error
    return context
