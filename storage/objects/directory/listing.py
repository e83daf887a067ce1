"""Listing a directory store in byte order of keys, entering only directories that can hold what is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from storage.objects import names
from storage.objects.contract import ObjectInfo, checked_key
from triggers.errors import InvalidInput


def listed(data: Path, prefix: str, after: str, limit: int) -> list[ObjectInfo]:
    """The first `limit` objects below `data` whose key starts with `prefix` and sorts after `after`."""
    folder_key = prefix[: prefix.rfind("/") + 1]
    start = data
    if folder_key:
        try:
            segments = checked_key(folder_key[:-1]).split("/")
        except InvalidInput:  # no key has this prefix
            return []
        start = data.joinpath(*map(names.folder_name, segments))
    return list(islice(_walk(start, folder_key, prefix, after), limit))


def _walk(folder: Path, folder_key: str, prefix: str, after: str) -> Iterator[ObjectInfo]:
    """Objects of `folder`, whose keys all start with `folder_key` (empty, or ending in a slash)."""
    for key, entry in sorted(_entries(folder, folder_key)):
        if key.endswith("/"):
            if _overlaps(key, prefix) and (key > after or after.startswith(key)):
                yield from _walk(folder / entry, key, prefix, after)
        elif key > after and key.startswith(prefix):
            with suppress(FileNotFoundError):  # deleted meanwhile
                yield ObjectInfo(key, (folder / entry).stat().st_size)


def _entries(folder: Path, folder_key: str) -> Iterator[tuple[str, str]]:
    """(key, name on disk) of the entries of `folder`; a directory's key ends in a slash, so that it sorts correctly."""
    try:
        entries = os.listdir(folder)  # noqa: PTH208  names, not paths: a listing reads many
    except FileNotFoundError:  # never there, or its last object was deleted meanwhile
        return
    for name in entries:
        with suppress(ValueError):  # a foreign file is not an object
            end = "/" if name.endswith(names.DIRECTORY_MARK) else ""
            yield folder_key + names.segment_of(name) + end, name


def _overlaps(folder_key: str, prefix: str) -> bool:
    return folder_key.startswith(prefix) or prefix.startswith(folder_key)
