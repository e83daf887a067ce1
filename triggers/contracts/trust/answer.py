"""The answer to a check-in that brings steps of the chain of trust before the list of campaigns."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.contracts.trust.chain import MAX_TRUST_BYTES
from triggers.errors import InvalidInput

MAX_STEPS = 64
"""The most steps of the chain in one answer; a vehicle that lacks more gets the rest at its next check-in."""
_CONTAINER = b"LTC1"
_LENGTH_BYTES = 4


def with_steps(steps: Sequence[bytes], sealed_list: bytes) -> bytes:
    """The answer to a check-in that lacks steps of the chain: these, oldest first, and the list."""
    if not steps:
        return sealed_list
    lengths = (len(step).to_bytes(_LENGTH_BYTES, "big") + step for step in steps)
    return b"".join((_CONTAINER, bytes([len(steps)]), *lengths, sealed_list))


def steps_and_list(answer: bytes) -> tuple[list[bytes], bytes]:
    """Steps of the chain and the list in an answer to a check-in, unproven. InvalidInput if it is cut."""
    if answer[: len(_CONTAINER)] != _CONTAINER:
        return [], answer
    steps: list[bytes] = []
    at = len(_CONTAINER) + 1
    for _ in range(answer[at - 1] if len(answer) >= at else MAX_STEPS + 1):
        size = int.from_bytes(answer[at : at + _LENGTH_BYTES], "big")
        at += _LENGTH_BYTES + size
        if size > MAX_TRUST_BYTES or at > len(answer) or len(steps) == MAX_STEPS:
            raise InvalidInput("the steps of trust in the answer to the check-in are cut or too long")
        steps.append(answer[at - size : at])
    return steps, answer[at:]
