"""Witnesses: a person and a vehicle that use a deployment as they always do, and note how each request is answered.

`python -m tests.support.load.witness` reads a `Part` as JSON from the first line of standard input, writes a line for
each request, and ends with its input. The person reads; the vehicle checks in at the API and asks the gateway for an
offset; and it records small clips, uploads them, and reports that it has.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from tests.support.load.wire import Answer, connect, read_answer, request_of
from tests.support.paths import REPOSITORY
from tests.support.small_clips import Running, creation_request, small_clip
from tests.support.waiting import wait_for
from triggers.contracts.checkin import CheckIn, FireCounts, Telemetry
from triggers.times import NS_PER_S

PERSON, VEHICLE, GATEWAY, UPLOAD = "person", "vehicle", "gateway", "upload"
STREAMS = (PERSON, VEHICLE, GATEWAY)
"""What is timed; the clips that are uploaded beside it are fewer, and every one must be accepted."""
EVERY_S = 0.05
NEW_CONNECTION_EVERY = 10
ANSWER_WITHIN_S = 30.0
_ENDS_WITHIN_S = 60.0
_TUS = {"Tus_Resumable": "1.0.0"}


@dataclass(frozen=True)
class Part:
    """What the witnesses are told: where the deployment is, who they are, and what the vehicle records."""

    api_url: str
    gateway_url: str
    person_token: str
    vehicle_id: str
    vehicle_token: str
    running: Running
    reads: tuple[str, ...] = ("/v1/campaigns", "/v1/clips?limit=10", "/v1/outcomes")
    upload_every_s: float | None = None
    """How often the vehicle uploads a clip; None: never."""


@dataclass(frozen=True)
class Seen:
    """One request of a witness: its stream, when and how long it took, and why it failed (empty: it did not)."""

    stream: str
    at_s: float
    took_s: float
    failure: str = ""


def percentile(seen: Sequence[Seen], share: float = 0.99) -> float:
    """The time (s) within which this share of the requests was answered."""
    times = sorted(each.took_s for each in seen)
    return times[min(len(times) - 1, math.ceil(len(times) * share) - 1)] if times else 0.0


class Witnesses:
    """What the process of the witnesses has told so far. Thread-safe."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._lock = threading.Lock()
        self.acknowledged = 0
        """Clips of the vehicle that the gateway has said it has all of."""

    def listen(self, lines: Iterator[str]) -> None:
        """Take in what the process writes, until it ends."""
        for line in lines:
            told = Seen(**json.loads(line))
            with self._lock:
                self._seen.append(told)
                self.acknowledged += told.stream == UPLOAD and not told.failure

    def since(self, at_s: float, *, until_s: float = math.inf, stream: str | None = None) -> list[Seen]:
        """What was sent from one moment to another, by the clock of `time.monotonic`."""
        with self._lock:
            return [
                each for each in self._seen if at_s <= each.at_s < until_s and (stream is None or each.stream == stream)
            ]


@contextmanager
def witnesses(part: Part) -> Iterator[Witnesses]:
    """Let witnesses do their part while the block runs."""
    told = Witnesses()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.load.witness"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(part)) + "\n")
        process.stdin.flush()
        listener = threading.Thread(target=told.listen, args=(iter(process.stdout),), daemon=True)
        listener.start()
        wait_for(
            lambda: process.poll() is not None or all(told.since(0, stream=stream) for stream in STREAMS),
            within_s=_ENDS_WITHIN_S,
            what="the witnesses' first requests",
        )
        assert process.poll() is None, "the witnesses ended at once"
        yield told
        process.stdin.close()
        process.wait(_ENDS_WITHIN_S)
        listener.join(_ENDS_WITHIN_S)
    finally:
        process.kill()
        process.wait()


