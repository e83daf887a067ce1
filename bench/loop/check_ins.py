"""Check-ins of vehicles with nothing new to tell, by token and signed, in turns with `/healthz`: rates and waiting.

`python -m bench.loop.check_ins [--vehicles N ...] [--campaigns N ...]`. What is compared is checked first:
each vehicle gets the list that it should have, signed, and then a 304; its assignment is recorded. One client on the
same machine sends over 16 connections: first as fast as it is answered, which gives the rates, and then evenly, at half
the rate of `/healthz`, which gives the waiting: it counts from when a request was due, not from when it could be sent.
Signed requests are made before they are timed, each with a nonce of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.deployment.deployment import Deployment
from tests.support import whole_system
from tests.support.servers.postgres import libpq_url
from triggers.body_digest import content_digest
from triggers.contracts import signing
from triggers.contracts.checkin import AssignmentList
from triggers.contracts.signing import load_private_key
from triggers.request_signature import sign

CONNECTIONS = 16
ACTIVE = 2000
"""Vehicles that check in, of all that are enrolled."""
ROUNDS = 3
NONE: Mapping[str, str] = MappingProxyType({})

_ENROL = """
    INSERT INTO vehicles (id, token_hash, token_expires_at, attributes)
    SELECT 'bench-' || n, sha256(convert_to('lt_' || lpad(n::text, 43, '0'), 'UTF8')),
        now() + interval '366 days', '{"region": "EU"}'
    FROM generate_series((SELECT count(*) FROM vehicles) + 1, %s) n
"""
_CAMPAIGNS = """
    WITH owned AS (
        INSERT INTO campaign_owners (campaign, owner_id)
        SELECT 'bench_' || n, (SELECT min(id) FROM users)
        FROM generate_series((SELECT count(*) FROM campaign_versions WHERE state = 'active') + 1, %s) n
    )
    INSERT INTO campaign_versions
    SELECT (jsonb_populate_record(CAST(NULL AS campaign_versions), to_jsonb(v) || jsonb_build_object(
        'campaign', 'bench_' || n, 'settings', jsonb_set(v.settings, '{name}', to_jsonb('bench_' || n)),
        'bundle_digest', encode(sha256(convert_to('bench_' || n, 'UTF8')), 'hex')
    ))).*
    FROM (SELECT * FROM campaign_versions WHERE state = 'active' AND campaign NOT LIKE 'bench%%' LIMIT 1) v
    CROSS JOIN generate_series((SELECT count(*) FROM campaign_versions WHERE state = 'active') + 1, %s) n
"""


@dataclass(frozen=True)
class Rate:
    """Answers per second, and the 99th percentile of the times to them in ms."""

    per_s: float
    p99_ms: float


def request_of(method: str, path: str, host: str, *, headers: Mapping[str, str] = NONE, body: bytes = b"") -> bytes:
    """An HTTP/1.1 request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return status, await reader.readexactly(int(length or 0)) if status != 304 else b""


async def _send(
    url: str, requests: Sequence[bytes], seconds: float, expected: int, *, per_s: float | None = None
) -> Rate:
    """Send for so many seconds: `per_s` requests evenly, or, with None, the next one as soon as one is answered."""
    parts, times = urlsplit(url), []
    connections = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(CONNECTIONS)]
    began = time.perf_counter()

    async def one(number: int) -> None:
        reader, writer = connections[number]
        mine = requests[number::CONNECTIONS] or requests
        for sent in itertools.count():
            due = time.perf_counter() if per_s is None else began + (sent * CONNECTIONS + number) / per_s
            if due >= began + seconds:
                break
            await asyncio.sleep(due - time.perf_counter())
            writer.write(mine[sent % len(mine)])
            status, _ = await _answer(reader)
            times.append(time.perf_counter() - due)
            assert status == expected, f"answered {status} instead of {expected}"
        writer.close()

    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))
    spent_s = time.perf_counter() - began
    return Rate(len(times) / spent_s, sorted(times)[int(len(times) * 0.99)] * 1000)


async def _lists(url: str, host: str, active: int) -> list[bytes]:
    """The sealed list of each active vehicle, which it follows from now on."""
    parts, lists = urlsplit(url), []
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for number in range(1, active + 1):
        writer.write(_check_in(host, number, None))
        status, sealed = await _answer(reader)
        assert status == 200, f"vehicle {number} was answered {status}"
        lists.append(sealed)
    writer.close()
    return lists


