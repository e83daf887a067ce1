"""The vehicle's token: the configured one, then its successors, which the vehicle asks for before each expires.

The successor is stored before it is used, since its first use ends the token before it. The former token is kept: a
cloud that was restored from a backup knows that one and not its successor.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from triggers.atomic_file import replace_private
from triggers.contracts.api.vehicles import VehicleTokenView
from triggers.errors import InvalidInput, Misconfigured
from triggers.times import NS_PER_S
from triggers.vehicle.clock import Clock
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.http import MAX_PROBLEM_BYTES, reaching, read_bounded, refusal

FILE = "token.json"
NEVER_NS = 2**63 - 1


class _Content(BaseModel):
    """What the file holds; `configured` is the digest of the configured token from which these descend."""

    model_config = ConfigDict(strict=True)

    configured: str
    token: str
    former: str
    renew_at_ns: int


@dataclass
class _Held:
    token: str
    former: str
    renew_at_ns: int


class VehicleToken:
    """The token that the vehicle's HTTP client sends, and its rotation."""

    def __init__(self, config: VehicleConfig, http: httpx.Client, clock: Clock) -> None:
        """Continue with the stored token, unless another one has been configured since."""
        self._config = config
        self._http = http
        self._clock = clock
        self._path = config.state_directory / FILE
        self._held = self._kept() or _Held(config.token, "", config.token_renew_at_ns or NEVER_NS)
        self._send()

    @property
    def is_due(self) -> bool:
        """Whether it is time to ask for the next token."""
        return self._clock.now_ns() >= self._held.renew_at_ns

    def rotate(self) -> None:
        """Get the next token, store it, and send it from then on.

        Raises Unreachable, Unauthenticated, Forbidden or Overloaded if the API gives none, InvalidInput for an answer
        that is not one, and Misconfigured if it cannot be stored; the token in use then stays.
        """
        url = f"{self._config.api_url.rstrip('/')}/v1/vehicles/{self._config.vehicle_id}/token"
        with reaching("the API", "api_url", url), self._http.stream("POST", url) as reply:
            body = read_bounded(reply, MAX_PROBLEM_BYTES)
        if reply.status_code != httpx.codes.CREATED:
            raise refusal(reply, body, "the API gave no new token")
        try:
            issued = VehicleTokenView.model_validate_json(body)
        except ValidationError as error:
            raise InvalidInput("the API's answer is not a token", remedy="check api_url") from error
        held = _Held(issued.token, self._held.token, int(issued.token_renew_at.timestamp()) * NS_PER_S)
        self._store(held)
        self._held = held
        self._send()

    def try_the_other(self) -> None:
        """The token was refused: send the former one, if there is one. If it is accepted, another is due at once."""
        if self._held.former:
            self._held = _Held(self._held.former, self._held.token, 0)
            self._send()

    def _send(self) -> None:
        self._http.headers["Authorization"] = f"Bearer {self._held.token}"

    def _kept(self) -> _Held | None:
        try:
            content = _Content.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise Misconfigured(
                f"{self._path} cannot be used: {error}", remedy="delete it, and enrol the vehicle again"
            ) from error
        if content.configured != _digest(self._config.token):
            return None
        return _Held(content.token, content.former, content.renew_at_ns)

    def _store(self, held: _Held) -> None:
        content = {"configured": _digest(self._config.token), **asdict(held)}
        replace_private(self._path, json.dumps(content).encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
