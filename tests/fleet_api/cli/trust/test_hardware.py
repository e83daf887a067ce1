"""Keys in hardware, on SoftHSM: they are made, named in trust documents, and sign there; what does not fit is named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from fleet_api.cli.main import main
from fleet_api.cli.trust.keys import public_key
from fleet_api.cli.trust.pkcs11_uri import Pkcs11Uri
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.cli.fleet.test_campaign import typed
from tests.fleet_api.cli.trust.test_ceremonies import Car, page
from tests.support.servers.softhsm import PIN, Token, make_token
from triggers.errors import InvalidInput, Misconfigured

__all__ = ["page"]
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """A token for all tests: the library reads once in a process where its tokens are."""
    with pytest.MonkeyPatch.context() as environment:
        yield make_token(tmp_path_factory.mktemp("softhsm"), environment)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Said:
    """Call a command that needs no API."""

    def call(*words: str) -> tuple[int, str, str]:
        status = main(words)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


def succeeded(command: Said, *words: str) -> str:
    status, out, err = command(*words)
    assert status == 0, err
    return out


def test_root_keys_in_hardware_sign_a_trust_document(token: Token, command: Said, tmp_path: Path) -> None:
    draft, online = str(tmp_path / "first.json"), str(tmp_path / "online.pem")
    public = succeeded(command, "trust", "new-key", token.uri("ann")).strip()
    succeeded(command, "trust", "new-key", online)
    roles = ("--root-key", token.uri("ann"), "--bundle-key", online, "--list-key", online)
    assert "lacks 1 more" in succeeded(command, "trust", "init", draft, *roles)
    assert "is complete" in succeeded(command, "trust", "sign", draft, "--key", token.uri("ann"))
    shown = succeeded(command, "trust", "check", draft)
    assert f"{public} (signed)" in shown and "complete: it can be published" in shown
    status, _, err = command("trust", "new-key", token.uri("ann"))
    assert status == 1 and "there is a key pkcs11:token=fleet;object=ann already" in err


def test_the_ceremony_of_the_page_works_and_a_vehicle_runs_what_the_token_signed(
    token: Token,
    page: dict[str, list[list[str]]],
    api: Api,
    longtail: Longtail,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    car = Car(api)
    api.as_client("author").campaigns.apply(campaign_text(), SIGNALS)
    for words in page["Keys in hardware"]:
        typed(monkeypatch, "yes")
        named = [token.uri("approver") if word.startswith("pkcs11:") else word for word in words]
        shown = longtail(*named)
        assert shown.status == 0, (words, shown)
    assert car.check_in() == (2, ["braking"])
    assert car.trust.role("bundles").threshold == 2


def test_what_does_not_fit_is_named_and_no_pin_is_shown(token: Token, command: Said, tmp_path: Path) -> None:
    draft = str(tmp_path / "first.json")
    uri = token.uri("dora")
    public = succeeded(command, "trust", "new-key", uri).strip()
    roles = ("--root-key", uri, "--bundle-key", uri, "--list-key", uri)
    succeeded(command, "trust", "init", draft, *roles)
    wrong_pin, open_pin = tmp_path / "wrong.pin", tmp_path / "open.pin"
    wrong_pin.write_text("0000")
    wrong_pin.chmod(0o600)
    open_pin.write_text(PIN)
    open_pin.chmod(0o644)
    plain = uri.partition("&pin-source")[0]
    for key, words in {
        f"{plain}&pin-source={wrong_pin}": "cannot be used: ",
        f"{plain}&pin-source={open_pin}": "others can read the PIN",
        f"{plain}&pin-source={tmp_path / 'none'}": "cannot read a PIN",
        token.uri("bob"): "0 public Ed25519 keys fit pkcs11:token=fleet;object=bob",
        uri.replace("token=fleet", "token=other"): "0 tokens fit",
        uri.replace("libsofthsm2.so", "none.so"): "cannot be used: ",
        "pkcs11:object=ann": "module-path is missing",
    }.items():
        status, _, err = command("trust", "sign", draft, "--key", key)
        assert status == 1 and words in err, (key, err)
        assert "internal" not in err and PIN not in err
    succeeded(command, "trust", "sign", draft, "--key", uri)
    assert f"{public} (signed)" in succeeded(command, "trust", "check", draft)


def test_the_pin_is_asked_for_where_no_file_has_it(
    token: Token, command: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def typed_pin(text: str, **options: object) -> str:
        assert options == {"hide_input": True, "err": True}
        asked.append(text)
        return PIN

    monkeypatch.setattr(click, "prompt", typed_pin)
    succeeded(command, "trust", "new-key", token.uri("cleo").partition("&pin-source")[0])
    assert asked == ["PIN of pkcs11:token=fleet;object=cleo"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pkcs11:", "module-path is missing"),
        ("pkcs11:?module-path=/m", "names no key"),
        ("pkcs11:object=a;object=b?module-path=/m", "object is given twice"),
        ("pkcs11:object=a;colour=red?module-path=/m", "colour is not known"),
        ("pkcs11:object=a;type=cert?module-path=/m", "only keys sign"),
        ("pkcs11:object=a?module-path=/m&pin-value=1234", "pin-source"),
        ("pkcs11:object=a?module-path=/m&pin-source=https://x/pin", "pin-source is not a file"),
        ("pkcs11:object=%ff?module-path=/m", "not text"),
        ("pkcs11:object=%0a?module-path=/m", "not text"),
        ("pkcs11:object=?module-path=/m", "not text"),
        ("pkcs11:object=a%2?module-path=/m", "is not an attribute"),
        ("pkcs11:object=a?module-path=/m#x", "not a pkcs11: URI"),
        ("pkcs11:;object=a?module-path=/m", "is not an attribute"),
    ],
)
def test_a_uri_that_says_something_else_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Pkcs11Uri.parsed(text)
    assert words in str(caught.value) and "1234" not in caught.value.remedy


def test_a_uri_is_read_as_rfc_7512_has_it() -> None:
    uri = Pkcs11Uri.parsed(
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
        "object=my-key;type=private;id=%69%95%3E?module-path=/usr/lib/x.so&pin-source=file:/etc/token_pin"
    )
    assert uri.token == {
        "token": "The Software PKCS#11 Softtoken",
        "manufacturer": "Snake Oil, Inc.",
        "model": "1.0",
    }
    assert (uri.label, uri.id) == ("my-key", b"\x69\x95\x3e")
    assert (uri.module_path, uri.pin_source) == (Path("/usr/lib/x.so"), Path("/etc/token_pin"))


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(Misconfigured, match=r"longtail\[pkcs11\]"):
        public_key("pkcs11:object=a?module-path=/m")
