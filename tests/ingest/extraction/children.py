"""Stand-ins for the extracting child that do what hostile bytes may make it do: `python children.py ROLE ARGUMENTS`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ingest.extraction.confinement import confine

MIB = 1024**2


def eat_memory(folder: Path) -> None:
    hoard = [bytearray(16 * MIB) for _ in range(1000)]
    (folder / "hoard").write_text(str(len(hoard)))


def hang(_folder: Path) -> None:
    signal.pause()


def fill_the_disk(folder: Path) -> None:
    with (folder / "signals.parquet").open("wb") as file:
        for _ in range(1000):
            file.write(bytes(16 * MIB))


def lie(folder: Path) -> None:
    answer = '{"files": [{"asset": "x", "file": "../../etc/passwd", "media_type": ""}]}'
    (folder / "result.json").write_text(answer)


def tell_secrets(folder: Path) -> None:
    names = ",".join(sorted(os.environ))
    (folder / "result.json").write_text(f'{{"damage": "{names}"}}')


ROLES: dict[str, Callable[[Path], None]] = {
    "eats-memory": eat_memory,
    "hangs": hang,
    "fills-the-disk": fill_the_disk,
    "lies": lie,
    "tells-secrets": tell_secrets,
}


def main(arguments: list[str]) -> None:
    role, folder, memory_bytes, cpu_s, file_bytes, wall_s = arguments
    confine(memory_bytes=int(memory_bytes), cpu_s=int(cpu_s), file_bytes=int(file_bytes), wall_s=int(wall_s))
    ROLES[role](Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
