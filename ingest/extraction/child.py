"""The extracting child process: reads one clip, writes its files and `result.json`, and opens no connection.

Called as `python -m ingest.extraction.child FOLDER MEMORY_BYTES CPU_S FILE_BYTES WALL_S`. It exits 0 whenever it has
an answer, which may be that the file is damaged.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ingest.extraction.confinement import confine


def main(arguments: list[str]) -> None:
    """Confine this process first, then read."""
    folder, memory_bytes, cpu_s, file_bytes, wall_s = arguments
    confine(memory_bytes=int(memory_bytes), cpu_s=int(cpu_s), file_bytes=int(file_bytes), wall_s=int(wall_s))
    from ingest.extraction.extract import extract  # noqa: PLC0415 - parsing libraries are loaded under the limits
    from ingest.extraction.outputs import REQUEST_FILE, RESULT_FILE, ExtractionRequest  # noqa: PLC0415

    work = Path(folder)
    request = ExtractionRequest.from_json((work / REQUEST_FILE).read_bytes(), what="the extraction request")
    result = extract(work, request)
    (work / RESULT_FILE).write_bytes(result.canonical_json())


if __name__ == "__main__":
    main(sys.argv[1:])