class _Client:
    """One connection, replaced now and then, since witnesses come and go like everybody."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sent = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> Answer:
        if self._streams is None or self._sent % NEW_CONNECTION_EVERY == 0:
            self.drop()
            self._streams = await connect(self._url)
        self._sent += 1
        reader, writer = self._streams
        writer.write(request)
        return await read_answer(reader, to_head=request.startswith(b"HEAD"))

    def drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


Step = Callable[[_Client, int], Awaitable[None]]


class _Scene:
    def __init__(self, part: Part) -> None:
        self._part = part
        self._over = asyncio.Event()
        self._recorded = 0
        self._begin_ns = time.time_ns() - 3600 * NS_PER_S
        self._offset_url = ""

    async def run(self) -> None:
        await asyncio.to_thread(self._offer_one)
        tasks = [
            self._again(PERSON, self._part.api_url, self._read, EVERY_S),
            self._again(VEHICLE, self._part.api_url, self._check_in, EVERY_S),
            self._again(GATEWAY, self._part.gateway_url, self._ask_offset, EVERY_S),
        ]
        if self._part.upload_every_s is not None:
            tasks.append(self._again(UPLOAD, self._part.gateway_url, self._upload, self._part.upload_every_s))
        await asyncio.gather(self._listen(), *tasks)

    async def _listen(self) -> None:
        """The input's end is the end of all."""
        await asyncio.to_thread(sys.stdin.read)
        self._over.set()

    async def _again(self, stream: str, url: str, step: Step, every_s: float) -> None:
        client, number = _Client(url), 0
        while not self._over.is_set():
            began_s = _now_s()
            failure = await _attempt(step, client, number)
            took_s = _now_s() - began_s
            print(json.dumps(asdict(Seen(stream, began_s, took_s, failure))), flush=True)
            number += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), max(0.0, every_s - took_s))
        client.drop()

    async def _read(self, client: _Client, number: int) -> None:
        path = self._part.reads[number % len(self._part.reads)]
        url, token = self._part.api_url + path, self._part.person_token
        _require(await client.send(request_of("GET", url, token=token)), 200)

    async def _check_in(self, client: _Client, _number: int) -> None:
        body = CheckIn(vehicle_time_ns=time.time_ns()).canonical_json()
        url = f"{self._part.api_url}/v1/vehicles/{self._part.vehicle_id}/check-in"
        _require(await client.send(self._json("POST", url, body)), 200)

    async def _ask_offset(self, client: _Client, _number: int) -> None:
        token = self._part.vehicle_token
        _require(await client.send(request_of("HEAD", self._offset_url, token=token, **_TUS)), 200)

    async def _upload(self, client: _Client, _number: int) -> None:
        """A whole clip, and the report that it was handed over."""
        ordinal = self._recorded + 1
        location, data = await self._created(client, ordinal)
        headers = {**_TUS, "Upload_Offset": "0", "Content_Type": "application/offset+octet-stream"}
        sent = request_of("PATCH", location, token=self._part.vehicle_token, body=data, **headers)
        _require(await client.send(sent), 204)
        self._recorded = ordinal
        # The clip whose offset is asked is a fire, too: it stays open, and so in flight on the vehicle.
        counts = FireCounts(
            campaign=self._part.running.campaign,
            version=self._part.running.version,
            watermark=ordinal,
            suppressed=0,
            handed_over=ordinal - 1,
            in_flight=1,
            per_trigger={self._part.running.trigger: ordinal},
            armed_ns=ordinal * NS_PER_S,
        )
        report = Telemetry(counts=(counts,), reported_at_ns=time.time_ns()).canonical_json()
        reporting = _Client(self._part.api_url)
        try:
            url = f"{self._part.api_url}/v1/vehicles/{self._part.vehicle_id}/telemetry"
            _require(await reporting.send(self._json("POST", url, report)), 204)
        finally:
            reporting.drop()

    async def _created(self, client: _Client, ordinal: int) -> tuple[str, bytes]:
        """The address of a new upload, and its clip's bytes."""
        running, t_ns = self._part.running, self._begin_ns + ordinal * 2 * NS_PER_S
        data = small_clip(running, self._part.vehicle_id, ordinal=ordinal, t_ns=t_ns)
        request = creation_request(running, self._part.vehicle_id, data, ordinal=ordinal, t_ns=t_ns)
        sent = self._json(
            "POST", f"{self._part.gateway_url}/v1/uploads", request.canonical_json(), Upload_Length=str(len(data))
        )
        answer = _require(await client.send(sent), 201, 200)  # 200: a former attempt has created it
        return f"{self._part.gateway_url}/v1/{answer.location}", data

    def _offer_one(self) -> None:
        """Begin the upload whose offset is asked for from then on, and check in, as a vehicle does first."""

        async def offer() -> None:
            api, gateway = _Client(self._part.api_url), _Client(self._part.gateway_url)
            await self._check_in(api, 0)
            self._offset_url, _ = await self._created(gateway, 1)
            self._recorded = 1
            api.drop()
            gateway.drop()

        asyncio.run(offer())

    def _json(self, method: str, url: str, body: bytes, **headers: str) -> bytes:
        every = {**_TUS, "Content_Type": "application/json", **headers}
        return request_of(method, url, token=self._part.vehicle_token, body=body, **every)


def _now_s() -> float:
    return time.monotonic()


async def _attempt(step: Step, client: _Client, number: int) -> str:
    """Why a step failed; empty when it did not."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await step(client, number)
    except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError) as error:
        client.drop()
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return ""


def _require(answer: Answer, *statuses: int) -> Answer:
    if answer.status not in statuses:
        raise ValueError(f"{answer.status} instead of {statuses[0]}: {answer.body[:300].decode('utf-8', 'replace')}")
    return answer


def main() -> None:
    """Do the part that the first line of standard input gives."""
    told = json.loads(sys.stdin.readline())
    part = Part(**told | {"running": Running(**told["running"]), "reads": tuple(told["reads"])})
    asyncio.run(_Scene(part).run())


if __name__ == "__main__":
    main()
