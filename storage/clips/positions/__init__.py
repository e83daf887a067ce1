"""Who sees where cars were: precise positions, or only the place cell in which a clip begins."""

from storage.clips.positions.sight import PERMISSION, Sight, sight_of

__all__ = ["PERMISSION", "Sight", "sight_of"]
