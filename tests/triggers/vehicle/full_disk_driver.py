"""Run as a process by the tests of a full disk: drives without a network in a loop, until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.triggers.vehicle.support import ManualClock, frames_of, rows
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig


def main(directory: Path, vehicle_id: str, token: str, public_key: str, first_drive: int) -> None:
    config = VehicleConfig(
        vehicle_id=vehicle_id,
        token=token,
        api_url="http://127.0.0.1:1",
        gateway_url="http://127.0.0.1:1",
        trusted_keys=(bytes.fromhex(public_key),),
        state_directory=directory,
    )
    agent = VehicleAgent(config, clock=ManualClock())
    drive = first_drive
    while True:
        start_s = drive * 100
        agent.feed(rows(start_s, start_s + 20, fast_at=(start_s + 5, start_s + 15)), frames_of(start_s, start_s + 20))
        agent.finish_drive()
        sys.stdout.write(f"{drive} {agent.status().counts[0].watermark}\n")
        sys.stdout.flush()
        drive += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
