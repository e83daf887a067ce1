"""Keys that people sign with, as commands name them: a PEM file, or a `pkcs11:` URI of a key in hardware (RFC 7512)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.trust.draft import read_public_key
from triggers.contracts.signing import SigningKey, load_private_key

if TYPE_CHECKING:
    from fleet_api.cli.trust.hardware import HardwareKey

SCHEME = "pkcs11:"


def signing_key(name: str) -> SigningKey:
    """The key that a command names, to sign with; for one in hardware the PIN is asked for."""
    return _in_hardware(name) if name.startswith(SCHEME) else load_private_key(Path(name))


def public_key(name: str) -> str:
    """The public half of a key that a command names, as trust documents have it. No PIN is needed."""
    if name.startswith(SCHEME):
        from triggers.contracts.trust import encoded_key

        return encoded_key(_in_hardware(name).public_key().public_bytes_raw())
    return read_public_key(Path(name))


def generate(name: str) -> str:
    """Make a key in hardware under the name that a URI gives; its public half. Conflict if there is one already."""
    from triggers.contracts.trust import encoded_key

    return encoded_key(_in_hardware(name).generate().public_bytes_raw())


def _in_hardware(name: str) -> HardwareKey:
    from fleet_api.cli.trust.hardware import HardwareKey
    from fleet_api.cli.trust.pkcs11_uri import Pkcs11Uri

    return HardwareKey(
        Pkcs11Uri.parsed(name), ask=lambda token: str(click.prompt(f"PIN of {token}", hide_input=True, err=True))
    )
