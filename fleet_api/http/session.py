"""The session cookie of browsers: the token of a log-in where no script can read it, and who may send it.

A browser sends the cookie with every request to the API, also with those that a page of another site has made it send.
Such requests must not change anything: a change needs a page of our own origin.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from ingest.http.prefix import prefix_of
from triggers.addresses import web_origin
from triggers.errors import Forbidden

NAME = "longtail_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie of the API at its public URL: HttpOnly, not sent with other sites' requests, Secure over TLS.

    `__Host-` keeps other hosts of the domain from setting it; below a path prefix, which it does not allow,
    `__Secure-` at least keeps plain HTTP from it (RFC 6265bis, section 4.1.3).
    """

    base_name: str
    public_url: str
    same_site: str = "strict"

    @property
    def name(self) -> str:
        """The cookie's name."""
        if not self._secure:
            return self.base_name
        return ("__Secure-" if self._path != "/" else "__Host-") + self.base_name

    def read(self, request: Request) -> str | None:
        """What the browser sent; None without the cookie."""
        return request.cookies.get(self.name)

    def set(self, response: Response, value: str, *, max_age_s: int) -> None:
        """Let the browser keep it."""
        response.set_cookie(
            self.name,
            value,
            max_age=max_age_s,
            path=self._path,
            secure=self._secure,
            httponly=True,
            samesite=self.same_site,  # type: ignore[arg-type]
        )

    def clear(self, response: Response) -> None:
        """Let the browser forget it."""
        self.set(response, "", max_age_s=0)

    @property
    def _secure(self) -> bool:
        return self.public_url.startswith("https:")

    @property
    def _path(self) -> str:
        return prefix_of(self.public_url) or "/"


def session_cookie(public_url: str) -> Cookie:
    """The cookie with the token of a log-in."""
    return Cookie(NAME, public_url)


def require_own_page(method: str, headers: Headers, public_url: str) -> None:
    """Forbidden for a request with the cookie that could change something and does not come from a page of the API.

    Browsers say where a request comes from (Fetch Metadata, else `Origin`); pages cannot change what they say.
    """
    if method in SAFE_METHODS:
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site == "same-origin" or (site is None and origin == web_origin(public_url)):
        return
    raise Forbidden(
        "this request is of a browser's session, and does not come from a page of this API",
        remedy=f"send it from a page at {web_origin(public_url)}, or with `Authorization: Bearer` and no cookie",
    )
