"""Settings of scans: how many run at a time, what one may take, and how long it is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

MIB = 1024**2


class ScanSettings(BaseSettings):
    """The part of `storage.settings.Settings` that is about scans."""

    scan_workers: Annotated[int, Field(ge=0, le=16)] = 1
    """Scans that an API process runs at a time; 0: other processes run them."""
    scan_processes: Annotated[int, Field(ge=1, le=64)] = 2
    """Processes in which one scan evaluates its condition."""
    scan_clips: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    scan_bytes: Annotated[int, Field(ge=MIB)] = 100 * 1024 * MIB
    scan_s: Annotated[int, Field(ge=1, le=86400)] = 1800
    """The most clips, bytes of their signals, and seconds of one scan; it then ends with what it has found."""
    scan_keep_s: Annotated[int, Field(ge=60, le=366 * 86400)] = 7 * 86400
    """How long a scan and what it found are kept."""
