"""The keys in a backup: the signing key, if the deployment has one, and the list keys; restored where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fleet_api.deployment.keys import require_key_not_lost
from fleet_api.signing.list_keys import PATTERN, list_key_files
from storage.database import Database
from storage.settings import Settings
from triggers.atomic_file import replace_private
from triggers.contracts.signing import key_id, load_private_key
from triggers.errors import Conflict, Untrusted

_SIGNING_KEY = "signing.pem"


def own_keys(settings: Settings, database: Database) -> dict[str, bytes]:
    """The PEM files of the keys that this machine has, by their names in a backup.

    Where people sign all bundles there is no signing key. Misconfigured for a file that is not a key, and for a signing
    key that is lost.
    """
    require_key_not_lost(settings, database)
    found = {path.name: path for path in list_key_files(settings)}
    if settings.effective_signing_key().exists():
        found[_SIGNING_KEY] = settings.effective_signing_key()
    for path in found.values():
        load_private_key(path)
    return {name: path.read_bytes() for name, path in found.items()}


def signing_key_id(settings: Settings) -> str:
    """The id (hex) of the signing key, empty without one."""
    path = settings.effective_signing_key()
    return _id_of(path) if path.exists() else ""


def save_keys(keys: Mapping[str, bytes], folder: Path) -> None:
    """Write keys to a new folder, readable by their owner alone."""
    folder.mkdir(mode=0o700)
    for name, pem in keys.items():
        replace_private(folder / name, pem)


def restore_keys(settings: Settings, folder: Path, signing_key: str) -> None:
    """Copy keys from the folder of a backup's keys to where there are none; `signing_key` is its signing key's id.

    Conflict where another signing key is in its place already, Untrusted for a backup without its signing key.
    """
    for copy in sorted(folder.glob(PATTERN)):
        _restore(copy, (settings.effective_list_keys() or settings.require_data_dir() / "keys") / copy.name)
    if not signing_key:
        return
    target, source = settings.effective_signing_key(), folder / _SIGNING_KEY
    if not target.exists():
        if not source.is_file() or _id_of(source) != signing_key:
            raise Untrusted(
                f"{source} is not key {signing_key}, with which the backup was made",
                remedy=f"put that key there, or to {target}",
            )
        _restore(source, target)
    elif (own := _id_of(target)) != signing_key:
        raise Conflict(
            f"{target} is key {own}, the backup was made with key {signing_key}",
            remedy="move that file away, or choose another data directory",
        )


def _id_of(path: Path) -> str:
    return key_id(load_private_key(path).public_key()).hex()


def _restore(source: Path, target: Path) -> None:
    """Copy a key to where there is none."""
    if target.exists():
        return
    load_private_key(source)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_private(target, source.read_bytes())
