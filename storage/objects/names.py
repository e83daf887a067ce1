"""How keys become names on disk, so that any two keys are two files on any file system.

A directory's name ends in `~`, a file's does not: the keys `a` and `a/b` can both exist, as on S3. Capital letters
are written small, followed by `^` and a hex mask of where they were: `README.md` is `readme.md^3f`, which stays apart
from `readme.md` on file systems that do not tell them apart. Neither `~` nor `^` occurs in a key.

The longest segment (200 bytes, all capitals) becomes 252 bytes, within the 255 that file systems allow.
"""

from __future__ import annotations

from pathlib import PurePosixPath

DIRECTORY_MARK = "~"
_CASE_MARK = "^"


def disk_path(key: str) -> PurePosixPath:
    """Where the object of a (checked) key lies, relative to the store's data directory."""
    *folders, name = key.split("/")
    return PurePosixPath(*map(folder_name, folders), file_name(name))


def folder_name(segment: str) -> str:
    """The directory that holds the keys below `segment/`."""
    return file_name(segment) + DIRECTORY_MARK


def file_name(segment: str) -> str:
    """The file of a key's last segment."""
    small = segment.lower()
    if small == segment:
        return segment
    mask = sum(1 << index for index, letter in enumerate(segment) if letter.isupper())
    return f"{small}{_CASE_MARK}{mask:x}"


def segment_of(name: str) -> str:
    """The segment that `file_name` or `folder_name` wrote as `name`; ValueError for a name of neither."""
    small, marked, mask_text = name.removesuffix(DIRECTORY_MARK).partition(_CASE_MARK)
    if not marked:
        return small
    mask = int(mask_text, 16)
    segment = "".join(letter.upper() if mask >> index & 1 else letter for index, letter in enumerate(small))
    if file_name(segment) != f"{small}{_CASE_MARK}{mask_text}":
        raise ValueError(f"not a name of the object store: {name!r}")
    return segment
