"""Who sees where cars were: precise positions, or only the place cell in which a clip begins."""

from storage.clips.positions.sight import Sight, sight_of

__all__ = ["Sight", "sight_of"]
