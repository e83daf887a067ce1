"""What reading a list's message costs: as much as how many samples of a signal, in room and time.

Readers of clips charge messages by it, and who bounds what they may read allows as much.
"""

from __future__ import annotations

from triggers.signals.objects import MAX_CARRIED_OBJECTS

_BYTES_PER_SAMPLE = 64
_NUMBER_BYTES = 8
_HEAD_BYTES = 12
"""The tags and lengths of a message's two fields."""


def list_cost(message_bytes: int) -> int:
    """The cost of a list's message of this size."""
    return 1 + message_bytes // _BYTES_PER_SAMPLE


def most_list_cost(value_fields: int) -> int:
    """That of one with all the objects that a message may have, each of a key and so many value fields."""
    return list_cost(_HEAD_BYTES + MAX_CARRIED_OBJECTS * _NUMBER_BYTES * (1 + value_fields))
