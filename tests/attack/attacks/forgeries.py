"""Forgeries: signatures, links, identities, counts and names that are not what they seem."""

from __future__ import annotations

import base64
import json
import socket
import time
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.attack.attack import Attack, Notes
from tests.attack.attacks.signed import signing_vehicle
from tests.attack.books import books, log_text
from tests.attack.target import ATTACKERS_ADDRESS, CATALOG, EVERYBODYS, OURS, TUS, WITNESS_VEHICLE, Target
from tests.support.waiting import wait_for
from triggers.contracts import signing
from triggers.contracts.checkin import AssignmentList
from triggers.contracts.users import Role
from triggers.request_signature import SIGNATURE, SIGNATURE_INPUT

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of Ed25519: a signature with S + GROUP_ORDER satisfies the same equation."""
ESCAPES = "x\n2026-01-01 00:00:00,000 INFO ingest.gateway.writing: upload deadbeef: all received \x1b]0;PWNED\x07"


def signatures_of_requests(target: Target, notes: Notes, _seconds: float) -> None:
    """Another key, another path, another body, another time, another vehicle, another form of the same signature."""
    vehicle = signing_vehicle(target)
    notes.hear(target.http.send(vehicle.check_in()), 200)
    forged = {
        "another key": vehicle.check_in(key=Ed25519PrivateKey.generate()),
        "an hour ago": vehicle.check_in(age_s=3600),
        "an hour ahead": vehicle.check_in(age_s=-3600),
    }
    for name in ("another path", "another body", "another vehicle", "another form", "no nonce", "an empty signature"):
        forged[name] = vehicle.check_in()
    forged["another path"].url = forged["another path"].url.copy_with(path=f"/v1/vehicles/{WITNESS_VEHICLE}/check-in")
    forged["another body"] = target.http.build_request(
        "POST", vehicle.address, content=b'{"vehicle_time_ns":1}', headers=vehicle.check_in().headers
    )
    del forged["another body"].headers["content-length"]
    forged["another body"].headers["Content-Length"] = "21"
    stated = forged["another vehicle"].headers[SIGNATURE_INPUT]
    forged["another vehicle"].headers[SIGNATURE_INPUT] = stated.replace(vehicle.vehicle_id, WITNESS_VEHICLE)
    forged["no nonce"].headers[SIGNATURE_INPUT] = stated.replace("nonce", "once")
    forged["another form"].headers[SIGNATURE] = _other_form(forged["another form"].headers[SIGNATURE])
    forged["an empty signature"].headers[SIGNATURE] = f"vehicle=:{'A' * 86}==:"
    for name, request in forged.items():
        answer = notes.hear(target.http.send(request))
        notes.require(400 <= answer.status_code < 500, f"a check-in with {name} was answered {answer.status_code}")


def links_to_objects(target: Target, notes: Notes, _seconds: float) -> None:
    """A link with another end, another signature, or another object."""
    clips = list(target.admin.clips.search(limit=1))
    wait_for(lambda: clips or clips.extend(target.admin.clips.search(limit=1)), within_s=60, what="a clip")
    link = urlsplit(target.admin.clips.get(clips[0].id).assets[0].href)
    query = dict(parse_qsl(link.query))
    later = str(int(query["expires"]) + 1)
    forged = [
        (link.path, query | {"expires": later}),
        (link.path, query | {"expires": "-1"}),
        (link.path, query | {"signature": query["signature"][:-2] + "00"}),
        (link.path, query | {"signature": "é" * 10}),
        *((path, query) for path in ("/objects/../keys/signing.pem", "/objects/%2e%2e/%2e%2e/client.json")),
        *((path, query) for path in ("/objects//etc/passwd", "/objects/.link-secret", "/objects/a%00b")),
        (link.path.replace("/objects/", "/objects//"), query),
    ]
    for path, parameters in forged:
        notes.hear(target.http.get(f"{target.api}{path}?{urlencode(parameters)}"), 400, 403, 404, 422)


def what_belongs_to_another_vehicle(target: Target, notes: Notes, _seconds: float) -> None:
    """Its uploads, its list, its counts, its token; and clips in its name."""
    victim, thief = target.steal_vehicle(), target.steal_vehicle()
    address = target.located(notes.hear(target.begin(victim, b"x" * 100), 201))
    notes.hear(target.http.head(address, headers={**TUS, **thief.bearer}), 404)
    notes.hear(target.send(thief, address, b"x" * 100), 404)
    notes.hear(target.http.delete(address, headers={**TUS, **thief.bearer}), 404)
    body = json.loads(target.begin(victim, b"y" * 100).request.content)
    notes.hear(target.ask_for_upload(thief, body, 100), 422)
    url = f"{target.api}/v1/vehicles/{victim.vehicle_id}"
    for path, content in (("check-in", {"vehicle_time_ns": 1}), ("telemetry", {"counts": [], "reported_at_ns": 1})):
        notes.hear(target.http.post(f"{url}/{path}", json=content, headers=thief.bearer), 403)
    notes.hear(target.http.post(f"{url}/token", headers=thief.bearer), 403)
    notes.hear(target.http.head(address, headers={**TUS, **victim.bearer}), 200)


def counts_that_no_vehicle_can_have(target: Target, notes: Notes, _seconds: float) -> None:
    """A watermark of 2^62, of a trigger that does not exist, of a campaign that was never given."""
    stolen, before = target.steal_vehicle(), books(target)
    huge = 2**62
    for campaign, trigger, count in ((OURS, "event", 5), (EVERYBODYS, "nonsense", 5), (EVERYBODYS, "event", huge)):
        counts = {
            "campaign": campaign,
            "version": target.programs[campaign].version,
            "watermark": count,
            "suppressed": 0,
            "handed_over": count,
            "per_trigger": {trigger: count},
            "armed_ns": huge if count == huge else 10**9,
        }
        body = {"counts": [counts], "reported_at_ns": time.time_ns()}
        url = f"{target.api}/v1/vehicles/{stolen.vehicle_id}/telemetry"
        answer = notes.hear(target.http.post(url, json=body, headers=stolen.bearer))
        notes.require(answer.status_code < 500, f"a report of {count} fires was answered {answer.status_code}")
    fired = sum(each.fired for each in target.admin.outcomes.count(EVERYBODYS).outcomes)
    notes.require(fired < huge, f"{fired} fires count after one report")
    now = books(target)
    notes.require(now.unaccounted == before.unaccounted, f"{now.unaccounted} fires are unaccounted for")


def attributes_that_steer_a_campaign(target: Target, notes: Notes, _seconds: float) -> None:
    """A vehicle says that it is one of those for which a campaign is meant."""
    stolen = target.steal_vehicle()
    given = notes.hear(target.check_in(stolen, attributes={"fleet": "ours"}), 200).content
    payload = given[signing.HEADER_BYTES :]
    names = {each.campaign for each in AssignmentList.from_json(payload, what="the list").assignments}
    notes.require(OURS not in names, "a vehicle was given a campaign for which it only claimed to be meant")


def names_that_forge_lines_of_the_log(target: Target, notes: Notes, _seconds: float) -> None:
    """Names and values with line ends and terminal escapes, in every text that a vehicle or anybody sends."""
    stolen = target.steal_vehicle()
    notes.hear(target.ask_for_upload(stolen, {"manifest": {"recording": {"software": {ESCAPES: 1}}}}, 1), 422)
    notes.hear(target.ask_for_upload(stolen, {ESCAPES: 1}, 1), 422)
    notes.hear(target.begin(stolen, b"x", software={ESCAPES: "1"}))
    notes.hear(target.check_in(stolen, problems=[ESCAPES], software={"agent": ESCAPES}))
    notes.hear(target.http.get(f"{target.api}/v1/{quote(ESCAPES)}"), 404)
    text = log_text(target)
    notes.require("\x1b" not in text, "an escape character came into a log")
    forged = [line for line in text.splitlines() if line.startswith("2026-01-01")]
    notes.require(not forged, f"a line of a log was forged: {forged[:1]}")


def approval_of_something_else(target: Target, notes: Notes, _seconds: float) -> None:
    """A digest of another version, of another program, and an author's own approval in another spelling."""
    bearer = {"Authorization": f"Bearer {target.token_of(Role.AUTHOR)}"}
    text = "trigger t { when event.level > 0.7 }\ncampaign mine { collect t budget 1 MB total }"
    digests = []
    for budget in ("1 MB", "900 GB"):
        applied = target.admin.campaigns.apply(text.replace("1 MB", budget), CATALOG, campaign="mine")
        digests.append((applied.version, applied.approval_digest, applied.program_digest))
    (first, _, _), (second, digest, program) = digests
    approver = {"Authorization": f"Bearer {target.token_of(Role.APPROVER)}"}
    path = f"{target.api}/v1/campaigns/mine"
    for version, sent in ((first, digest), (second, program), (second, "0" * 64)):
        notes.hear(target.http.post(f"{path}/{version}/approve", json={"digest": sent}, headers=approver), 409, 422)
    notes.hear(target.http.post(f"{path}/{second}/approve", json={"digest": digest}, headers=bearer), 403)
    notes.hear(target.http.post(f"{target.api}/v1/campaigns/{OURS}/1/stop", headers=bearer), 403)


