"""The doctor on the OpenID provider: what it says of one that can be used, and of each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Response

from fleet_api.api.app import create_app
from fleet_api.deployment.doctor.access import openid
from fleet_api.deployment.doctor.findings import Finding, guarded_all
from storage.settings import Settings
from tests.support.servers.openid_provider import OpenIdProvider
from triggers.errors import Misconfigured

WELL_KNOWN = "/.well-known/openid-configuration"


def findings(settings: Settings, **changes: object) -> list[Finding]:
    return list(guarded_all(openid.CHECK, openid.check(settings.model_copy(update=changes))))


def test_a_provider_that_can_be_used_is_named(settings: Settings, provider: OpenIdProvider, tmp_path: Path) -> None:
    (tmp_path / "client-secret").chmod(0o600)
    (found,) = findings(settings)
    assert (found.status, found.check) == ("ok", "log-in")
    assert found.message.startswith(f"{provider.issuer} can be used, with 1 keys; its groups give the roles approver")
    (found,) = findings(settings, oidc_issuer="")
    assert found.status == "ok" and "people have tokens" in found.message


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"response_types_supported": ["id_token"]}, "fail", "authorization code flow"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "fail", "signs ID tokens with HS256, none"),
        ({"code_challenge_methods_supported": ["plain"]}, "warn", "PKCE"),
        ({"issuer": "https://evil.example"}, "fail", "it is of the issuer 'https://evil.example'"),
        ({"token_endpoint": None}, "fail", "token_endpoint"),
        ({"jwks_uri": "http://login.example/keys"}, "fail", "its jwks_uri is not an https:// URL"),
    ],
)
def test_what_the_provider_lacks_is_a_finding_with_a_remedy(
    settings: Settings, provider: OpenIdProvider, tmp_path: Path, changes: dict[str, object], status: str, words: str
) -> None:
    (tmp_path / "client-secret").chmod(0o600)
    provider.discovery = changes
    (found,) = findings(settings)
    assert found.status == status and words in found.message and found.remedy


SETTINGS: list[tuple[dict[str, object], str]] = [
    ({"oidc_client_id": ""}, "no client"),
    ({"oidc_roles": ""}, "nobody can log in"),
    ({"oidc_scopes": "profile"}, "lacks openid"),
    ({"api_url": "http://fleet.example"}, "plain HTTP"),
    ({"oidc_client_secret_file": Path("/nonexistent")}, "cannot read the client's secret"),
    ({"oidc_ca_file": Path("/nonexistent")}, "cannot be used"),
    ({"oidc_ca_file": None}, "certificate"),
]


def test_settings_that_cannot_work_are_named(settings: Settings) -> None:
    for changes, words in SETTINGS:
        (found,) = findings(settings, **changes)
        assert found.status == "fail" and words in found.message and found.remedy, changes
    (found,) = findings(settings)
    assert found.status == "warn" and "others can read the client's secret" in found.message


def test_an_api_whose_log_in_cannot_work_does_not_start(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match="nobody can log in"):
        create_app(settings.model_copy(update={"oidc_roles": ""}))


def test_a_provider_that_is_down_is_a_failure(settings: Settings, provider: OpenIdProvider) -> None:
    down: Callable[[], Response] = lambda: Response("down", 503)  # noqa: E731
    provider.answers[WELL_KNOWN] = down
    (found,) = findings(settings)
    assert found.status == "fail" and "it answered 503" in found.message and "LONGTAIL_OIDC_ISSUER" in found.remedy
