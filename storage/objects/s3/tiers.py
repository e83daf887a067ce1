"""Storage classes of objects in a bucket: an object is copied onto itself with another class, or restored for a while.

A copy onto itself replaces the object at once or not at all, and keeps its metadata (Amazon S3, CopyObject).
"""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from storage.objects.contract import ObjectTier
from storage.objects.s3.errors import code_of, raise_if_missing, reaching
from storage.objects.s3.head import head
from storage.objects.s3.location import S3Location

_STANDARD = "STANDARD"
_BYTES = "binary/octet-stream"
_ONGOING = 'ongoing-request="true"'
_EXPIRY = re.compile(r'expiry-date="([^"]*)"')
_RESTORING = "RestoreAlreadyInProgress"


class S3Tiers:
    """The storage classes of the objects in a bucket; see `ObjectTiers`."""

    def __init__(self, client: Any, location: S3Location) -> None:
        self._client = client
        self._location = location

    def move(self, key: str, storage_class: str) -> bool:
        """Give an object a storage class, if it has another one."""
        with reaching(self._location):
            found = head(self._client, self._location, key)
            if found.get("StorageClass", _STANDARD) == storage_class:
                return False
            target = self._location.target(key)
            self._client.copy_object(
                **target,
                CopySource=target,
                CopySourceIfMatch=found["ETag"],
                StorageClass=storage_class,
                # Some servers refuse a copy onto itself that replaces nothing, whatever its class.
                MetadataDirective="REPLACE",
                Metadata=found.get("Metadata", {}),
                ContentType=found.get("ContentType", _BYTES),
            )
        return True

    def tier(self, key: str) -> ObjectTier:
        """The storage class of an object, and how far a restoration of it is."""
        with reaching(self._location):
            found = head(self._client, self._location, key)
        told = str(found.get("Restore", ""))
        until = _EXPIRY.search(told)
        return ObjectTier(
            found.get("StorageClass", _STANDARD),
            is_restoring=_ONGOING in told,
            restored_until=None if until is None else parsedate_to_datetime(until[1]).astimezone(UTC),
        )

    def restore(self, key: str, *, days: int) -> None:
        """Ask for a copy of an archived object that can be read for some days; one that is asked for is not again."""
        tier = {"Days": days, "GlacierJobParameters": {"Tier": "Standard"}}
        with reaching(self._location):
            try:
                self._client.restore_object(**self._location.target(key), RestoreRequest=tier)
            except ClientError as error:
                raise_if_missing(error, self._location, key)
                if code_of(error) != _RESTORING:
                    raise
