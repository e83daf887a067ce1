"""The cookie of a log-in that is under way: the browser keeps the attempt's secrets, so that no process has to.

It is sent when the provider leads the browser back, which is a request that another site makes: so it is `Lax`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import astuple, dataclass

from starlette.requests import Request
from starlette.responses import Response

from fleet_api.http.session import Cookie
from fleet_api.openid.authorization import Attempt

NAME = "longtail_login"
LIFETIME_S = 600
MAX_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class Begun:
    """A log-in that this browser began, and where it goes afterwards."""

    attempt: Attempt
    wanted: str


def keep(response: Response, public_url: str, begun: Begun) -> None:
    """Let the browser keep the attempt for some minutes; an earlier one is forgotten."""
    values = [*astuple(begun.attempt), begun.wanted]
    encoded = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    _cookie(public_url).set(response, encoded, max_age_s=LIFETIME_S)


def kept(request: Request, public_url: str) -> Begun | None:
    """The attempt that this browser began; None if it began none, or its cookie is damaged."""
    sent = _cookie(public_url).read(request)
    if sent is None or len(sent) > MAX_CHARACTERS:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(sent + "=" * (-len(sent) % 4)))
        state, nonce, verifier, wanted = map(str, values)
    except (ValueError, TypeError, RecursionError):
        return None
    return Begun(Attempt(state, nonce, verifier), wanted)


def forget(response: Response, public_url: str) -> None:
    """An attempt serves once, whatever became of it."""
    _cookie(public_url).clear(response)


def _cookie(public_url: str) -> Cookie:
    return Cookie(NAME, public_url, same_site="lax")
