"""A server that holds an exchange holds neither the recording nor anything else of the vehicle."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.cloud import Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.hostile import answering
from tests.triggers.vehicle.support import BRAKING, ManualClock, compiled, offer, rows
from triggers.errors import Unreachable
from triggers.vehicle.agent import VehicleAgent

WITHIN_S = 60.0


def test_recording_goes_on_while_exchanges_hang(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
    asked, go_on = threading.Semaphore(0), threading.Event()

    def hang(connection: socket.socket, over: threading.Event) -> None:
        asked.release()
        go_on.wait(WITHIN_S)

    with answering(hang) as url, ThreadPoolExecutor(1) as network:
        config = make_config(api_url=url, gateway_url=url)
        with VehicleAgent(config, clock=clock) as agent:
            checking_in = network.submit(agent.check_in)
            assert asked.acquire(timeout=WITHIN_S)
            agent.feed(rows(0, 20, brake_at=(5,)))
            (clip,) = agent.status().queued
            assert not checking_in.done()
            go_on.set()
            assert isinstance(checking_in.exception(WITHIN_S), Unreachable)
            go_on.clear()
            uploading = network.submit(agent.upload_pending, 0.0)
            assert asked.acquire(timeout=WITHIN_S)
            agent.feed(rows(20, 90, brake_at=(80,)))
            assert len(agent.status().queued) == 2
            assert not uploading.done()
            go_on.set()
            assert uploading.result(WITHIN_S).postponed == 1
            assert clip.clip_id in {each.clip_id for each in agent.status().queued}


def test_the_clip_in_flight_is_not_dropped_for_what_is_recorded_meanwhile(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(BRAKING), revision=1)
    asked, go_on = threading.Semaphore(0), threading.Event()

    def hang(connection: socket.socket, over: threading.Event) -> None:
        asked.release()
        go_on.wait(WITHIN_S)

    with answering(hang) as url, ThreadPoolExecutor(1) as network:
        with VehicleAgent(make_config(gateway_url=url, queue_bytes=1_000_000), clock=clock) as agent:
            agent.check_in()
            agent.feed(rows(0, 20, brake_at=(5,)))
            (first,) = agent.status().queued
        with VehicleAgent(make_config(gateway_url=url, queue_bytes=first.size_bytes + 10), clock=clock) as agent:
            uploading = network.submit(agent.upload_pending, 0.0)
            assert asked.acquire(timeout=WITHIN_S)
            agent.feed(rows(100, 190, brake_at=(105, 170)))
            assert [clip.clip_id for clip in agent.status().queued] == [first.clip_id]
            go_on.set()
            assert uploading.result(WITHIN_S).postponed == 1
