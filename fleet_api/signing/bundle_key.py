"""The deployment's own bundle key: read from its file by whoever may, else held by the signer, which signs with it."""

from __future__ import annotations

import os
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fleet_api.signing.remote import RemoteSigner
from storage.settings import Settings
from triggers.contracts.bundle import Bundle
from triggers.contracts.signing import BUNDLE, key_id, load_private_key, prefix_of, sign
from triggers.errors import InvalidInput, Misconfigured, Unreachable


def read_bundle_key(settings: Settings) -> Ed25519PrivateKey | None:
    """The key in this machine's file; None if there is no such file."""
    path = settings.effective_signing_key()
    return load_private_key(path) if path.exists() else None


def open_bundle_key(settings: Settings) -> Ed25519PrivateKey | None:
    """The key in this machine's file, or the one that the signer holds; None if there is neither."""
    if settings.signer_socket is None or os.access(settings.effective_signing_key(), os.R_OK):
        return read_bundle_key(settings)
    key = KeyOfSigner(RemoteSigner(settings.signer_socket))
    try:
        return key if key.is_held() else None
    except Unreachable:  # it may come later than this process
        return key


def sign_bundle(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The key's signature over an unsigned bundle; InvalidInput for anything else, since the key signs nothing else."""
    if Bundle.from_json(payload, what="the bundle").canonical_json() != payload:
        raise InvalidInput("the bundle is not in its canonical form")
    return sign(payload, purpose=BUNDLE, key=key).signature


class KeyOfSigner(Ed25519PrivateKey):
    """A bundle key whose private part only the signer has. It signs bundles; the signer refuses anything else."""

    def __init__(self, signer: RemoteSigner) -> None:
        self._signer = signer
        self._public: Ed25519PublicKey | None = None

    def is_held(self) -> bool:
        """Whether the signer has a bundle key; Unreachable if it does not answer."""
        if self._public is None and (raw := self._signer.bundle_key()):
            self._public = Ed25519PublicKey.from_public_bytes(raw)
        return self._public is not None

    def public_key(self) -> Ed25519PublicKey:
        """The public key. Misconfigured if the signer has none."""
        if not self.is_held() or self._public is None:
            raise Misconfigured(
                "neither this process nor the signer has the deployment's bundle key",
                remedy="give the signer LONGTAIL_SIGNING_KEY, or have people sign bundles (docs/keys.md)",
            )
        return self._public

    def sign(self, data: bytes) -> bytes:  # type: ignore[override]
        """The signature over what `triggers.contracts.signing.sign` covers of a bundle."""
        prefix = prefix_of(BUNDLE, key_id(self.public_key()))
        if not data.startswith(prefix):
            raise InvalidInput("the signer signs bundles only")
        return self._signer.sign_bundle(data[len(prefix) :])

    def private_bytes_raw(self) -> bytes:
        """There is no way to it."""
        _refuse()

    def private_bytes(self, *_args: object, **_options: object) -> bytes:
        """There is no way to it."""
        _refuse()

    def __copy__(self) -> KeyOfSigner:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> KeyOfSigner:
        return self


def _refuse() -> NoReturn:
    raise TypeError("the signer does not give its key away")
