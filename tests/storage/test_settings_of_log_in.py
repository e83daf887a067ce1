"""Settings of log-in: what cannot be an issuer, or give roles to groups, is refused where it is set."""

from __future__ import annotations

import json

import pytest

from storage.settings import Settings
from triggers.contracts.users import Role, groups_of_roles
from triggers.errors import Misconfigured


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example",
        "login.example",
        "https://",
        "https://x/?a",
        "https://x/#a",
        "https://u@x",
        "https://x y",
        "ftp://x",
    ],
)
def test_what_cannot_be_an_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(Misconfigured, match="LONGTAIL_OIDC_ISSUER"):
        Settings.load(oidc_issuer=issuer)


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        ("author=x", "must be JSON"),
        ("[]", "must be a JSON object"),
        ('{"king": ["x"]}', "'king' is not a role; choose from viewer"),
        ('{"author": "x"}', "the groups of author must be a list of names"),
        ('{"author": [1]}', "the groups of author must be a list of names"),
        ("[" * 100_000, "must be JSON"),
    ],
)
def test_groups_that_give_no_role_are_refused(roles: str, words: str) -> None:
    with pytest.raises(Misconfigured, match="LONGTAIL_OIDC_ROLES") as caught:
        Settings.load(oidc_roles=roles)
    assert words in caught.value.message


def test_groups_may_have_any_name() -> None:
    named = 'CN=fleet, OU="a|b"'
    settings = Settings.load(oidc_issuer="http://127.0.0.1:8443/x", oidc_roles=json.dumps({"author": [named]}))
    assert groups_of_roles(settings.oidc_roles) == {Role.AUTHOR: (named,)}
