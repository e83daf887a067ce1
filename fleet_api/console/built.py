"""The built console: where its files are, and each with its compressed form; none are there where it was not built.

`tools/console.py` writes them at set-up. A process reads each file once and keeps it, so that an update of the files
under a running process does not mix two builds.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "dist"
INDEX = "index.html"
COMPRESSED = ".gz"
HOW_TO_BUILD = "python tools/console.py build"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file as it is sent: its media type, its bytes, and the same compressed by gzip (None: not worth it)."""

    media_type: str
    content: bytes
    compressed: bytes | None


def address(api_url: str) -> str:
    """Where the console is, or that it is not built, for whoever starts a deployment."""
    if index() is None:
        return f"not built ({HOW_TO_BUILD})"
    return f"{api_url.rstrip('/')}/console"


@cache
def index(folder: Path = FOLDER) -> str | None:
    """The page of the application; None where the console was not built."""
    try:
        return (folder / INDEX).read_text("utf-8")
    except FileNotFoundError:
        return None


@cache
def names(folder: Path = FOLDER) -> frozenset[str]:
    """The files beside the page, by their paths below the folder: nothing else is ever read."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return frozenset(name for name in found if name != INDEX and not name.endswith(COMPRESSED))


@cache
def file(name: str, folder: Path = FOLDER) -> BuiltFile | None:
    """A file of the build by its path; None for any other name."""
    if name not in names(folder):
        return None
    path = folder / name
    compressed = path.with_name(path.name + COMPRESSED)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None  # of a build that was replaced under this process
    kind = _MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return BuiltFile(kind, content, compressed.read_bytes() if compressed.is_file() else None)
