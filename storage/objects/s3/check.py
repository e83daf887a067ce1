"""Checks whether a bucket is usable: reachable, writable, honouring conditional writes, with final deletions."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from storage.objects.s3.errors import code_of, status_of
from storage.objects.s3.location import S3Location
from storage.objects.s3.upload import MultipartUpload
from triggers.errors import Misconfigured

PROBE_FOLDER = ".longtail-check"
_PRECONDITION_FAILED = 412
_NOT_FOUND = 404
_CANNOT_TELL = frozenset({"AccessDenied", "MethodNotAllowed", "NotImplemented", "ObjectLockConfigurationNotFoundError"})
"""Answers to a question about the bucket that leave it open: not allowed to ask, or a server without the feature."""


def require_usable(client: Any, location: S3Location) -> str:
    """One line on the bucket. Raises Misconfigured, or an error of boto3, when something that the store needs fails."""
    head = require_bucket(client, location)
    region = head.get("BucketRegion") or client.meta.region_name
    if not location.endpoint and region != client.meta.region_name:
        raise Misconfigured(
            f"LONGTAIL_OBJECTS_URL: the bucket {location.bucket} is in {region}, not in {client.meta.region_name}",
            remedy=f"add region={region} to it",
        )
    _require_unversioned(client, location)
    _require_unlocked(client, location)
    _try_an_object(client, location)
    server = location.endpoint or f"Amazon S3 in {region}"
    return f"objects in the bucket {location.bucket} (prefix {location.prefix or 'none'}) of {server}, writable"


def require_bucket(client: Any, location: S3Location) -> dict[str, Any]:
    """What the server tells about the bucket. Misconfigured when there is none, or an error of boto3."""
    try:
        return dict(client.head_bucket(Bucket=location.bucket))
    except ClientError as error:
        if status_of(error) != _NOT_FOUND:
            raise
        raise Misconfigured(
            f"LONGTAIL_OBJECTS_URL: there is no bucket {location.bucket} in {location}",
            remedy="create the bucket, or name another",
        ) from error


def _require_unversioned(client: Any, location: S3Location) -> None:
    answer = _answer(lambda: client.get_bucket_versioning(Bucket=location.bucket))
    if answer.get("Status") == "Enabled":
        raise Misconfigured(
            f"LONGTAIL_OBJECTS_URL: the bucket {location.bucket} is versioned: what is erased would stay in it",
            remedy="suspend its versioning, or name a bucket that never had it",
        )


def _require_unlocked(client: Any, location: S3Location) -> None:
    answer = _answer(lambda: client.get_object_lock_configuration(Bucket=location.bucket))
    if answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled":
        raise Misconfigured(
            f"LONGTAIL_OBJECTS_URL: the bucket {location.bucket} has object lock: nothing in it could be erased",
            remedy="name a bucket without object lock (it cannot be switched off)",
        )


def _answer(ask: Callable[[], Any]) -> dict[str, Any]:
    try:
        return dict(ask())
    except ClientError as error:
        if code_of(error) in _CANNOT_TELL:
            return {}
        raise


def _try_an_object(client: Any, location: S3Location) -> None:
    """Write, list, read and remove an object; a second conditional write of it must fail, in both ways to write."""
    key = f"{location.prefix}{PROBE_FOLDER}/{secrets.token_hex(8)}"
    target = {"Bucket": location.bucket, "Key": key}
    client.put_object(**target, Body=b"longtail", IfNoneMatch="*", ChecksumAlgorithm="CRC32")
    try:
        client.list_objects_v2(Bucket=location.bucket, Prefix=key, MaxKeys=1)
        client.get_object(**target)["Body"].read()
        _must_be_refused(
            lambda: client.put_object(**target, Body=b"other", IfNoneMatch="*"), "PUT with If-None-Match", location
        )
        _try_a_multipart_upload(client, location, target)
    finally:
        client.delete_object(**target)


def _try_a_multipart_upload(client: Any, location: S3Location, target: dict[str, str]) -> None:
    upload = MultipartUpload(client, target, {})
    try:
        upload.send([b"other"])
        _must_be_refused(lambda: upload.complete(if_absent=True), "If-None-Match on a multipart completion", location)
    finally:
        upload.abort()


def _must_be_refused(write: Callable[[], object], what: str, location: S3Location) -> None:
    try:
        write()
    except ClientError as error:
        if status_of(error) == _PRECONDITION_FAILED:
            return
        raise
    raise Misconfigured(
        f"LONGTAIL_OBJECTS_URL: the server of {location} ignores {what}: it would overwrite objects",
        remedy="use a server that honours it (Amazon S3, S3Proxy >= 4.0, versitygw), in its newest version",
    )