def limits_that_authors_grant_themselves(target: Target, notes: Notes, _seconds: float) -> None:
    """The signal catalog comes from the author, and may lower the limits of programs only."""
    conditions = [f"max(noise.n{n}, {500 + n} s) > 1 and min(noise.n{n}, {400 + n} s) < 0" for n in range(60)]
    triggers = [f"trigger t{n} {{ when {condition} }}" for n, condition in enumerate(conditions)]
    collected = ", ".join(f"t{n}" for n in range(60))
    source = "\n".join([*triggers, f"campaign heavy {{ collect {collected} budget 1 MB total }}"])
    signals = "limits: {state: 128 MiB, operations: 1000000000}\n" + CATALOG
    headers = {"Authorization": f"Bearer {target.token_of(Role.AUTHOR)}"}
    body = {"source": source, "signals": signals, "draft": True}
    notes.hear(target.http.post(f"{target.api}/v1/campaigns", json=body, headers=headers), 422)


def filters_that_are_none(target: Target, notes: Notes, _seconds: float) -> None:
    """CQL2 with numbers beyond any type, deep nesting, and text that would be SQL."""
    headers = {"Authorization": f"Bearer {target.token_of(Role.VIEWER)}"}
    odd = [
        ("cql2-json", json.dumps({"op": "=", "args": [{"property": "id"}, 10**400]})),
        ("cql2-json", json.dumps({"op": "like", "args": [{"property": "state"}, "\\"]})),
        ("cql2-json", '{"op":"not","args":[' * 60 + "true" + "]}" * 60),
        ("cql2-text", "(" * 2000 + "version = 1" + ")" * 2000),
        ("cql2-text", "NOT " * 1000 + "version = 1"),
        ("cql2-text", "state = 'a'' OR 1=1--'"),
        ("cql2-text", "start > DATE('" + "9" * 4000 + "')"),
    ]
    for language, text in odd:
        parameters = {"filter": text, "filter-lang": language, "limit": "2"}
        answer = notes.hear(target.http.get(f"{target.api}/v1/clips", params=parameters, headers=headers))
        notes.require(answer.status_code < 500, f"the filter {text[:60]!r} was answered {answer.status_code}")
    for query in ("sortby=id;%20drop", "limit=0", f"token={'A' * 600}"):
        notes.hear(target.http.get(f"{target.api}/v1/clips?{query}", headers=headers), 400, 422)


