"""Log-in with a browser: to a real provider and back, the session that begins, what it may do, and its end."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from storage import tokens, users
from storage.logins import identities, sessions
from storage.logins.identities import Identity
from storage.tables import api_tokens
from tests.fleet_api.api_server import Api, campaign_text
from tests.fleet_api.audit.test_routes import log
from tests.fleet_api.login.conftest import ANN, Browser
from tests.support.servers.openid_provider import ALGORITHMS, OpenIdProvider

COOKIE = "longtail_session"


def test_a_person_logs_in_and_has_the_roles_of_its_groups(browser: Browser, provider: OpenIdProvider) -> None:
    for algorithm in ALGORITHMS:
        provider.algorithm = algorithm
        provider.rotate()
        browser.forget_provider()
        answer = browser.log_in(next="/console/clips?order=-time")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/clips?order=-time"), answer.text
    me = browser.send("GET", "/v1/me").json()
    assert (me["name"], me["roles"], me["issuer"]) == ("ann", ["author", "viewer"], provider.issuer)


def test_the_session_is_a_cookie_that_no_script_and_no_other_site_can_use(browser: Browser) -> None:
    began = browser.api.client.get("/v1/login", follow_redirects=False)
    attempt = began.headers["set-cookie"]
    answer = browser.come_back(browser.at_provider(began.headers["location"]))
    ended, session = answer.headers.get_list("set-cookie")
    assert "HttpOnly" in attempt and "SameSite=lax" in attempt and "Max-Age=600" in attempt
    assert ended.startswith('longtail_login="";') and "Max-Age=0" in ended
    assert session.startswith(f"{COOKIE}=lt_") and "HttpOnly" in session and "SameSite=strict" in session
    assert "Path=/;" in session and "Max-Age=28800" in session
    assert answer.headers["cache-control"] == began.headers["cache-control"] == "no-store"
    assert browser.send("GET", "/v1/me").headers["cache-control"] == "no-store"


def test_over_tls_the_cookie_is_secure_and_of_this_host_alone(api: Api, browser: Browser) -> None:
    api.change_settings(api_url="https://fleet.example")
    cookie = api.client.get("/v1/login", follow_redirects=False).headers["set-cookie"]
    assert cookie.startswith("__Host-longtail_login=") and "Secure" in cookie and "Path=/;" in cookie
    api.change_settings(api_url="https://fleet.example/longtail")
    cookie = api.client.get("/v1/login", follow_redirects=False).headers["set-cookie"]
    assert cookie.startswith("__Secure-longtail_login=") and "Path=/longtail" in cookie


def test_a_session_does_what_its_roles_allow_and_no_more(browser: Browser, api: Api) -> None:
    browser.log_in()
    signals = {"source": campaign_text(), "signals": "signals:\n  ego.accel: {unit: m/s^2, rate: 50}\n"}
    assert browser.send("POST", "/v1/campaigns", json=signals).status_code == 201
    assert browser.send("POST", "/v1/vehicles", json={"id": "car-1"}).status_code == 403
    (entry,) = [entry for entry in log(api) if entry.action == "campaign.apply"]
    assert entry.user_name == "ann" and entry.token_id is not None


ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8080"},
    {},
)


def test_a_page_of_another_site_cannot_change_anything_with_the_cookie(browser: Browser, api: Api) -> None:
    browser.log_in()
    for headers in ELSEWHERE:
        answer = api.client.post("/v1/logout", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), headers
        assert api.client.get("/v1/me", headers=headers).status_code == 200, headers


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(browser: Browser, api: Api) -> None:
    browser.log_in()
    assert api.client.post("/v1/logout", headers={"Origin": "http://127.0.0.1:8080"}).status_code == 200


def test_a_token_in_the_header_counts_and_not_the_cookie(browser: Browser, api: Api) -> None:
    browser.log_in()
    answer = api.client.get("/v1/me", headers=api.as_("operator"))
    assert (answer.json()["name"], answer.json()["issuer"]) == ("operator-user", None)
    assert api.client.post("/v1/vehicles", json={"id": "car-1"}, headers=api.as_("operator")).status_code == 201


def test_who_logs_out_is_logged_out(browser: Browser, api: Api, provider: OpenIdProvider) -> None:
    browser.log_in()
    token = api.client.cookies[COOKIE]
    answer = browser.send("POST", "/v1/logout")
    assert answer.json() == {"provider_logout_url": f"{provider.issuer}/logout?client_id=longtail"}
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert browser.send("GET", "/v1/me").status_code == 401
    assert api.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert [entry.action for entry in log(api)][-2:] == ["user.logout", "token.issue"]


def test_a_token_that_an_operator_issued_is_not_ended_by_logging_out(api: Api, browser: Browser) -> None:
    answer = api.client.post("/v1/logout", headers=api.as_("viewer"))
    assert answer.status_code == 409
    assert api.get("/v1/me").status_code == 200


def test_a_person_is_one_user_whatever_the_provider_calls_it(browser: Browser, provider: OpenIdProvider) -> None:
    browser.log_in()
    first = browser.send("GET", "/v1/me").json()
    for name in ("ann-marie", "not a name", None):
        provider.person |= {"preferred_username": name}
        browser.log_in()
        assert browser.send("GET", "/v1/me").json()["id"] == first["id"], "only the first log-in names a person"
    assert browser.send("GET", "/v1/me").json()["id"] == first["id"]
    provider.person |= {"sub": "another", "preferred_username": "bob"}
    browser.log_in()
    assert browser.send("GET", "/v1/me").json()["id"] != first["id"]


def test_nobody_becomes_a_user_who_was_here_before_by_choosing_its_name(
    browser: Browser, provider: OpenIdProvider, api: Api
) -> None:
    with api.database.begin() as connection:
        tokens.issue(connection, "ann", ["approver"])
    for name in ("ann", "ANN", "Ann"):
        provider.person |= {"preferred_username": name}
        answer = browser.log_in()
        assert answer.status_code == 403 and f"link {name}" in answer.json()["remedy"]
    with api.database.begin() as connection:
        user_id = identities.link(connection, "ann", Identity(provider.issuer, str(ANN["sub"])))
    browser.log_in()
    assert browser.send("GET", "/v1/me").json()["id"] == user_id


def test_roles_are_those_of_the_groups_at_each_log_in_and_a_lost_one_ends_earlier_sessions(
    browser: Browser, provider: OpenIdProvider, api: Api
) -> None:
    browser.log_in()
    earlier = {"Authorization": f"Bearer {api.client.cookies[COOKIE]}"}
    provider.person |= {"groups": ["staff"]}
    browser.log_in()
    assert browser.send("GET", "/v1/me").json()["roles"] == ["viewer"]
    api.client.cookies.clear()
    assert api.client.get("/v1/me", headers=earlier).status_code == 401
    entry = [entry for entry in log(api) if entry.action == "user.login"][-1]
    assert entry.before is not None and len(entry.before["ended_token_ids"]) == 1


def test_who_has_lost_every_group_is_refused_and_loses_the_session(
    browser: Browser, provider: OpenIdProvider, api: Api
) -> None:
    browser.log_in()
    provider.person |= {"groups": ["canteen"]}
    for _ in range(3):
        answer = browser.log_in()
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert browser.send("GET", "/v1/me").status_code == 401
    (entry,) = [entry for entry in log(api) if entry.action == "user.login_refused"]
    assert entry.user_name == "ann" and entry.user_id is None
    assert entry.after == {"issuer": provider.issuer, "subject": ANN["sub"], "name": "ann"}
    assert entry.reason == "none of your groups has a role in this deployment"


def test_a_session_expires_and_says_so(browser: Browser, api: Api) -> None:
    browser.log_in()
    with api.database.begin() as connection:
        connection.execute(update(api_tokens).where(api_tokens.c.issuer.is_not(None)).values(expires_at=func.now()))
    answer = browser.send("GET", "/v1/me")
    assert answer.status_code == 401 and answer.json()["remedy"].startswith("log in again")


def test_one_person_has_a_bounded_number_of_sessions(
    browser: Browser, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "AT_ONCE", 2)
    for _ in range(4):
        browser.log_in()
    with api.database.begin() as connection:
        live = select(func.count()).where(api_tokens.c.issuer.is_not(None), api_tokens.c.revoked_at.is_(None))
        assert connection.execute(live).scalar_one() == 2
    assert browser.send("GET", "/v1/me").status_code == 200


def test_tokens_that_operators_issue_go_on_and_log_ins_cannot_be_rotated(browser: Browser, api: Api) -> None:
    browser.log_in()
    assert api.get("/v1/campaigns").status_code == 200
    with api.database.begin() as connection:
        (session,) = tokens.list_tokens(connection, user="ann")
        assert (session.name, session.roles) == ("log-in", ["author", "viewer"])
        with pytest.raises(tokens.NotFound):
            tokens.rotate(connection, session.id, ttl_s=60, overlap_s=60)
        assert users.find(connection, "ann")


def test_domains_of_addresses_can_be_asked_for(browser: Browser, provider: OpenIdProvider, api: Api) -> None:
    api.change_settings(oidc_email_domains="fleet.example, other.example", oidc_name_claim="email")
    browser.log_in()
    assert browser.send("GET", "/v1/me").json()["name"] == "ann@fleet.example"
    for changed in ({"email": "ann@evil.example"}, {"email_verified": False}, {"email": None}):
        provider.person = {**ANN, **changed}
        assert browser.log_in().status_code == 403


def test_groups_that_the_provider_does_not_say_give_no_role(browser: Browser, provider: OpenIdProvider) -> None:
    for groups in (None, {"a": 1}, [1, None], "canteen", ["fleet-authors"] * 2001):
        provider.person |= {"groups": groups}
        assert browser.log_in().status_code == 403, groups


def test_without_a_provider_there_is_no_log_in(api: Api) -> None:
    api.change_settings(oidc_issuer="")
    for path in ("/v1/login", "/v1/login/provider", "/v1/login/callback"):
        assert api.client.get(path).status_code == 404
