"""Log-in of people in the API: the provider, the code that comes back from it, and who somebody is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from triggers.contracts.base import Contract

MAX_CODE_CHARACTERS = 8192
Secret = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{43,128}$")]
"""A random value of at least 256 bits, as RFC 7636 has it."""


class ProviderView(BaseModel):
    """What the command line needs to begin a log-in: where, as which client, and for what."""

    issuer: str
    authorization_endpoint: str
    client_id: str
    scopes: str
    iss_is_sent: bool
    """Whether the provider's answer names the issuer (RFC 9207), and so must be refused when it does not."""


class LoginCodeRequest(Contract):
    """The code that came back to a command line, with what only it knows: the PKCE verifier and the nonce."""

    code: Annotated[str, Field(min_length=1, max_length=MAX_CODE_CHARACTERS)]
    verifier: Secret
    nonce: Secret
    redirect_uri: Annotated[str, Field(min_length=1, max_length=200)]


class TokenLoginRequest(Contract):
    """A token that an operator issued, for which a browser is given a session."""

    token: Annotated[str, Field(min_length=1, max_length=200, repr=False)]


class LoginView(BaseModel):
    """The token of a log-in, and until when it is valid."""

    token: str
    user: str
    roles: list[str]
    expires_at: datetime


class MeView(BaseModel):
    """Who sent the request. `issuer` is the provider of a log-in, and null for a token that an operator issued.

    `self_approval` is whether this deployment lets an approver approve what they wrote or submitted themselves.
    """

    id: int
    name: str
    roles: list[str]
    expires_at: datetime
    issuer: str | None
    self_approval: bool


class LoggedOutView(BaseModel):
    """Where to log out of the provider itself; null if it has no such page."""

    provider_logout_url: str | None