def _check_in(host: str, number: int, have: str | None, *, signed: bool = False) -> bytes:
    told = {"software": {"agent": "1.2.3"}, "have": have, "vehicle_time_ns": time.time_ns()}
    path, body = f"/v1/vehicles/bench-{number}/check-in", json.dumps(told).encode()
    headers = {"Authorization": f"Bearer lt_{number:043d}"}
    if signed:
        covered = {"content-digest": content_digest(body)}
        headers = covered | sign(key_of(number), f"bench-{number}", "POST", path, covered, created_s=int(time.time()))
    return request_of("POST", path, host, headers=headers, body=body)


def _signed(host: str, digests: Sequence[str], count: float) -> list[bytes]:
    """At least `count` signed check-ins, those of each vehicle in turn."""
    many = itertools.islice(itertools.cycle(enumerate(digests, 1)), round(count) + len(digests))
    return [_check_in(host, number, digest, signed=True) for number, digest in many]


def key_of(number: int) -> Ed25519PrivateKey:
    """The key of a vehicle that signs."""
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))


def measure(running: Deployment, *, vehicles: int, campaigns: int, seconds: float, active: int) -> None:
    """Make the fleet as large as asked for, check the answers, and print both rates, in turns."""
    url = running.settings.effective_api_url()
    host = urlsplit(url).netloc
    with psycopg.connect(libpq_url(running.settings.require_database_url()), autocommit=True) as connection:
        connection.execute(_ENROL, (vehicles,))
        connection.execute(_CAMPAIGNS, (campaigns, campaigns))
        connection.execute("UPDATE assignment_revision SET revision = revision + 1")
        connection.execute("ANALYZE vehicles")
        folder = running.settings.effective_list_keys()
        keys = [] if folder is None else [load_private_key(path).public_key() for path in folder.glob("list*.pem")]
        trusted = signing.public_keys(*(key.public_bytes_raw() for key in keys))
        connection.cursor().executemany(
            "UPDATE vehicles SET public_key = %s WHERE id = %s",
            [(key_of(each).public_key().public_bytes_raw(), f"bench-{each}") for each in range(1, active + 1)],
        )
        digests = []
        for sealed in asyncio.run(_lists(url, host, active)):
            payload = signing.unseal(sealed, purpose=signing.ASSIGNMENTS, trusted=trusted)
            given = AssignmentList.from_json(payload, what="the list")
            assert len(given.assignments) == campaigns, "a list lacks campaigns"
            digests.append(given.content_digest)
        recorded = connection.execute("SELECT count(*) FROM assignments WHERE assigned_until IS NULL").fetchone()
        assert recorded is not None and recorded[0] >= active * campaigns, "an assignment is not recorded"
    health = [request_of("GET", "/healthz", host)]
    by_token = [_check_in(host, number, digest) for number, digest in enumerate(digests, 1)]
    ratios: dict[str, list[float]] = {"token": [], "signed": []}
    for _ in range(ROUNDS):
        alive = asyncio.run(_send(url, health, seconds, 200))
        unchanged = asyncio.run(_send(url, by_token, seconds, 304))
        signed = asyncio.run(_send(url, _signed(host, digests, unchanged.per_s * seconds * 2), seconds, 304))
        half = alive.per_s / 2
        calm = asyncio.run(_send(url, by_token, seconds, 304, per_s=half))
        calm_signed = asyncio.run(_send(url, _signed(host, digests, half * seconds), seconds, 304, per_s=half))
        ratios["token"].append(unchanged.per_s / alive.per_s)
        ratios["signed"].append(signed.per_s / alive.per_s)
        size = f"{vehicles:>9} vehicles {campaigns:>4} campaigns"
        shown = (f"{rate.per_s:7.0f}/s (p99 {rate.p99_ms:.1f} ms)" for rate in (alive, unchanged, signed))
        print("{}: /healthz {}, check-in by token {}, signed {}".format(size, *shown), end="")
        print(f"; at {half:.0f}/s p99 {calm.p99_ms:.1f} ms, signed {calm_signed.p99_ms:.1f} ms", flush=True)
    medians = ", ".join(f"{how} {statistics.median(each):.2f}" for how, each in ratios.items())
    print(f"{'':>9} median ratios: {medians}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every size that is asked for, from small to large."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vehicles", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--campaigns", type=int, nargs="+", default=[1, 221])
    parser.add_argument("--active", type=int, default=ACTIVE)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args(arguments)
    with whole_system.deployment(requests_per_address=1e6) as running:  # `/healthz` is the peer, not the bound on it
        with whole_system.admin(running) as api:
            whole_system.run_campaign(api)
        for campaigns in sorted(asked.campaigns):
            for vehicles in sorted(asked.vehicles):
                measure(running, vehicles=vehicles, campaigns=campaigns, seconds=asked.seconds, active=asked.active)
    return 0


if __name__ == "__main__":
    sys.exit(main())
