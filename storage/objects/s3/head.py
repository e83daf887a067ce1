"""What the server says of one object without sending it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from storage.objects.s3.errors import raise_if_missing
from storage.objects.s3.location import S3Location


def head(client: Any, location: S3Location, key: str) -> dict[str, Any]:
    """The answer to HEAD; ObjectNotFound without an object."""
    try:
        return dict(client.head_object(**location.target(key)))
    except ClientError as error:
        raise_if_missing(error, location, key)
        raise
