"""The target: a real deployment with people, vehicles and campaigns, and what attackers have of it."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from fleet_api.client import Client
from fleet_api.deployment.deployment import Deployment
from storage.settings import MIB
from tests.support import whole_system
from tests.support.load.witness import Part
from tests.support.small_clips import Running, creation_request
from triggers.contracts.checkin import CheckIn
from triggers.contracts.users import Role

OURS, EVERYBODYS = "ours", "everybodys"
"""The campaign of the witness alone, by its target; and one that every vehicle has."""
WITNESS_VEHICLE, WITNESS_PERSON = "quiet-car", "quiet-person"
SIGNAL = "noise.n0"
CATALOG = whole_system.CATALOG + "vehicle:\n  fleet: text\n"
SOURCE = """
trigger event { when event.level > 0.5 capture 1 s before, 1 s after { signals noise.n0 } }
campaign ours { collect event target vehicle.fleet in ("ours") budget 1 GB total }
campaign everybodys { collect event budget 50 MB per vehicle per day, 1 GB total, 500 clips }
"""
ATTACKERS_ADDRESS = "127.0.0.66"
"""An address of this machine's loopback that is not the witnesses': attackers are somewhere else."""
CLIPS_OF_THE_CAMPAIGN = 500
VEHICLE_DAY_BYTES = 64 * MIB
VEHICLE_DAY_UPLOADS = 250
SETTINGS: dict[str, object] = {
    "vehicle_day_bytes": VEHICLE_DAY_BYTES,
    "vehicle_day_uploads": VEHICLE_DAY_UPLOADS,
    "extraction_workers": 1,
    "extraction_timeout_s": 20.0,
    "junk_before_quarantine": 30,
    "park_after_s": 5.0,
}
TUS = {"Tus-Resumable": "1.0.0"}
PATIENCE_S = 60.0


@dataclass(frozen=True)
class StolenVehicle:
    """A vehicle whose token an attacker has; it was given the campaign that every vehicle has."""

    vehicle_id: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header with its token."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Target:
    """The deployment, and the attackers' ways to it: every request of theirs comes from their own address."""

    running: Deployment
    rng: random.Random
    programs: Mapping[str, Running]
    """The campaigns' versions that run, by name."""
    admin: Client
    http: httpx.Client
    witness: Part
    tokens: dict[Role, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    """For vehicles, recordings and whatever else must be new."""

    @property
    def api(self) -> str:
        return self.running.api_url

    @property
    def gateway(self) -> str:
        return self.running.gateway_url

    @property
    def strangers(self) -> tuple[str, ...]:
        """What no answer to an attacker may name: others' names, tokens, and where things are on the servers."""
        return (WITNESS_VEHICLE, WITNESS_PERSON, self.witness.vehicle_token, str(self.running.data_dir), "postgresql")

    def number(self) -> int:
        """The next number."""
        return next(self._numbers)

    def steal_vehicle(self, *, assigned: bool = True) -> StolenVehicle:
        """A vehicle of the fleet, whose token is the attacker's now."""
        enrolled = self.admin.vehicles.enrol(f"stolen-{self.number()}", {"fleet": "theirs"}, replays=True)
        stolen = StolenVehicle(enrolled.id, enrolled.token)
        if assigned:
            assert self.check_in(stolen).status_code == httpx.codes.OK
        return stolen

    def token_of(self, role: Role) -> str:
        """The token of a person with this role and no other, which the attacker has."""
        if role not in self.tokens:
            self.tokens[role] = self.running.issue_token(f"insider-{role}", [role])
        return self.tokens[role]

    def check_in(self, stolen: StolenVehicle, **changes: Any) -> httpx.Response:
        """A check-in of a stolen vehicle, with other fields if they are given."""
        body = json.loads(CheckIn(vehicle_time_ns=time.time_ns()).canonical_json()) | changes
        return self.http.post(f"{self.api}/v1/vehicles/{stolen.vehicle_id}/check-in", json=body, headers=stolen.bearer)

    def begin(
        self, stolen: StolenVehicle, data: bytes, *, campaign: str = EVERYBODYS, **changes: Any
    ) -> httpx.Response:
        """Ask for an upload of these bytes; `changes` are of the recording."""
        ordinal = changes.pop("ordinal", None) or self.number()
        t_ns = time.time_ns() - ordinal * 2 * 10**9
        request = creation_request(self.programs[campaign], stolen.vehicle_id, data, ordinal=ordinal, t_ns=t_ns)
        body = json.loads(request.canonical_json())
        body["manifest"]["recording"] |= changes
        return self.ask_for_upload(stolen, body, len(data))

    def ask_for_upload(self, stolen: StolenVehicle, body: Any, length: int) -> httpx.Response:
        """POST a creation request, whatever it is."""
        headers = {**TUS, **stolen.bearer, "Upload-Length": str(length)}
        return self.http.post(f"{self.gateway}/v1/uploads", json=body, headers=headers)

    def located(self, created: httpx.Response) -> str:
        """The address of a created upload."""
        return str(created.url.join(created.headers["Location"]))

    def send(self, stolen: StolenVehicle, address: str, data: bytes, *, offset: int = 0) -> httpx.Response:
        """PATCH bytes to an upload."""
        kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        return self.http.patch(address, content=data, headers={**TUS, **stolen.bearer, **kind})


@contextmanager
def target(seed: int) -> Iterator[Target]:
    """A deployment to attack; all of it is gone afterwards."""
    with (
        whole_system.deployment(**SETTINGS) as running,
        whole_system.admin(running) as admin,
        httpx.Client(
            transport=httpx.HTTPTransport(local_address=ATTACKERS_ADDRESS), timeout=PATIENCE_S, trust_env=False
        ) as http,
    ):
        programs = {name: _run(admin, name) for name in (OURS, EVERYBODYS)}
        part = Part(
            running.api_url,
            running.gateway_url,
            running.issue_token(WITNESS_PERSON, [Role.VIEWER]),
            WITNESS_VEHICLE,
            admin.vehicles.enrol(WITNESS_VEHICLE, {"fleet": "ours"}, replays=True).token,
            programs[OURS],
            upload_every_s=4.0,
        )
        yield Target(running, random.Random(seed), programs, admin, http, part)


def _run(admin: Client, name: str) -> Running:
    whole_system.run_campaign(admin, SOURCE, CATALOG, name)
    view = admin.campaigns.version(name)
    assert view.program_digest is not None
    return Running(name, view.program_digest, "event", SIGNAL, view.version)
