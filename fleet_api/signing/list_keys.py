"""The list keys of a deployment, and what they sign: vehicles' lists within their bounds, and reports on erasures."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.signing.reports import seal_report
from storage.settings import Settings
from triggers.contracts.checkin import MAX_AHEAD_NS, AssignmentList, out_of_bounds
from triggers.contracts.signing import ASSIGNMENTS, key_id, load_private_key, seal
from triggers.errors import InvalidInput, Misconfigured

PATTERN = "list*.pem"


class ListSigner(Protocol):
    """Signs lists of campaigns, and reports on erasures; thread-safe."""

    def sign(self, payload: bytes, key_ids: Sequence[bytes]) -> bytes:
        """The envelope of a list, signed with the first of these keys that there is; any key if none is named.

        InvalidInput for anything but a list within its bounds, Misconfigured if there is none of the keys.
        """
        ...

    def sign_report(self, payload: bytes) -> bytes:
        """The envelope of a report on an erasure, signed with the first key there is: the signing key, then list keys.

        InvalidInput for anything but such a report.
        """
        ...


class ListKeys:
    """The list keys of a folder, for the process that holds them. Files that are added later are found, too."""

    def __init__(self, settings: Settings) -> None:
        """Misconfigured where there is none at all, or a file is no key."""
        self._settings = settings
        self._folder = settings.effective_list_keys()
        self._fallback = settings.effective_signing_key()
        self._keys: Mapping[bytes, Ed25519PrivateKey] = self._read()
        if not self._keys:
            raise Misconfigured(
                f"there is no key that could sign lists: neither {self._fallback} nor {self._folder}/{PATTERN}",
                remedy="set LONGTAIL_SIGNING_KEY or LONGTAIL_LIST_KEYS, or LONGTAIL_SIGNER_SOCKET to a signer's socket",
            )

    def ids(self) -> frozenset[bytes]:
        """The ids of the keys."""
        return frozenset(self._keys)

    def sign(self, payload: bytes, key_ids: Sequence[bytes]) -> bytes:
        """As `ListSigner.sign`."""
        check_list(payload, now_ns=time.time_ns())
        if key_ids and not any(each in self._keys for each in key_ids):
            self._keys = self._read()
        chosen = [each for each in key_ids if each in self._keys] if key_ids else list(self._keys)
        if not chosen:
            names = ", ".join(each.hex() for each in key_ids) or "none"
            raise Misconfigured(
                f"there is no list key that vehicles trust ({names}) in {self._folder or self._fallback}",
                remedy="restore it from its backup, or make another: `longtail trust rotate-list-key` (docs/keys.md)",
            )
        return seal(payload, purpose=ASSIGNMENTS, key=self._keys[chosen[0]])

    def sign_report(self, payload: bytes) -> bytes:
        """As `ListSigner.sign_report`."""
        return seal_report(payload, next(iter(self._keys.values())))

    def _read(self) -> dict[bytes, Ed25519PrivateKey]:
        # The signing key first: without a trust document vehicles trust no other.
        found = [*([self._fallback] if self._fallback.exists() else []), *list_key_files(self._settings)]
        keys = [load_private_key(path) for path in found]
        return {key_id(key.public_key()): key for key in keys}


def list_key_files(settings: Settings) -> list[Path]:
    """The files of the list keys on this machine."""
    folder = settings.effective_list_keys()
    return sorted(folder.glob(PATTERN)) if folder is not None else []


def check_list(payload: bytes, *, now_ns: int) -> None:
    """InvalidInput unless the bytes are a vehicle's list that may be issued at `now_ns`."""
    listed = AssignmentList.from_json(payload, what="the list")
    wrong = out_of_bounds(listed, now_ns)
    if wrong is None and now_ns - listed.issued_at_ns > MAX_AHEAD_NS:
        wrong = "was issued more than an hour ago"
    if wrong is None and listed.canonical_json() != payload:
        wrong = "is not in its canonical form"
    if wrong is not None:
        raise InvalidInput(f"the list of {listed.vehicle_id} {wrong}", remedy="check the clocks of API and database")
