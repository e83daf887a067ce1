"""The vehicle's own key: made on the vehicle, readable only by its owner, and what signs its requests."""

from __future__ import annotations

import time
from collections.abc import Generator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from triggers.atomic_file import replace_private
from triggers.body_digest import HEADER, content_digest
from triggers.contracts.signing import load_private_key
from triggers.request_signature import sign

KEY_FILE = "vehicle-key.pem"


def ensure_key(state_directory: Path) -> Ed25519PrivateKey:
    """The vehicle's key, made now if there is none; Misconfigured if its file cannot be used."""
    file = state_directory / KEY_FILE
    if not file.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        state_directory.mkdir(parents=True, exist_ok=True)
        replace_private(file, pem)
        return key
    return load_private_key(file)


class SignedRequests(httpx.Auth):
    """Signs each request with the vehicle's key, by the server's clock as far as it is known."""

    def __init__(self, key: Ed25519PrivateKey, vehicle_id: str) -> None:
        self._key = key
        self._vehicle_id = vehicle_id
        self._ahead_s = 0.0
        """The server's clock minus this machine's, as far as a refusal has told it."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request. One that is refused is not repeated here: its body may be gone."""
        if request.method == "POST" and HEADER not in request.headers:
            request.headers[HEADER] = content_digest(request.read())
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.url.raw_path.decode("ascii").split("?", maxsplit=1)[0]
        created_s = int(time.time() + self._ahead_s)
        request.headers.update(sign(self._key, self._vehicle_id, request.method, path, headers, created_s=created_s))
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED and "Date" in response.headers:
            try:
                self._ahead_s = parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()
            except (TypeError, ValueError):
                self._ahead_s = 0.0
