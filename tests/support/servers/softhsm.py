"""SoftHSM for the tests: a PKCS #11 token as software, in a folder of its own. Skipped where it is not installed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

PIN = "56 78-pin"
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was made, and where its PIN is."""

    module: str
    label: str
    pin_file: Path

    def uri(self, name: str) -> str:
        """The URI of a key, which finds its PIN by itself."""
        return f"pkcs11:token={self.label};object={name}?module-path={self.module}&pin-source={self.pin_file.as_uri()}"


def make_token(folder: Path, monkeypatch: pytest.MonkeyPatch, *, label: str = "fleet") -> Token:
    """A new token; later calls add others to the same folder."""
    module = next((module for module in MODULES if Path(module).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed (Debian: softhsm2)")
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    tokens, configuration = folder / "tokens", folder / "softhsm2.conf"
    tokens.mkdir(exist_ok=True)
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    making = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "1234", "--pin", PIN]
    subprocess.run(making, check=True, capture_output=True, timeout=60)
    pin_file = folder / f"{label}.pin"
    pin_file.write_text(PIN + "\n")
    pin_file.chmod(0o600)
    return Token(module, label, pin_file)
