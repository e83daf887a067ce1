"""Replays: what was right once is sent again, later, elsewhere, or to somebody else."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.attack.attack import Attack, Notes
from tests.attack.attacks.signed import SigningVehicle, signing_vehicle
from tests.attack.target import EVERYBODYS, TUS, StolenVehicle, Target
from tests.support import whole_system
from tests.support.small_clips import small_clip
from tests.support.waiting import wait_for
from triggers.errors import LongtailError
from triggers.times import NS_PER_S
from triggers.vehicle.agent import VehicleAgent


def requests_that_a_vehicle_has_signed(target: Target, notes: Notes, _seconds: float) -> None:
    """The same signed check-in again, and another request with its nonce."""
    vehicle = signing_vehicle(target)
    request = vehicle.check_in(nonce="n" * 22)
    notes.hear(target.http.send(request), 200)
    for _ in range(3):
        notes.hear(target.http.send(request), 401)
    notes.hear(target.http.send(vehicle.check_in(nonce="n" * 22)), 401)
    notes.hear(target.http.send(vehicle.check_in()), 200)


def codes_of_enrolment(target: Target, notes: Notes, _seconds: float) -> None:
    """A one-time code twice, by another key, and for another vehicle."""
    name = f"stolen-{target.number()}"
    code = target.admin.vehicles.issue_code(name, {}).code
    notes.hear(SigningVehicle(target, f"stolen-{target.number()}").enrol(code), 401)
    notes.hear(SigningVehicle(target, name).enrol(code), 201)
    notes.hear(SigningVehicle(target, name).enrol(code), 401)


def reports_of_counts(target: Target, notes: Notes, _seconds: float) -> None:
    """The same report again, and an older one after it, which would take counts back."""
    stolen = target.steal_vehicle()
    url = f"{target.api}/v1/vehicles/{stolen.vehicle_id}/telemetry"
    for fires in (3, 3, 1, 3):
        counts = {
            "campaign": EVERYBODYS,
            "version": target.programs[EVERYBODYS].version,
            "watermark": fires,
            "suppressed": 0,
            "dropped": {"disk_full": fires},
            "per_trigger": {"event": fires},
            "armed_ns": fires * NS_PER_S,
        }
        before = _dropped(target)
        body = {"counts": [counts], "reported_at_ns": time.time_ns()}
        notes.hear(target.http.post(url, json=body, headers=stolen.bearer), 204)
        grown = _dropped(target) - before
        notes.require(grown in (0, 3), f"a report of {fires} fires that was sent before changed the sum by {grown}")
    first = _dropped(target)
    notes.hear(target.http.post(url, json=body, headers=stolen.bearer), 204)
    notes.require(_dropped(target) == first, "a report that was sent again was counted again")


def uploads_from_their_beginning(target: Target, notes: Notes, _seconds: float) -> None:
    """The same creation and the same bytes again: one upload, one clip, one charge."""
    stolen, ordinal = target.steal_vehicle(), target.number()
    data = small_clip(
        target.programs[EVERYBODYS], stolen.vehicle_id, ordinal=ordinal, t_ns=time.time_ns() - ordinal * 2 * 10**9
    )
    created = notes.hear(target.begin(stolen, data, ordinal=ordinal), 201)
    address = target.located(created)
    notes.hear(target.send(stolen, address, data), 204)
    for _ in range(3):
        again = notes.hear(target.http.send(created.request), 200)
        notes.require(target.located(again) == address, "the same clip has two uploads")
        notes.hear(target.send(stolen, address, data), 204, 409, 410)
    held = [a.held for a in target.admin.budget.accounts(EVERYBODYS) if a.vehicle_id == stolen.vehicle_id]
    notes.require(
        held.count(len(data)) == len([amount for amount in held if amount > 1]), f"charged {held} for one clip"
    )


def tokens_after_their_end(target: Target, notes: Notes, _seconds: float) -> None:
    """A token that was rotated away, and one of a vehicle that was revoked, at the API and at the gateway."""
    stolen = target.steal_vehicle()
    url = f"{target.api}/v1/vehicles/{stolen.vehicle_id}/token"
    following = notes.hear(target.http.post(url, headers=stolen.bearer), 201).json()["token"]
    successor = StolenVehicle(stolen.vehicle_id, following)
    notes.hear(target.check_in(successor), 200)
    notes.hear(target.check_in(stolen), 401)
    target.admin.vehicles.revoke(stolen.vehicle_id)
    answer = target.http.post(url, headers=successor.bearer)
    notes.hear(answer, 401)
    fresh = {**TUS, **stolen.bearer}  # the gateway has not seen this one
    notes.hear(target.http.head(f"{target.gateway}/v1/uploads/{'0' * 32}", headers=fresh), 401)


def lists_from_before(target: Target, notes: Notes, _seconds: float) -> None:
    """Whoever stands between vehicle and cloud answers with a list that was right before a campaign was paused."""
    with TemporaryDirectory() as folder:
        recorder, version = _Recorder(), target.programs[EVERYBODYS].version
        config = whole_system.enrol(target.admin, f"stolen-{target.number()}", Path(folder) / "state")
        with VehicleAgent(config, transport=recorder) as agent:
            agent.check_in()  # its answer brings the trust document, too
            target.admin.campaigns.move(EVERYBODYS, version, "pause")
            _follows(agent, runs=False)
            target.admin.campaigns.move(EVERYBODYS, version, "resume")
            _follows(agent, runs=True)
            before = recorder.lists[-1]
            target.admin.campaigns.move(EVERYBODYS, version, "pause")
            _follows(agent, runs=False)
            recorder.instead = before
            _refused(notes, agent, "a list from before the pause", because="older than revision")
            notes.require(not _runs(agent), "an old list brought a paused campaign back")
            recorder.instead = b""
            target.admin.campaigns.move(EVERYBODYS, version, "resume")
            _follows(agent, runs=True)


def lists_of_another_vehicle(target: Target, notes: Notes, _seconds: float) -> None:
    """The list of one vehicle is sent to another one, which trusts the same keys."""
    with TemporaryDirectory() as folder:
        recorder, other = _Recorder(), target.steal_vehicle()
        config = whole_system.enrol(target.admin, f"stolen-{target.number()}", Path(folder))
        with VehicleAgent(config, transport=recorder) as agent:
            agent.check_in()
            # A vehicle that has the trust document gets the list alone, as the agent would.
            recorder.instead = notes.hear(target.check_in(other, trust=1), 200).content
            _refused(notes, agent, "the list of another vehicle", because=other.vehicle_id)


class _Recorder(httpx.BaseTransport):
    """Who stands in between: keeps what the API says, and says it again when told."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.lists: list[bytes] = []
        self.instead = b""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/check-in"):
            return self._inner.handle_request(request)
        if self.instead:
            return httpx.Response(200, stream=httpx.ByteStream(self.instead))
        answer = self._inner.handle_request(request)
        content = answer.read()
        if answer.status_code == httpx.codes.OK:
            self.lists.append(content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(content))


