"""Exchanging a token for a session of a browser: what the session may do, with what it ends, and who can get one."""

from __future__ import annotations

import pytest
from httpx import Response
from sqlalchemy import func, select, text, update

from storage import tokens
from storage.logins import sessions
from storage.roles.rights import DatabaseRole
from storage.tables import api_tokens
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.audit.test_routes import log
from tests.fleet_api.login.test_browser import ELSEWHERE
from tests.storage.roles.test_rights import begun_as

COOKIE = "longtail_session"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def token(api: Api) -> str:
    """A token of an author, as an operator issued it."""
    return api.as_("author")["Authorization"].removeprefix("Bearer ")


def sign_in(api: Api, token: str, **headers: str) -> Response:
    answer: Response = api.client.post("/v1/login/token", json={"token": token}, headers=headers or OWN_PAGE)
    return answer


def test_a_token_is_exchanged_for_a_session_with_its_roles(api: Api, token: str) -> None:
    answer = sign_in(api, token)
    assert (answer.status_code, answer.json()["name"], answer.json()["roles"]) == (200, "author-user", ["author"])
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=lt_") and "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert token not in cookie and token not in answer.text and "Max-Age=28800" in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert api.client.get("/v1/me").json() == answer.json()
    body = {"source": campaign_text(), "signals": SIGNALS}
    applied = api.client.post("/v1/campaigns", json=body, headers=OWN_PAGE)
    assert applied.status_code == 201, applied.text
    assert api.client.post("/v1/vehicles", json={"id": "car-1"}, headers=OWN_PAGE).status_code == 403


def test_the_audit_log_says_which_token_was_exchanged_and_has_neither(api: Api, token: str) -> None:
    sign_in(api, token)
    (entry,) = [entry for entry in log(api) if entry.action == "user.login"]
    assert (entry.action, entry.user_name) == ("user.login", "author-user")
    assert entry.after is not None and entry.after["of_token_id"] == entry.token_id and entry.token_id is not None
    assert "lt_" not in entry.model_dump_json()


@pytest.mark.parametrize("wrong", ["lt_" + "x" * 43, "hunter2", ""])
def test_what_is_not_a_valid_token_gives_no_session(api: Api, wrong: str) -> None:
    answer = sign_in(api, wrong)
    assert answer.status_code in (401, 422) and "set-cookie" not in answer.headers


def test_a_session_ends_with_its_token(api: Api, token: str) -> None:
    sign_in(api, token)
    assert api.client.get("/v1/me").status_code == 200
    with api.database.begin() as connection:
        tokens.revoke(connection, token)
    assert api.client.get("/v1/me").status_code == 401


def test_a_session_is_not_valid_longer_than_its_token_also_when_that_is_rotated(api: Api, token: str) -> None:
    with api.database.begin() as connection:
        (record,) = tokens.list_tokens(connection, user="author-user")
    sign_in(api, token)
    with api.database.begin() as connection:
        tokens.rotate(connection, record.id, ttl_s=3600, overlap_s=0)
    answer = api.client.get("/v1/me")
    assert answer.status_code == 401 and answer.json()["remedy"].startswith("log in again")


def test_a_session_expires_when_its_token_does(api: Api, token: str) -> None:
    with api.database.begin() as connection:
        connection.execute(update(api_tokens).values(expires_at=func.now() + text("interval '1 hour'")))
        expires_at = connection.execute(select(api_tokens.c.expires_at)).scalar_one()
    assert sign_in(api, token).json()["expires_at"].startswith(f"{expires_at:%Y-%m-%dT%H:%M:%S}")


def test_a_session_cannot_be_exchanged_nor_rotated(api: Api, token: str) -> None:
    sign_in(api, token)
    session = api.client.cookies[COOKIE]
    answer = sign_in(api, session)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    with api.database.begin() as connection:
        (record,) = [each for each in tokens.list_tokens(connection) if each.name == sessions.EXCHANGED_NAME]
        with pytest.raises(tokens.NotFound):
            tokens.rotate(connection, record.id, ttl_s=60, overlap_s=60)


def test_another_site_cannot_sign_a_browser_in_as_somebody_else(api: Api, token: str) -> None:
    for headers in ELSEWHERE:
        answer = sign_in(api, token, **{"X-Test": "1", **headers})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), headers
        assert "set-cookie" not in answer.headers


def test_logging_out_ends_the_session_and_not_the_token(api: Api, token: str) -> None:
    sign_in(api, token)
    session = api.client.cookies[COOKIE]
    answer = api.client.post("/v1/logout", headers=OWN_PAGE)
    assert answer.json() == {"provider_logout_url": None} and "Max-Age=0" in answer.headers["set-cookie"]
    assert api.client.get("/v1/me", headers={"Authorization": f"Bearer {session}"}).status_code == 401
    assert api.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_one_token_has_a_bounded_number_of_sessions(api: Api, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "AT_ONCE", 2)
    for _ in range(4):
        sign_in(api, token)
    with api.database.begin() as connection:
        live = select(func.count()).where(api_tokens.c.parent_id.is_not(None), api_tokens.c.revoked_at.is_(None))
        assert connection.execute(live).scalar_one() == 2
    assert api.client.get("/v1/me").status_code == 200


def test_the_api_exchanges_tokens_that_are_valid_and_gives_no_other_user_or_role(api: Api, token: str) -> None:
    exchange = text("SELECT id FROM exchange_token('x', :token, 'console', :valid_s)")
    with api.database.begin() as connection:
        (record,) = tokens.list_tokens(connection, user="author-user")
        tokens.revoke(connection, token)
    with begun_as(api.database, DatabaseRole.API) as connection:
        for missing in (record.id, 4711):
            assert connection.execute(exchange, {"token": missing, "valid_s": 60}).scalar_one() is None
    with pytest.raises(Exception, match="a day at most"), begun_as(api.database, DatabaseRole.API) as connection:
        connection.execute(exchange, {"token": record.id, "valid_s": 86401})
