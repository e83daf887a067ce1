"""Listing a bucket: objects in byte order of their keys, and multipart uploads that were never completed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from storage.objects.contract import ObjectInfo, checked_key
from storage.objects.s3.errors import code_of
from storage.objects.s3.location import S3Location
from triggers.errors import InvalidInput

_PAGE = 1000
_NO_KEY_LETTER = re.compile(r"[^A-Za-z0-9._=/-]")


def listed(client: Any, location: S3Location, prefix: str, after: str, limit: int) -> list[ObjectInfo]:
    """The first `limit` objects of the location whose key starts with `prefix` and sorts after `after`."""
    folder, slash, begun = prefix.rpartition("/")
    if _NO_KEY_LETTER.search(prefix) or (slash and not _is_key(folder)):  # no key has this prefix
        return []
    # Servers that keep objects as files take `.` and `..` for folders.
    sent_prefix = folder + slash if begun in {".", ".."} else prefix
    matching = (info for info in _entries(client, location, sent_prefix, after, limit) if info.key.startswith(prefix))
    return list(islice(matching, limit))


def _entries(client: Any, location: S3Location, prefix: str, after: str, limit: int) -> Iterator[ObjectInfo]:
    # Up to its first letter that no key has, `after` can be sent to any server; what comes after that is compared here.
    sent_after = _NO_KEY_LETTER.split(after, maxsplit=1)[0]
    start_after = {"StartAfter": location.prefix + sent_after} if sent_after else {}
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=location.bucket,
        Prefix=location.prefix + prefix,
        PaginationConfig={"PageSize": min(limit, _PAGE)},
        **start_after,
    )
    for page in pages:
        for entry in page.get("Contents", ()):
            key = entry["Key"].removeprefix(location.prefix)
            if key > after and entry["Key"].startswith(location.prefix) and _is_key(key):
                yield ObjectInfo(key, int(entry["Size"]))


def _is_key(name: str) -> bool:
    """Whether a listed name can be one of ours: a bucket may hold others, such as the folders of consoles."""
    try:
        checked_key(name)
    except InvalidInput:
        return False
    return True


def abort_uploads(client: Any, location: S3Location, before: datetime) -> int:
    """Abort the location's multipart uploads that began before then; returns how many."""
    aborted = 0
    pages = client.get_paginator("list_multipart_uploads")
    for page in pages.paginate(Bucket=location.bucket, Prefix=location.prefix):
        for upload in page.get("Uploads", ()):
            if upload["Initiated"] <= before:
                aborted += _abort(client, location.bucket, upload["Key"], upload["UploadId"])
    return aborted


def _abort(client: Any, bucket: str, name: str, upload_id: str) -> int:
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=name, UploadId=upload_id)
    except ClientError as error:
        if code_of(error) != "NoSuchUpload":
            raise
        return 0
    return 1
