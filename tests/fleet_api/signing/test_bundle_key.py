"""The deployment's bundle key where only the signer may read it: it signs bundles, for whoever reaches the signer."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.deployment.keys import create_key, share_with_folder
from fleet_api.signing.bundle_key import KeyOfSigner, open_bundle_key, read_bundle_key
from fleet_api.signing.list_keys import ListKeys
from fleet_api.signing.remote import RemoteSigner
from fleet_api.signing.service import SignerService
from fleet_api.signing.socket_path import listen_at
from storage.settings import Settings
from tests.support.fleet import campaign_settings
from triggers.contracts.bundle import make_bundle
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.signing import ASSIGNMENTS, BUNDLE, TRUST, sign, verifies
from triggers.errors import InvalidInput, Misconfigured

BUNDLE_JSON = make_bundle(campaign_settings("braking", BudgetLimits()), 1, b"program").canonical_json()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    create_key(tmp_path / "keys" / "list.pem")
    return Settings(data_dir=tmp_path, signer_socket=tmp_path / "run" / "signer.sock")


@contextmanager
def serving(settings: Settings, key: Ed25519PrivateKey | None) -> Iterator[RemoteSigner]:
    assert settings.signer_socket is not None
    with listen_at(settings.signer_socket) as listener:
        service = SignerService(ListKeys(settings), listener, key)
        thread = threading.Thread(target=service.serve, daemon=True)
        thread.start()
        try:
            yield RemoteSigner(settings.signer_socket)
        finally:
            service.stop()
            thread.join(60)


def test_a_bundle_is_signed_by_a_key_that_only_the_signer_has(settings: Settings) -> None:
    own = Ed25519PrivateKey.generate()
    with serving(settings, own):
        key = open_bundle_key(settings)
        assert key is not None
        assert key.public_key() == own.public_key()
        signature = sign(BUNDLE_JSON, purpose=BUNDLE, key=key)
        assert verifies(signature, BUNDLE_JSON, purpose=BUNDLE, key=own.public_key())
        assert copy.deepcopy(key) is copy.copy(key) is key
        for take_away in (key.private_bytes_raw, key.private_bytes):
            with pytest.raises(TypeError, match="does not give its key away"):
                take_away()  # type: ignore[call-arg]


@pytest.mark.parametrize("purpose", [TRUST, ASSIGNMENTS])
def test_the_key_signs_nothing_for_another_purpose(settings: Settings, purpose: str) -> None:
    refused = pytest.raises(InvalidInput, match="signs bundles only")
    with serving(settings, Ed25519PrivateKey.generate()) as signer, refused:
        sign(BUNDLE_JSON, purpose=purpose, key=KeyOfSigner(signer))


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"not a bundle", BUNDLE_JSON + b" ", BUNDLE_JSON.replace(b"braking", b"brakinG", 1)[:-2]]
)
def test_the_signer_signs_nothing_that_is_no_bundle(settings: Settings, payload: bytes) -> None:
    with (
        serving(settings, Ed25519PrivateKey.generate()) as signer,
        pytest.raises(Misconfigured, match="signer refuses"),
    ):
        signer.sign_bundle(payload)


def test_where_only_people_sign_there_is_no_key_and_none_is_made_up(settings: Settings) -> None:
    with serving(settings, None) as signer:
        assert open_bundle_key(settings) is None
        with pytest.raises(Misconfigured, match="it has no bundle key"):
            signer.sign_bundle(BUNDLE_JSON)


def test_a_signer_that_starts_later_has_the_key_then(settings: Settings) -> None:
    key = open_bundle_key(settings)
    assert key is not None
    with serving(settings, None), pytest.raises(Misconfigured, match="neither this process nor the signer"):
        key.public_key()
    own = Ed25519PrivateKey.generate()
    with serving(settings, own):
        assert key.public_key() == own.public_key()


def test_a_key_that_this_process_may_read_needs_no_signer(settings: Settings) -> None:
    own = create_key(settings.effective_signing_key())
    for opened in (open_bundle_key(settings), read_bundle_key(settings)):
        assert opened is not None
        assert opened.private_bytes_raw() == own.private_bytes_raw()


@pytest.mark.skipif(os.geteuid() != 0, reason="about what root does; these tests do not run as root")
def test_a_new_list_key_of_root_is_for_the_signers_group_where_the_folder_is(tmp_path: Path) -> None:
    path = tmp_path / "list-2.pem"
    create_key(path)
    share_with_folder(path)
    assert (path.stat().st_gid, path.stat().st_mode & 0o777) == (0, 0o600)
    os.chown(tmp_path, 0, 61004)
    share_with_folder(path)
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777) == (0, 61004, 0o640)
