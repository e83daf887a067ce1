"""Attacks on log-in: forged tokens, answers of other people and providers, and a provider that is hostile or broken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest
from flask import Response
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from fleet_api.openid import fetching
from fleet_api.openid import provider as provider_module
from fleet_api.openid.fetching import Fetching
from fleet_api.openid.provider import Provider
from tests.fleet_api.api_server import Api
from tests.fleet_api.audit.test_routes import log
from tests.fleet_api.login.conftest import ANN, Browser
from tests.support.servers.openid_provider import Claims, OpenIdProvider
from triggers.errors import Unreachable

WELL_KNOWN = "/.well-known/openid-configuration"


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unsigned(claims: Claims) -> str:
    return f"{encoded({'alg': 'none'})}.{encoded(claims)}."


def by_public_key(provider: OpenIdProvider, algorithm: str = "HS256") -> Callable[[Claims], str]:
    """Sign with the public key as if it were a shared secret, as libraries once accepted."""

    def forge(claims: Claims) -> str:
        secret = provider.keys[-1].as_pem(private=False)
        covered = f"{encoded({'alg': algorithm, 'kid': provider.keys[-1].kid})}.{encoded(claims)}"
        mac = hmac.new(secret, covered.encode(), hashlib.sha256).digest()
        return f"{covered}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    return forge


def by_another_key(provider: OpenIdProvider, **header: Any) -> Callable[[Claims], str]:
    key = RSAKey.generate_key(2048)
    named = {"alg": "RS256", "kid": provider.keys[-1].kid, **header}
    return lambda claims: jwt.encode({k: v for k, v in named.items() if v is not None}, claims, key, ["RS256"])


FORGERIES: dict[str, Callable[[OpenIdProvider], Callable[[Claims], str]]] = {
    "no signature": lambda provider: unsigned,
    "an algorithm in odd case": lambda provider: (
        lambda claims: unsigned(claims).replace(encoded({"alg": "none"}), encoded({"alg": "NonE"}))
    ),
    "HS256 with the public key": by_public_key,
    "an HMAC called RS256": lambda provider: by_public_key(provider, "RS256"),
    "another key under a listed id": by_another_key,
    "another key in the header": lambda provider: by_another_key(
        provider, jwk=RSAKey.generate_key(2048).as_dict(private=False)
    ),
    "a key that is not listed": lambda provider: by_another_key(provider, kid="unknown"),
    "a signature that was added": lambda provider: lambda claims: unsigned(claims) + "AAAA",
    "no token at all": lambda provider: lambda claims: "x.y",
    "a list": lambda provider: lambda claims: f"{encoded([])}.{encoded([])}.AAAA",
    "a token without end": lambda provider: lambda claims: "a" * 100_000,
}


def test_a_forged_token_is_refused(browser: Browser, provider: OpenIdProvider, api: Api) -> None:
    for forgery, forged_by in FORGERIES.items():
        provider.forge = forged_by(provider)
        answer = browser.log_in()
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), (forgery, answer.text)
        assert "longtail_session" not in answer.headers.get("set-cookie", ""), forgery
    assert not [entry for entry in log(api) if entry.action.startswith("user.")], "nobody is vouched for"


NOW = int(time.time())
"""When this file was imported: what is tested may run hours later."""
WRONG_CLAIMS: dict[str, Claims] = {
    "another audience": {"aud": "another"},
    "no audience": {"aud": None},
    "several audiences and no party": {"aud": ["longtail", "another"]},
    "another party": {"azp": "another"},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "expired": {"exp": NOW - 3600},
    "no end": {"exp": None},
    "an end that is not a time": {"exp": "9999999999"},
    "an endless end": {"exp": True},
    "issued in the future": {"iat": NOW + 86_400},
    "issued long ago": {"iat": NOW - 86_400},
    "no time of issue": {"iat": None},
    "not valid yet": {"nbf": NOW + 86_400},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a number as subject": {"sub": 1},
    "a long subject": {"sub": "x" * 256},
    "the hash of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


def test_a_token_for_somebody_else_or_another_time_is_refused(browser: Browser, provider: OpenIdProvider) -> None:
    for wrong, claims in WRONG_CLAIMS.items():
        provider.claims = claims
        answer = browser.log_in()
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), (wrong, answer.text)
    provider.claims = {}
    assert browser.log_in().status_code == 303


def test_a_clock_that_is_half_a_minute_off_does_not_matter(browser: Browser, provider: OpenIdProvider) -> None:
    provider.claims = {"iat": int(time.time()) + 30, "exp": int(time.time()) - 30}
    assert browser.log_in().status_code == 303


def test_a_token_of_a_provider_with_several_keys_must_say_which(browser: Browser, provider: OpenIdProvider) -> None:
    signing = provider.keys[-1]
    provider.forge = lambda claims: jwt.encode({"alg": "RS256"}, claims, signing, ["RS256"])
    assert browser.log_in().status_code == 303, "with one key there is no doubt"
    provider.keys = [RSAKey.generate_key(2048, auto_kid=True), signing]
    browser.api.change_settings()
    assert browser.log_in().status_code == 401


def test_new_keys_are_fetched_when_a_token_names_one_and_old_ones_end(
    browser: Browser, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "KEYS_AGAIN_S", 0.0)
    assert browser.log_in().status_code == 303
    former = provider.keys[-1]
    provider.rotate()
    assert browser.log_in().status_code == 303
    provider.forge = lambda claims: jwt.encode({"alg": "RS256", "kid": former.kid}, claims, former, ["RS256"])
    assert browser.log_in().status_code == 401


def test_unknown_keys_do_not_make_the_api_ask_again_and_again(browser: Browser, provider: OpenIdProvider) -> None:
    provider.forge = by_another_key(provider, kid="unknown")
    for _ in range(5):
        assert browser.log_in().status_code == 401
    assert provider.asked.count("/keys") == 1


UNFIT: dict[str, Callable[[Any], Any]] = {
    "for encryption": lambda key: key.as_dict(private=False) | {"use": "enc"},
    "symmetric": lambda key: OctKey.generate_key(256).as_dict(),
    "short": lambda key: {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": key.kid},
    "of an unknown type": lambda key: {"kty": "quantum"},
    "not a key": lambda key: "key",
}


def test_keys_that_must_not_verify_signatures_are_not_used(browser: Browser, provider: OpenIdProvider) -> None:
    for name, listed in UNFIT.items():
        provider.listed_keys = lambda listed=listed: {"keys": [listed(provider.keys[-1])]}  # type: ignore[misc]
        browser.forget_provider()
        assert browser.log_in().status_code == 503, name


def test_an_answer_needs_the_browser_that_began_and_works_once(browser: Browser, api: Api) -> None:
    back = browser.at_provider(browser.begin())
    cookie = dict(api.client.cookies)
    api.client.cookies.clear()
    assert browser.come_back(back).status_code == 401, "in another browser"
    api.client.cookies.update(cookie)
    state = back.partition("state=")[2].partition("&")[0]
    assert browser.come_back(back.replace(state, state[::-1])).status_code == 401, "with another state"
    assert browser.come_back(back.replace(f"state={state}", "")).status_code == 401, "without a state"
    assert browser.come_back(back).status_code == 303
    assert browser.come_back(back).status_code == 401, "the attempt is over"
    api.client.cookies.update(cookie)
    assert browser.come_back(back).status_code == 401, "the provider knows that the code was used"


def test_a_code_that_somebody_else_obtained_is_of_no_use(browser: Browser) -> None:
    stolen = browser.at_provider(browser.begin()).partition("code=")[2].partition("&")[0]
    back = browser.at_provider(browser.begin())
    own = back.partition("code=")[2].partition("&")[0]
    assert browser.come_back(back.replace(own, stolen)).status_code == 401, "the verifier is another one"


def test_a_damaged_attempt_is_no_attempt(browser: Browser, api: Api) -> None:
    back = browser.at_provider(browser.begin())
    for cookie in ("", "x", "AAAA", encoded([1, 2]), encoded({"a": 1}), encoded("x" * 9000)):
        api.client.cookies.clear()
        api.client.cookies.set("longtail_login", cookie)
        assert browser.come_back(back).status_code == 401, cookie


def test_the_answer_of_another_provider_is_refused_before_its_code_is_used(
    browser: Browser, provider: OpenIdProvider
) -> None:
    back = browser.at_provider(browser.begin())
    named = back.partition("iss=")[2].partition("&")[0]
    for changed in (back.replace(named, "https%3A%2F%2Fevil.example"), back.replace(f"iss={named}", "")):
        assert browser.come_back(changed).status_code == 401
    assert "/token" not in provider.asked


def test_a_person_who_declines_is_told_so(browser: Browser) -> None:
    state = browser.begin().partition("state=")[2].partition("&")[0]
    answer = browser.come_back(
        f"/v1/login/callback?state={state}&error=access_denied%0aX&iss={browser.api.settings.oidc_issuer}"
    )
    assert answer.status_code == 401 and "access_denied\\nX" in answer.json()["detail"]


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "",
    "@evil.example",
    "/a/../../b",
    "/" + "a" * 2001,
    "/\u202egnp",
]


def test_a_log_in_leads_nowhere_else(browser: Browser, api: Api) -> None:
    for wanted in ELSEWHERE:
        answer = api.client.get("/v1/login", params={"next": wanted}, follow_redirects=False)
        assert answer.status_code == 422, wanted
    for wanted in ELSEWHERE[:-2]:
        api.client.cookies.clear()
        back = browser.at_provider(browser.begin())
        values = json.loads(base64.urlsafe_b64decode(api.client.cookies["longtail_login"] + "=="))
        api.client.cookies.clear()
        api.client.cookies.set("longtail_login", encoded([*values[:3], wanted]))
        assert browser.come_back(back).status_code == 422, f"nor by a cookie that was changed: {wanted}"


def test_below_a_prefix_it_stays_below_the_prefix(browser: Browser, api: Api) -> None:
    api.change_settings(api_url="http://127.0.0.1:8080/longtail")
    for wanted, status in (("/longtail/docs", 303), ("/other/docs", 422), ("/longtails", 422)):
        assert api.client.get("/v1/login", params={"next": wanted}, follow_redirects=False).status_code == status


def test_a_provider_that_fails_is_not_asked_by_every_caller(
    browser: Browser, provider: OpenIdProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers[WELL_KNOWN] = lambda: Response("down", 500)
    for _ in range(5):
        answer = browser.api.client.get("/v1/login")
        assert (answer.status_code, provider.issuer in answer.text) == (503, False)
    assert provider.asked.count(WELL_KNOWN) == 1
    assert f"{provider.issuer}{WELL_KNOWN}: it answered 500" in caplog.text
    assert browser.api.get("/v1/campaigns").status_code == 200, "tokens need no provider"


def test_a_failure_is_forgotten_after_a_moment(provider: OpenIdProvider) -> None:
    now_s = 0.0
    client = Provider(provider.issuer, Fetching(provider.ca_file), now_s=lambda: now_s)
    provider.answers[WELL_KNOWN] = lambda: Response("down", 500)
    with pytest.raises(Unreachable):
        client.discovery()
    del provider.answers[WELL_KNOWN]
    with pytest.raises(Unreachable):
        client.discovery()
    now_s = provider_module.FAILURE_KEPT_S
    assert client.discovery().issuer == provider.issuer
    now_s += provider_module.DOCUMENT_KEPT_S - 1
    client.discovery()
    assert provider.asked.count(WELL_KNOWN) == 2
    now_s += 1
    client.discovery()
    assert provider.asked.count(WELL_KNOWN) == 3


def test_log_ins_under_way_are_bounded_for_each_address_and_in_all(browser: Browser, api: Api) -> None:
    turns = api.app.state.services.log_ins
    with ExitStack() as taken:
        for _ in range(4):
            taken.enter_context(turns.turn("address testclient"))
        assert api.client.get("/v1/login").status_code == 429
        for number in range(4):
            taken.enter_context(turns.turn(f"address {number}"))
        assert api.client.get("/v1/login").status_code == 429
        assert api.get("/v1/me").status_code == 200, "who has a token needs no turn"
    assert browser.log_in().status_code == 303


def endless() -> Iterator[bytes]:
    while True:
        yield b" " * 65536


BROKEN: dict[str, Callable[[], Response]] = {
    "larger than the bound": lambda: Response(b'{"issuer": "' + b"x" * fetching.MAX_ANSWER_BYTES + b'"}'),
    "without end": lambda: Response(endless()),
    "packed": lambda: Response(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "a page": lambda: Response("<html>"),
    "a list": lambda: Response("[]"),
    "nothing": lambda: Response("{}"),
    "deep": lambda: Response("[" * 200_000),
    "of another issuer": lambda: Response(json.dumps({"issuer": "https://evil.example"})),
    "moved": lambda: Response(status=302, headers={"Location": "https://evil.example/"}),
}


def test_a_discovery_document_that_is_broken_is_refused(browser: Browser, provider: OpenIdProvider) -> None:
    for name, answer in BROKEN.items():
        provider.answers[WELL_KNOWN] = answer
        browser.forget_provider()
        assert browser.api.client.get("/v1/login").status_code == 503, name
    assert provider.asked == [WELL_KNOWN] * len(BROKEN), "no redirect was followed"


def test_an_endpoint_that_others_can_listen_to_is_refused(browser: Browser, provider: OpenIdProvider) -> None:
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
        for url in ("http://login.example/x", "file:///etc/passwd", "javascript:alert(1)", "//x", 7):
            provider.discovery = {name: url}
            browser.forget_provider()
            assert browser.api.client.get("/v1/login").status_code == 503, (name, url)


def test_an_issuer_that_differs_by_a_slash_is_another_issuer(browser: Browser, provider: OpenIdProvider) -> None:
    provider.discovery = {"issuer": provider.issuer + "/"}
    assert browser.api.client.get("/v1/login").status_code == 503


def test_keys_and_tokens_that_are_broken_are_refused(browser: Browser, provider: OpenIdProvider) -> None:
    for path in ("/keys", "/token"):
        for name in ("without end", "a page", "a list", "moved"):
            provider.answers = {path: BROKEN[name]}
            browser.forget_provider()
            assert browser.log_in().status_code == 503, (path, name)


def test_a_token_response_without_a_token_is_refused(browser: Browser, provider: OpenIdProvider) -> None:
    for document in ({}, {"id_token": 1}, {"access_token": 1, "id_token": None}, {"expires_at": "x", "id_token": "y"}):
        provider.answers["/token"] = lambda document=document: Response(json.dumps(document))  # type: ignore[misc]
        assert browser.log_in().status_code in (401, 503), document


def test_a_drip_ends_at_the_deadline(provider: OpenIdProvider) -> None:
    stopped = Event()

    def drip() -> Iterator[bytes]:
        while not stopped.wait(0.01):
            yield b" "

    provider.answers[WELL_KNOWN] = lambda: Response(drip())
    try:
        with pytest.raises(Unreachable, match=r"not complete after|timed out"):
            Provider(provider.issuer, Fetching(provider.ca_file, exchange_s=0.5)).discovery()
    finally:
        stopped.set()


def test_a_certificate_of_an_unknown_authority_is_refused(provider: OpenIdProvider) -> None:
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        Provider(provider.issuer, Fetching()).discovery()


def test_a_name_that_cannot_be_one_is_refused_and_escaped_in_the_log(
    browser: Browser, provider: OpenIdProvider, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a b", "a\nb", "<script>", "x" * 101, "", None, 7, ["ann"]):
        provider.person = {**ANN, "preferred_username": name}
        assert browser.log_in().status_code in (403, 422), name
    assert "a\nb" not in caplog.text and "a\\nb" in caplog.text
    assert not [entry for entry in log(api) if entry.action == "user.login"]
