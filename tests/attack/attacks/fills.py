"""Fills: what is stored for a caller, on disks, in tables, in logs and in campaigns' budgets, as much as it can get."""

from __future__ import annotations

import json
import os
import time

from tests.attack.attack import Attack, Notes
from tests.attack.books import sizes
from tests.attack.target import (
    CLIPS_OF_THE_CAMPAIGN,
    EVERYBODYS,
    TUS,
    VEHICLE_DAY_BYTES,
    VEHICLE_DAY_UPLOADS,
    Target,
)
from triggers.contracts.users import Role

MIB = 1024**2
GARBAGE_BYTES = 8 * MIB


def manifests_that_are_created_and_given_up(target: Target, notes: Notes, _seconds: float) -> None:
    """Creation, termination, again, with the largest manifest there can be: until the vehicle's day is full."""
    stolen = target.steal_vehicle()
    signals = [f"noise.n{number:05d}{'n' * 80}" for number in range(5000)]
    created = 0
    for _ in range(VEHICLE_DAY_UPLOADS + 1):
        answer = notes.hear(target.begin(stolen, b"0123456789", signals=signals), 201, 429)
        if answer.status_code != 201:
            break
        created += 1
        given_up = target.http.delete(target.located(answer), headers={**TUS, **stolen.bearer})
        notes.hear(given_up, 204)
    notes.remarks.append(f"{created} uploads were created and given up")
    notes.require(created <= VEHICLE_DAY_UPLOADS, f"a vehicle created {created} uploads on one day")


def texts_of_megabytes_in_a_manifest(target: Target, notes: Notes, _seconds: float) -> None:
    """A version of software is a few letters; here it is megabytes."""
    stolen = target.steal_vehicle()
    notes.hear(target.begin(stolen, b"0123456789", software={"agent": "a" * (3 * MIB)}), 413, 422)
    notes.hear(target.begin(stolen, b"0123456789", software={"agent": "a" * 300_000}), 413, 422)


def bytes_that_become_no_clip(target: Target, notes: Notes, _seconds: float) -> None:
    """Random bytes under their right hashes: the log keeps them, though their clip is given up at once."""
    stolen = target.steal_vehicle()
    before, sent = sizes(target).charged_bytes, 0
    while sent <= VEHICLE_DAY_BYTES:
        data = os.urandom(GARBAGE_BYTES)
        answer = notes.hear(target.begin(stolen, data), 201, 403, 429)
        if answer.status_code != 201:
            break
        address = target.located(answer)
        half = GARBAGE_BYTES // 2
        answer = notes.hear(target.send(stolen, address, data[:half]), 204, 429)
        notes.hear(target.http.delete(address, headers={**TUS, **stolen.bearer}), 204)
        if answer.status_code != 204:
            break
        sent += half
    charged = sizes(target).charged_bytes - before
    notes.remarks.append(f"{sent / MIB:.0f} MiB came, {charged / MIB:.0f} MiB were charged")
    notes.require(charged >= sent, f"{sent} bytes came and {charged} were charged")


def cells_with_other_bytes_than_announced(target: Target, notes: Notes, _seconds: float) -> None:
    """What does not have the manifest's hash is never kept, and all the same it was sent."""
    stolen = target.steal_vehicle()
    data = os.urandom(MIB)
    address = target.located(notes.hear(target.begin(stolen, data), 201))
    for _ in range(20):
        notes.hear(target.send(stolen, address, os.urandom(MIB)), 460, 409, 410, 429)


def clips_of_one_byte_until_the_campaign_ends(target: Target, notes: Notes, _seconds: float) -> None:
    """A campaign of 500 clips for the whole fleet, and one vehicle that sends as many as it may."""
    stolen = target.steal_vehicle()
    stored = 0
    for _ in range(CLIPS_OF_THE_CAMPAIGN):
        answer = notes.hear(target.begin(stolen, b"x"), 201, 403, 429)
        if answer.status_code != 201:
            break
        sent = notes.hear(target.send(stolen, target.located(answer), b"x"), 204, 403)
        stored += sent.status_code == 204
    notes.remarks.append(f"{stored} clips of one byte were accepted")
    share = CLIPS_OF_THE_CAMPAIGN // 4
    notes.require(stored <= share, f"one vehicle used up {stored} of the {CLIPS_OF_THE_CAMPAIGN} clips of a campaign")


