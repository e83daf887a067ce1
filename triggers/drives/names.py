"""The names of the files of drives, for those who look for drives without reading any."""

from __future__ import annotations

FOLDER_FILE = "signals.parquet"
"""The file of a drive that is a folder, beside its videos."""
SUFFIX = ".parquet"
