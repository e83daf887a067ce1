"""`longtail login`, `logout` and `whoami` against a real API and a real provider, with a browser that httpx plays."""

from __future__ import annotations

import json
import ssl
import threading
import webbrowser
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn

from fleet_api.api.app import create_app
from fleet_api.cli.login.loopback import Loopback
from fleet_api.cli.main import main
from fleet_api.client import open_client
from fleet_api.client.data_dir import ClientFile, write_client_file
from fleet_api.client.login import kept
from fleet_api.openid.authorization import Attempt
from storage.settings import Settings
from tests.fleet_api.login.conftest import provider, settings
from tests.support.servers.openid_provider import OpenIdProvider
from tests.support.waiting import wait_for
from triggers.errors import Misconfigured, Unauthenticated

__all__ = ["provider", "settings"]
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """The address of a real API."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, within_s=30, what="the start of the API")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def longtail(
    url: str,
    provider: OpenIdProvider,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Said:
    """Call a command; a browser follows every page that it opens."""
    trusted = ssl.create_default_context(cafile=provider.ca_file)

    def browse(page: str) -> bool:
        with httpx.Client(verify=trusted, follow_redirects=True, timeout=60) as browser:
            assert browser.get(page).status_code == 200
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LONGTAIL_API_URL", url)
    monkeypatch.setenv("LONGTAIL_DATA_DIR", str(tmp_path / "none"))
    for name in ("LONGTAIL_TOKEN", "LONGTAIL_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        status = main(words)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


def test_who_logs_in_goes_on_under_its_name_until_it_logs_out(
    longtail: Said, provider: OpenIdProvider, url: str, tmp_path: Path
) -> None:
    assert longtail("whoami")[0] == 1
    status, out, err = longtail("login")
    assert status == 0 and out.startswith(f"logged in at {url} as ann (author, viewer) until "), err
    (file,) = (tmp_path / "state" / "longtail" / "logins").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    token = json.loads(file.read_text())["token"]
    assert token not in out + err
    me = json.loads(longtail("whoami", "--json")[1])
    assert (me["name"], me["issuer"]) == ("ann", provider.issuer)
    assert longtail("campaign", "list")[0] == 0
    status, out, err = longtail("logout")
    assert (status, out) == (0, f"logged out of {url}\n") and f"{provider.issuer}/logout" in err
    assert not file.exists()
    assert longtail("whoami", "--token", token)[0] == 1, "the token has ended"


def test_the_command_line_is_a_client_of_its_own_without_a_secret(longtail: Said, provider: OpenIdProvider) -> None:
    del provider.clients["longtail"]
    assert longtail("login", "--json")[0] == 0
    provider.person |= {"groups": []}
    status, _, err = longtail("login")
    assert status == 1 and "none of your groups has a role" in err


def test_a_code_needs_its_verifier_its_nonce_and_its_redirect_uri(
    longtail: Said, provider: OpenIdProvider, url: str
) -> None:
    del longtail
    with (
        open_client(url, "lt_" + "A" * 43) as client,
        httpx.Client(verify=ssl.create_default_context(cafile=provider.ca_file), timeout=60) as browser,
    ):
        shown = client.login.provider()
        for changed in ({"verifier": "v" * 43}, {"nonce": "n" * 43}, {"redirect_uri": "http://127.0.0.1:2/callback"}):
            attempt, here = Attempt.new(), "http://127.0.0.1:1/callback"
            page = attempt.url(
                shown.authorization_endpoint, client_id=shown.client_id, scopes=shown.scopes, redirect_uri=here
            )
            code = httpx.URL(browser.get(page).headers["location"]).params["code"]
            given = {"verifier": attempt.verifier, "nonce": attempt.nonce, "redirect_uri": here, **changed}
            with pytest.raises(Unauthenticated):
                client.login.exchange(code, **given)
        for elsewhere in ("https://evil.example/callback", "http://127.0.0.1.evil.example:1/", "http://x@127.0.0.1:1/"):
            answer = httpx.post(
                f"{url}/v1/login/code",
                json={"code": "c", "verifier": "v" * 43, "nonce": "n" * 43, "redirect_uri": elsewhere},
                timeout=60,
            )
            assert answer.status_code == 422, elsewhere


def test_the_listener_takes_one_answer_to_its_own_attempt(provider: OpenIdProvider) -> None:
    attempt = Attempt.new()
    with Loopback(attempt, issuer=provider.issuer, iss_is_sent=True) as listener, httpx.Client(timeout=60) as browser:
        here = listener.redirect_uri
        own = {"state": attempt.state, "code": "c", "iss": provider.issuer}
        assert browser.get(here.replace("/callback", "/")).status_code == 404
        assert browser.get(here, params={**own, "state": "x"}).status_code == 400
        assert browser.get(here + f"?state={attempt.state}&state={attempt.state}&code=c").status_code == 400
        assert browser.get(here, params={"code": "c"}).status_code == 400
        answer = browser.get(here, params=own)
        assert answer.status_code == 200 and answer.headers["content-security-policy"] == "default-src 'none'"
        assert browser.get(here, params={**own, "code": "second"}).status_code == 400
        assert listener.code(5) == "c"
        with pytest.raises(Unauthenticated, match="nobody logged in"):
            listener.code(0.01)


@pytest.mark.parametrize("answer", [{"code": "c"}, {"code": "c", "iss": "https://evil.example"}])
def test_the_listener_refuses_the_answer_of_another_provider(provider: OpenIdProvider, answer: dict[str, str]) -> None:
    attempt = Attempt.new()
    with Loopback(attempt, issuer=provider.issuer, iss_is_sent=True) as listener:
        assert listener.take({"state": attempt.state, **answer})
        with pytest.raises(Unauthenticated, match="another provider"):
            listener.code(5)


def test_a_log_in_that_is_over_is_not_replaced_by_another_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write_client_file(tmp_path, ClientFile("https://fleet.example", "https://fleet.example", "lt_admin"))
    over = datetime.now(UTC) - timedelta(seconds=1)
    file = kept.keep(kept.KeptLogin(url="https://fleet.example", user="ann", token="lt_a", expires_at=over))
    with pytest.raises(Misconfigured, match="ended at"):
        open_client(data_dir=tmp_path)
    file.chmod(0o644)
    with pytest.raises(Misconfigured, match="others can read"):
        open_client("https://fleet.example/")
    file.write_text("{")
    file.chmod(0o600)
    with pytest.raises(Misconfigured, match="cannot read your log-in"):
        open_client("https://fleet.example")


def test_a_log_in_over_plain_http_is_refused(longtail: Said) -> None:
    status, _, err = longtail("login", "--url", "http://fleet.example")
    assert status == 1 and "must not pass over plain HTTP" in err
