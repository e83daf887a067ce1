"""What ingest and its fork server say to each other: lines of JSON over a socket, with descriptors of folders."""

from __future__ import annotations

import socket
from typing import NamedTuple

from triggers.contracts.base import Contract
from triggers.processes.jail.isolation import Isolation
from triggers.processes.jail.parts import Part

KILL = b"kill\n"
ERRORS_FILE = "stderr.txt"
OUT_OF_MEMORY, FILE_TOO_LARGE, NOT_JAILED = 70, 71, 72
"""Exit statuses of a child that met a limit and could say so, or that could not be confined."""
MAX_LINE_BYTES = 64 * 1024


class Setup(Contract):
    """How to confine the server, with the descriptor of the folder that holds all work folders."""

    isolation: Isolation
    uid: int | None = None
    gid: int | None = None
    """Whom to become; None: nobody else."""
    shared: bool = False
    """Whether the group may read what children write: ingest is in it, as it is neither root nor that user."""


class LackView(Contract):
    """A part of the jail that the system could not give, and why."""

    part: Part
    why: str


class Ready(Contract):
    """The server is confined, but for these parts. If all are required it has ended."""

    lacks: tuple[LackView, ...] = ()


class Order(Contract):
    """One clip: the limits of its child (`confinement`), with the descriptor of the folder to work in."""

    memory_bytes: int
    cpu_s: int
    file_bytes: int
    wall_s: int


class Ended(Contract):
    """How a child ended (negative: the signal), and what it used."""

    status: int
    cpu_s: float
    peak_bytes: int


class Said(NamedTuple):
    """A line, empty at the end, and the descriptor that came with it (-1: none)."""

    line: bytes
    descriptor: int


def hear(control: socket.socket) -> Said:
    """The next line, on the server's side."""
    line, descriptor = b"", -1
    while not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
        piece, descriptors, _, _ = socket.recv_fds(control, MAX_LINE_BYTES, 1)
        if not piece:
            return Said(b"", descriptor)
        descriptor = descriptors[0] if descriptors else descriptor
        # Kills of children that had just ended: nobody waits for them, and the next order may come in the same piece.
        line = (line + piece).removeprefix(KILL)
    return Said(line, descriptor)
