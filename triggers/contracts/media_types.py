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