def clips_of_a_campaign_that_was_never_given(target: Target, notes: Notes, _seconds: float) -> None:
    """A vehicle that was given nothing sends for a campaign all the same."""
    stolen = target.steal_vehicle(assigned=False)
    for _ in range(3):
        notes.hear(target.begin(stolen, b"x", campaign="ours"), 422)


def uploads_that_are_opened_and_left(target: Target, notes: Notes, _seconds: float) -> None:
    """Reservations that no byte follows hold a campaign's budget."""
    stolen = target.steal_vehicle()
    opened = 0
    for _ in range(VEHICLE_DAY_UPLOADS):
        answer = notes.hear(target.begin(stolen, bytes(MIB)), 201, 403, 429, 503)
        if answer.status_code != 201:
            break
        opened += 1
    accounts = list(target.admin.budget.accounts(EVERYBODYS))
    held = max((a.held / a.limit for a in accounts if a.kind == "campaign_bytes" and a.limit), default=0.0)
    notes.remarks.append(f"{opened} uploads were opened, which hold {held:.0%} of the campaign's bytes")
    notes.require(held < 0.5, f"one vehicle holds {held:.0%} of a campaign's bytes")


def labels_of_millions_of_values(target: Target, notes: Notes, _seconds: float) -> None:
    """A body of `{},{},...` is a hundred times its size once it is objects."""
    headers = {"Authorization": f"Bearer {target.token_of(Role.LABELER)}", "Content-Type": "application/json"}
    url = f"{target.api}/v1/label-jobs/1/complete"
    for count in (20_000_000, 1_300_000):
        body = b'{"token":1,"openlabel":{"a":[' + b"{}," * count + b"{}]}}"
        notes.hear(target.http.post(url, content=body, headers=headers), 413)
    nested = b'{"token":1,"openlabel":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    notes.hear(target.http.post(url, content=nested, headers=headers), 422)


def attributes_and_problems_without_measure(target: Target, notes: Notes, _seconds: float) -> None:
    """What a vehicle says of itself is kept, so it is bounded."""
    stolen = target.steal_vehicle()
    odd: list[dict[str, object]] = [
        {"attributes": {"x": 10**4000}},
        {"attributes": {"y" * 100_000: 1}},
        {"attributes": {f"n{number}": 1 for number in range(1000)}},
        {"attributes": {"x": "\u0000"}},
        {"software": {"agent": "b" * 100_000}},
        {"problems": ["p" * 100_000]},
    ]
    for changes in odd:
        body = json.dumps({"vehicle_time_ns": time.time_ns(), **changes}).encode()
        headers = {**stolen.bearer, "Content-Type": "application/json"}
        url = f"{target.api}/v1/vehicles/{stolen.vehicle_id}/check-in"
        answer = notes.hear(target.http.post(url, content=body, headers=headers))
        notes.require(
            answer.status_code < 500, f"a check-in with {str(changes)[:40]} was answered {answer.status_code}"
        )
    kept = target.admin.vehicles.get(stolen.vehicle_id).model_dump_json()
    notes.require(len(kept) < 100_000, f"the catalog keeps {len(kept)} bytes about one vehicle")


ATTACKS = [
    Attack("fill", manifests_that_are_created_and_given_up),
    Attack("fill", texts_of_megabytes_in_a_manifest, in_short=True),
    Attack("fill", bytes_that_become_no_clip, in_short=True),
    Attack("fill", cells_with_other_bytes_than_announced),
    Attack("fill", clips_of_one_byte_until_the_campaign_ends),
    Attack("fill", clips_of_a_campaign_that_was_never_given, in_short=True),
    Attack("fill", uploads_that_are_opened_and_left),
    Attack("fill", labels_of_millions_of_values),
    Attack("fill", attributes_and_problems_without_measure),
]
