"""Clips in the client: searching the catalog and the signals, clips as objects, and reading parts of their files."""

from fleet_api.client.clips.clip import Clip, ClipDetails
from fleet_api.client.clips.found import FoundClips
from fleet_api.client.clips.subject import Clips

__all__ = ["Clip", "ClipDetails", "Clips", "FoundClips"]
