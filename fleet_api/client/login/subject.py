"""Log-in: where people log in, the exchange of the code that comes back, who somebody is, and log-out."""

from __future__ import annotations

from fleet_api.client.transport import Transport, request_of
from triggers.contracts.api.login import LoggedOutView, LoginCodeRequest, LoginView, MeView, ProviderView


class Login:
    """What `client.login` can do; `provider` and `exchange` need no token."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def provider(self) -> ProviderView:
        """Where people log in; NotFound if this deployment has no provider."""
        return self._transport.get(ProviderView, "/v1/login/provider")

    def exchange(self, code: str, *, verifier: str, nonce: str, redirect_uri: str) -> LoginView:
        """The token for the code that the provider sent to `redirect_uri`; Unauthenticated for one that was used."""
        request = request_of(LoginCodeRequest, code=code, verifier=verifier, nonce=nonce, redirect_uri=redirect_uri)
        return self._transport.post(LoginView, "/v1/login/code", request)

    def me(self) -> MeView:
        """Who the owner of this client's token is."""
        return self._transport.get(MeView, "/v1/me")

    def log_out(self) -> LoggedOutView:
        """End the log-in that this client's token is of; Conflict for a token that an operator issued."""
        return self._transport.post(LoggedOutView, "/v1/logout")
