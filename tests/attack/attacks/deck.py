"""The deck: every attack, and those of a short run."""

from __future__ import annotations

from collections.abc import Collection

from tests.attack.attack import Attack
from tests.attack.attacks import drips, fills, floods, forgeries, hostile_clips, replays

DECK: tuple[Attack, ...] = (
    *floods.ATTACKS,
    *drips.ATTACKS,
    *fills.ATTACKS,
    *hostile_clips.ATTACKS,
    *forgeries.ATTACKS,
    *replays.ATTACKS,
)
SHORT: tuple[Attack, ...] = tuple(attack for attack in DECK if attack.in_short)


def chosen(words: Collection[str]) -> list[Attack]:
    """The attacks whose name contains one of these words, or all."""
    return [attack for attack in DECK if not words or any(word in attack.name for word in words)]
