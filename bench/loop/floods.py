"""How long others wait while one caller floods: the p99 of a person and a vehicle, to its quiet value in the same run.

`python -m bench.loop.floods [--seconds N] [--rounds N] [--connections N] [--only TEXT]`. Each round is a quiet time and
then each flood. The flood comes from an address of its own, as fast as it is answered; it runs at the lowest priority,
since its processor time stands for another machine's. Every request of person and vehicle must succeed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from tests.support import whole_system
from tests.support.load.flooder import FRESH, Flood, Flooded, flooding
from tests.support.load.wire import request_of
from tests.support.load.witness import STREAMS, Part, Seen, Witnesses, percentile, witnesses
from tests.support.small_clips import Running
from tests.support.waiting import let_pass
from triggers.contracts.checkin import CheckIn
from triggers.contracts.users import Role

FLOODERS_ADDRESS = "127.0.0.66"
SECONDS = 15.0
ROUNDS = 3
CONNECTIONS = 100
AT_MOST = 3.0
"""What is asked for: a p99 under so many times the quiet one."""
_AFTERWARDS_S = 2.0
_SOURCE = """
trigger event { when event.level > 0.5 capture 1 s before, 1 s after { signals noise.n0 } }
campaign quiet { collect event budget 1 GB total }
"""

Waits = Mapping[str, float]
"""The p99 (s) of each stream of the witnesses."""


def floods(api_url: str, gateway_url: str, vehicle_id: str, token: str) -> dict[str, tuple[str, bytes]]:
    """What is sent, by name: the server's address and the request."""
    body = CheckIn(vehicle_time_ns=time.time_ns()).canonical_json()
    check_in = f"{api_url}/v1/vehicles/{vehicle_id}/check-in"
    return {
        "guessed tokens": (api_url, request_of("GET", f"{api_url}/v1/clips", token=FRESH.decode())),
        "no token": (api_url, request_of("GET", f"{api_url}/readyz")),
        "liveness": (api_url, request_of("GET", f"{api_url}/healthz")),
        "check-ins": (api_url, request_of("POST", check_in, token=token, body=body, Content_Type="application/json")),
        "gateway": (
            gateway_url,
            request_of("HEAD", f"{gateway_url}/v1/uploads/{'0' * 32}", token=token, Tus_Resumable="1.0.0"),
        ),
    }


def waits(seen: Sequence[Seen]) -> Waits:
    """The p99 of each stream; ValueError if a request failed, since it then says nothing."""
    failures = [each for each in seen if each.failure]
    if failures:
        raise ValueError(f"{len(failures)} requests of witnesses failed, such as {failures[0]}")
    return {stream: percentile([each for each in seen if each.stream == stream]) for stream in STREAMS}


def measure(seen: Witnesses, during: Callable[[], None]) -> Waits:
    """The waits while something goes on."""
    began_s = time.monotonic()
    during()
    ended_s = time.monotonic()
    let_pass(_AFTERWARDS_S, why="requests that were sent before the end are answered after it")
    return waits(seen.since(began_s, until_s=ended_s))


def round_of(seen: Witnesses, chosen: Mapping[str, tuple[str, bytes]], asked: argparse.Namespace) -> dict[str, Waits]:
    """A quiet time and each flood; the waits by name."""
    found = {"quiet": measure(seen, lambda: let_pass(asked.seconds, why="a quiet time is what is measured"))}
    for name, (url, request) in chosen.items():
        answered: list[Flooded] = []

        def flood(url: str = url, request: bytes = request, answered: list[Flooded] = answered) -> None:
            with flooding(Flood(url, (request,), asked.seconds, asked.connections, FLOODERS_ADDRESS)) as done:
                pass
            answered += done

        found[name] = measure(seen, flood)
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(answered[0].statuses.items()))
        print(f"    {name:>15}: {told(found[name])}; answered {statuses}", flush=True)
    print(f"    {'quiet':>15}: {told(found['quiet'])}", flush=True)
    return found


def told(found: Waits) -> str:
    """The waits in ms."""
    return ", ".join(f"{stream} {p99_s * 1000:.1f} ms" for stream, p99_s in found.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure in rounds; the median of the rounds' ratios, for each flood and each stream. 1 if one is too high."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--only", default="", help="floods whose name contains this")
    asked = parser.parse_args(arguments)
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    with whole_system.deployment() as running, whole_system.admin(running) as api:
        whole_system.run_campaign(api, _SOURCE)
        view = api.campaigns.version("quiet")
        program = Running("quiet", view.program_digest or "", "event", "noise.n0", view.version)
        person = running.issue_token("person", [Role.VIEWER])
        quiet, loud = (api.vehicles.enrol(name, replays=True) for name in ("quiet-car", "loud-car"))
        part = Part(running.api_url, running.gateway_url, person, quiet.id, quiet.token, program)
        every = floods(running.api_url, running.gateway_url, loud.id, loud.token)
        chosen = {name: flood for name, flood in every.items() if asked.only in name}
        with witnesses(part) as seen:
            for number in range(asked.rounds):
                print(f"round {number + 1}, load {' '.join(f'{load:.1f}' for load in os.getloadavg())}", flush=True)
                found = round_of(seen, chosen, asked)
                for name in chosen:
                    for stream in STREAMS:
                        ratios[name, stream].append(found[name][stream] / found["quiet"][stream])
    medians = {f"{name}, {stream}": round(statistics.median(each), 2) for (name, stream), each in ratios.items()}
    print(json.dumps(medians, indent=1))
    return 0 if max(medians.values()) < AT_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
