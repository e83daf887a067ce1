"""Signing in to the console at an OpenID provider: there and back, beside a page whose session has ended, refused."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, update

from storage.tables import api_tokens
from tests.fleet_api.api_server import Api
from tests.fleet_api.console.conftest import address_of
from tests.fleet_api.console.visitor import Visitor
from tests.fleet_api.login.conftest import ANN, ROLES
from tests.support.servers.openid_provider import CLIENT_ID, SECRET, OpenIdProvider, running_provider

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def provider(listener: socket.socket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    back = f"{address_of(listener)}/v1/login/callback"
    with running_provider(tmp_path_factory.mktemp("provider"), redirect_uri=back) as provider:
        yield provider


@pytest.fixture(scope="module")
def console_settings(provider: OpenIdProvider, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    secret = tmp_path_factory.mktemp("secret") / "client-secret"
    secret.write_text(SECRET)
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret_file": secret,
        "oidc_roles": json.dumps(ROLES),
        "oidc_ca_file": provider.ca_file,
    }


@pytest.fixture
def person(visitor: Visitor, provider: OpenIdProvider) -> Visitor:
    """Ann, who is logged in at the provider."""
    provider.person = dict(ANN)
    visitor.hosts.append(f"{provider.issuer}/")
    return visitor


def test_a_person_signs_in_there_and_comes_back_to_the_page_that_was_wanted(person: Visitor) -> None:
    page = person.open("/clips?filter=a", role=None)
    person.require_accessible()
    page.get_by_role("link", name="Sign in with your organisation").click()
    expect(person.heading("Clips")).to_be_visible()
    assert page.url.endswith("/console/clips?filter=a")
    account = page.get_by_role("banner").locator("summary")
    expect(account).to_have_text("ann")
    account.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="sign out there, too")).to_be_visible()


def test_a_page_whose_session_has_ended_stays_while_its_person_signs_in_beside_it(person: Visitor, api: Api) -> None:
    page = person.open("/campaigns", role=None)
    page.get_by_role("link", name="Sign in with your organisation").click()
    expect(person.heading("Campaigns")).to_be_visible()
    with api.database.begin() as connection:
        connection.execute(update(api_tokens).where(api_tokens.c.issuer.is_not(None)).values(expires_at=func.now()))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    with person.context.expect_page() as beside:
        dialog.get_by_role("link", name="Sign in with your organisation").click()
    expect(dialog).to_have_count(0)
    expect(person.heading("Campaigns")).to_be_visible()
    assert beside.value != page


def test_who_has_no_role_is_told_so_on_a_page(person: Visitor, provider: OpenIdProvider) -> None:
    provider.person |= {"groups": ["canteen"]}
    page = person.open("/campaigns", role=None)
    person.expect_errors("status of 403")
    page.get_by_role("link", name="Sign in with your organisation").click()
    expect(person.heading("You are not signed in")).to_be_visible()
    expect(page.get_by_text("none of your groups has a role")).to_be_visible()
    person.require_accessible(schemes=("light",))
    page.get_by_role("link", name="Sign in in another way").click()
    expect(person.heading("Sign in")).to_be_visible()