def _refused(notes: Notes, agent: VehicleAgent, what: str, *, because: str) -> None:
    try:
        agent.check_in()
    except LongtailError as error:
        notes.require(because in error.message, f"{what} was refused for another reason: {error.message}")
    else:
        notes.findings.append(f"a vehicle accepted {what}")


def _runs(agent: VehicleAgent) -> bool:
    return any(EVERYBODYS in str(campaign) for campaign in agent.status().campaigns)


def _follows(agent: VehicleAgent, *, runs: bool) -> None:
    """Check in until the campaign runs, or does not: the API may notice a step a second late."""

    def follows() -> bool:
        agent.check_in()
        return _runs(agent) == runs

    wait_for(follows, within_s=20, what=f"a list {'with' if runs else 'without'} the campaign")


def _dropped(target: Target) -> int:
    return sum(sum(each.dropped.values()) for each in target.admin.outcomes.count(EVERYBODYS).outcomes)


ATTACKS = [
    Attack("replay", requests_that_a_vehicle_has_signed, in_short=True),
    Attack("replay", codes_of_enrolment, in_short=True),
    Attack("replay", reports_of_counts, in_short=True),
    Attack("replay", uploads_from_their_beginning, in_short=True),
    Attack("replay", tokens_after_their_end),
    Attack("replay", lists_from_before, in_short=True),
    Attack("replay", lists_of_another_vehicle, in_short=True),
]
