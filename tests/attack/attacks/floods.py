"""Floods: one caller sends as many requests as it can, cheap ones and costly ones."""

from __future__ import annotations

import json
import time

from tests.attack.attack import Attack, Notes
from tests.attack.target import ATTACKERS_ADDRESS, CATALOG, TUS, Target
from tests.support.load.flooder import FRESH, Flood, flooding
from tests.support.load.wire import request_of
from triggers.contracts.checkin import CheckIn
from triggers.contracts.users import Role

CONNECTIONS = 100
JSON = {"Content_Type": "application/json"}
_TUS = {name.replace("-", "_"): value for name, value in TUS.items()}


def requests_with_another_made_up_token_each_time(target: Target, notes: Notes, seconds: float) -> None:
    """Every guess would cost a transaction, if guesses were not counted by address."""
    request = request_of("GET", f"{target.api}/v1/clips", token=FRESH.decode())
    _flood(target, notes, target.api, request, seconds, expected={401, 429})


def requests_without_any_token(target: Target, notes: Notes, seconds: float) -> None:
    """The readiness of the API is a question to its database."""
    _flood(target, notes, target.api, request_of("GET", f"{target.api}/readyz"), seconds, expected={200, 429})


def questions_whether_it_lives(target: Target, notes: Notes, seconds: float) -> None:
    """The one route that is never refused."""
    _flood(target, notes, target.api, request_of("GET", f"{target.api}/healthz"), seconds, expected={200})


def check_ins_of_one_vehicle(target: Target, notes: Notes, seconds: float) -> None:
    """A valid token has a rate of its own, and each of these is a whole list to sign."""
    stolen = target.steal_vehicle()
    url = f"{target.api}/v1/vehicles/{stolen.vehicle_id}/check-in"
    body = CheckIn(vehicle_time_ns=time.time_ns()).canonical_json()
    request = request_of("POST", url, token=stolen.token, body=body, **JSON)
    _flood(target, notes, target.api, request, seconds, expected={200, 429, 503})


def questions_of_one_vehicle_at_the_gateway(target: Target, notes: Notes, seconds: float) -> None:
    """Offsets of an upload, over and over."""
    stolen = target.steal_vehicle()
    location = target.located(notes.hear(target.begin(stolen, b"x" * 1000), 201))
    request = request_of("HEAD", location, token=stolen.token, **_TUS)
    _flood(target, notes, target.gateway, request, seconds, expected={200, 429, 503})


def signatures_that_name_another_vehicle(target: Target, notes: Notes, seconds: float) -> None:
    """Were made-up signatures counted against the vehicle that they name, they would lock it out."""
    name = target.witness.vehicle_id
    signed = {
        "Signature_Input": f'vehicle=("@method" "@path");created={int(time.time())};nonce="{"n" * 22}";'
        f'keyid="{name}";alg="ed25519"',
        "Signature": f"vehicle=:{'A' * 86}==:",
    }
    request = request_of("GET", f"{target.api}/v1/bundles/{'0' * 64}", **signed)
    _flood(target, notes, target.api, request, seconds, expected={401, 429})


def connections_that_leave_before_their_answer(target: Target, notes: Notes, seconds: float) -> None:
    """A new connection for each request, closed at once: work for answers that nobody reads."""
    request = request_of("GET", f"{target.api}/v1/clips", token=FRESH.decode())
    flood = Flood(target.api, (request,), seconds, CONNECTIONS // 2, ATTACKERS_ADDRESS, reconnects=True, hurries=True)
    with flooding(flood) as found:
        pass
    notes.hear_flood(found)


def bytes_that_are_no_request(target: Target, notes: Notes, seconds: float) -> None:
    """Each connection costs its acceptance, a parser, and a line in the log if that had no bound."""
    _flood(target, notes, target.gateway, b"\x16\x03\x01\x02\x00\x01\x00 \r\n\r\n", seconds, expected={400})


def costly_searches_by_a_viewer(target: Target, notes: Notes, seconds: float) -> None:
    """The lowest role may search, and a search can take as long as it is allowed to."""
    clauses = " OR ".join(
        f"(casei(damage) LIKE '%a%b%c{n}%' OR noise.n{n}.max > {n} OR label = 'x{n}' OR tag = 'q{n}')"
        for n in range(18)
    )
    query = f"filter={_quoted(clauses)}"
    request = request_of("GET", f"{target.api}/v1/clips?{query}", token=target.token_of(Role.VIEWER))
    _flood(target, notes, target.api, request, seconds, expected={200, 429, 503}, connections=40)


def costly_texts_by_an_author(target: Target, notes: Notes, seconds: float) -> None:
    """A wrong text of 160 kB takes seconds to compile."""
    body = json.dumps({"source": _long_text(), "signals": CATALOG, "draft": True}).encode()
    url, token = f"{target.api}/v1/campaigns", target.token_of(Role.AUTHOR)
    request = request_of("POST", url, token=token, body=body, **JSON)
    _flood(target, notes, target.api, request, seconds, expected={413, 422, 429, 503}, connections=20)


def _flood(
    target: Target,
    notes: Notes,
    url: str,
    request: bytes,
    seconds: float,
    *,
    expected: set[int],
    connections: int = CONNECTIONS,
) -> None:
    assert target.running
    with flooding(Flood(url, (request,), seconds, connections, ATTACKERS_ADDRESS)) as found:
        pass
    notes.hear_flood(found)
    notes.require(found[0].answered > 0, "the flood was not answered at all")
    odd = set(found[0].statuses) - expected
    notes.require(not odd, f"a flood was answered {sorted(odd)}, which was not expected")


def _long_text() -> str:
    conditions = [
        " or ".join(f"(noise.n{(i + j) % 200} > {i}.{j} km/h and max(noise.n1, {j} ms) < 3)" for j in range(20))
        for i in range(100)
    ]
    triggers = [f"trigger t{i} {{ when {condition} cooldown 5 s }}" for i, condition in enumerate(conditions)]
    collected = ", ".join(f"t{i}" for i in range(len(triggers)))
    return "\n".join([*triggers, f"campaign heavy {{ collect {collected} budget 1 MB total }}"])


def _quoted(text: str) -> str:
    return "".join(character if character.isalnum() else f"%{ord(character):02X}" for character in text)


ATTACKS = [
    Attack("flood", requests_with_another_made_up_token_each_time, in_short=True),
    Attack("flood", requests_without_any_token),
    Attack("flood", questions_whether_it_lives),
    Attack("flood", check_ins_of_one_vehicle, in_short=True),
    Attack("flood", questions_of_one_vehicle_at_the_gateway),
    Attack("flood", signatures_that_name_another_vehicle),
    Attack("flood", connections_that_leave_before_their_answer),
    Attack("flood", bytes_that_are_no_request),
    Attack("flood", costly_searches_by_a_viewer),
    Attack("flood", costly_texts_by_an_author),
]
