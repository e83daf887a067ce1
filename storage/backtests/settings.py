"""Settings of backtests over HTTP: which drives there are, how many run at a time, and what one may take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

MIB = 1024**2


class BacktestSettings(BaseSettings):
    """The part of `storage.settings.Settings` that is about backtests."""

    drives_dir: Annotated[Path, AfterValidator(Path.absolute)] | None = None
    """Folder with the recorded drives that the console offers for backtests. Empty: `drives` in the data directory."""
    backtest_workers: Annotated[int, Field(ge=0, le=16)] = 1
    """Backtests that an API process runs at a time, each in a process per program; 0: other processes run them."""
    backtest_bytes: Annotated[int, Field(ge=MIB)] = 20 * 1024 * MIB
    """The most bytes of drives, or of clips' signals, of one backtest."""
    backtest_s: Annotated[int, Field(ge=1, le=86400)] = 1800
    """The most seconds of processor time for each of its programs; it may take twice as long."""
    backtest_memory_bytes: Annotated[int, Field(ge=256 * MIB)] = 2048 * MIB
    """The most memory of a backtest's process, beside what it begins with."""
    backtest_keep_s: Annotated[int, Field(ge=60, le=366 * 86400)] = 7 * 86400
    """How long a backtest and its results are kept."""
