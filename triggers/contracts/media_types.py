"""The media types of stored files, and their file name extensions."""

from __future__ import annotations

from collections.abc import Mapping

MCAP = "application/x-mcap"
PARQUET = "application/vnd.apache.parquet"
JPEG = "image/jpeg"
MP4 = "video/mp4"
JSON = "application/json"

BY_ENDING: Mapping[str, str] = {".mcap": MCAP, ".parquet": PARQUET, ".jpg": JPEG, ".mp4": MP4, ".json": JSON}
ENDINGS: Mapping[str, str] = {media_type: ending for ending, media_type in BY_ENDING.items()}


def with_ending(name: str, media_type: str) -> str:
    """The name of a file with the ending by which other programs know its type, unless it has that.

    >>> with_ending("preview.rear", MP4), with_ending("clip.mcap", MCAP), with_ending("notes", "text/x-unknown")
    ('preview.rear.mp4', 'clip.mcap', 'notes')
    """
    ending = ENDINGS.get(media_type, "")
    return name if name.endswith(ending) else name + ending
