"""Fixtures for log-in: a provider with ann, who is an author, and an API whose people log in there."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from storage.settings import Settings
from tests.fleet_api.api_server import Api
from tests.support.servers.openid_provider import CLIENT_ID, COMMAND_LINE, SECRET, OpenIdProvider, running_provider

ROLES = {"author": ["fleet-authors"], "viewer": ["staff"], "approver": ["fleet-approvers"], "labeler": ["labelers"]}
ANN = {
    "sub": "248289761001",
    "preferred_username": "ann",
    "email": "ann@fleet.example",
    "email_verified": True,
    "groups": ["fleet-authors", "staff"],
}


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[OpenIdProvider]:
    """A provider at which ann is logged in."""
    with running_provider(tmp_path, redirect_uri="http://127.0.0.1:8080/v1/login/callback") as provider:
        provider.person = dict(ANN)
        yield provider


@pytest.fixture
def settings(settings: Settings, provider: OpenIdProvider, tmp_path: Path) -> Settings:
    """Settings of a deployment whose people log in there."""
    secret = tmp_path / "client-secret"
    secret.write_text(SECRET + "\n")
    return settings.model_copy(
        update={
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret_file": secret,
            "oidc_command_line_client_id": COMMAND_LINE,
            "oidc_roles": json.dumps(ROLES),
            "oidc_ca_file": provider.ca_file,
        }
    )


class Browser:
    """A browser with its own cookies, for the API and for the provider; it follows no redirect by itself."""

    def __init__(self, api: Api, provider: OpenIdProvider) -> None:
        self.api = api
        self._provider = httpx.Client(verify=ssl.create_default_context(cafile=provider.ca_file), timeout=60)

    def begin(self, **query: str) -> str:
        """Begin to log in; where the API sends the browser."""
        answer = self.api.client.get("/v1/login", params=query, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def at_provider(self, url: str) -> str:
        """Log in at the provider; where it sends the browser back to, as path and query."""
        answer = self._provider.get(url)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    def come_back(self, path: str) -> httpx.Response:
        """Bring the provider's answer to the API."""
        answer: httpx.Response = self.api.client.get(path, follow_redirects=False)
        return answer

    def forget_provider(self) -> None:
        """Let the API ask the provider again for everything."""
        self.api.change_settings()

    def log_in(self, **query: str) -> httpx.Response:
        """The whole way."""
        return self.come_back(self.at_provider(self.begin(**query)))

    def send(self, method: str, path: str, **options: object) -> httpx.Response:
        """A request of a page of the API."""
        headers = {"Sec-Fetch-Site": "same-origin", **options.pop("headers", {})}  # type: ignore[dict-item]
        answer: httpx.Response = self.api.client.request(method, path, headers=headers, **options)  # type: ignore[arg-type]
        return answer

    def close(self) -> None:
        self._provider.close()


@pytest.fixture
def browser(api: Api, provider: OpenIdProvider) -> Iterator[Browser]:
    """A browser that has not been here before."""
    browser = Browser(api, provider)
    yield browser
    browser.close()
