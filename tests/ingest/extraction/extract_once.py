"""Extracts a clip, in a system that may lack parts of the jail: `extract_once.py require|best_effort FOLDER`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from ingest.extraction.outputs import ExtractionRequest
from ingest.extraction.sandbox.isolation import extraction_user, require_isolation
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.sandbox import Sandbox
from storage.settings import Settings
from tests.ingest.extraction import footage
from triggers.errors import Misconfigured


def main(isolation: str, folder: Path) -> None:
    """Says what is missing before it begins, and then what became of the clip."""
    settings = Settings.load(extraction_isolation=isolation)
    try:
        print("missing:", ", ".join(lack.part for lack in require_isolation(settings)))
    except Misconfigured as error:
        print("refused:", error)
    request = ExtractionRequest(recording=footage.recording(), latitude=None, longitude=None, derived_bytes=10**7)
    (folder / "clip.mcap").write_bytes(b"no clip")
    sandbox = Sandbox(folder, isolation=settings.extraction_isolation, user=extraction_user(settings))
    with closing(sandbox):
        try:
            limits = ChildLimits(memory_bytes=2 * 1024**3, timeout_s=60)
            print("read:", sandbox.run(folder, request, limits, go_on=lambda: True).remarks[0].reason)
        except Misconfigured as error:
            print("not read:", error)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