def requests_in_two_framings(target: Target, notes: Notes, _seconds: float) -> None:
    """Lengths that contradict each other: what one server takes for a body is the next one's request."""
    inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /v1/vehicles HTTP/1.1\r\nHost: x\r\n"
    length = f"Content-Length: {len(inner)}\r\n".encode()
    odd = [
        head + length + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        head + length + b"Content-Length: 6\r\n\r\n" + inner,
        head + b"Transfer-Encoding: xchunked\r\n\r\n" + inner,
        head + b"Transfer-Encoding : chunked\r\n\r\n" + inner,
        head + b"Content-Length: +5\r\n\r\n" + inner,
    ]
    for url in (target.api, target.gateway):
        parts = urlsplit(url)
        for sent in odd:
            with socket.create_connection((parts.hostname, parts.port), 20, (ATTACKERS_ADDRESS, 0)) as connection:
                connection.sendall(sent)
                answers = _all_of(connection)
            notes.require(
                answers.startswith(b"HTTP/1.1 4") or answers.startswith(b"HTTP/1.1 501"), f"{sent!r}: {answers[:60]!r}"
            )
            notes.require(answers.count(b"HTTP/1.1") == 1, f"one request in two framings was answered twice: {sent!r}")


def _all_of(connection: socket.socket) -> bytes:
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except OSError:
        return data
    return data


def _other_form(signature: str) -> str:
    raw = base64.b64decode(signature.removeprefix("vehicle=:").removesuffix(":"))
    scalar = int.from_bytes(raw[32:], "little") + GROUP_ORDER
    return f"vehicle=:{base64.b64encode(raw[:32] + scalar.to_bytes(32, 'little')).decode()}:"


ATTACKS = [
    Attack("forge", signatures_of_requests, in_short=True),
    Attack("forge", links_to_objects),
    Attack("forge", what_belongs_to_another_vehicle, in_short=True),
    Attack("forge", counts_that_no_vehicle_can_have, in_short=True),
    Attack("forge", attributes_that_steer_a_campaign, in_short=True),
    Attack("forge", names_that_forge_lines_of_the_log, in_short=True),
    Attack("forge", approval_of_something_else),
    Attack("forge", limits_that_authors_grant_themselves),
    Attack("forge", filters_that_are_none),
    Attack("forge", requests_in_two_framings),
]
