"""Translates errors of boto3 into errors for the callers of an object store, from one table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    NoCredentialsError,
    PartialCredentialsError,
    SSLError,
)

from storage.objects.contract import ObjectNotFound, ObjectUnreadable
from storage.objects.s3.location import S3Location
from triggers.errors import LongtailError, Misconfigured, Unreachable, Untrusted

_KEYS = (
    "set LONGTAIL_OBJECTS_ACCESS_KEY and LONGTAIL_OBJECTS_SECRET_KEY (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "a profile or a role) to credentials that the server knows"
)
_REMEDIES = {
    "NoSuchBucket": "create the bucket, or name another in LONGTAIL_OBJECTS_URL",
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "InvalidToken": _KEYS,
    "ExpiredToken": _KEYS,
    "AccessDenied": "allow these credentials to list the bucket, and to get, put and delete its objects",
    "403": _KEYS,
    "RequestTimeTooSkewed": "set this machine's clock (NTP)",
    "PermanentRedirect": "add the bucket's region to LONGTAIL_OBJECTS_URL: ?region=REGION",
    "AuthorizationHeaderMalformed": "add the bucket's region to LONGTAIL_OBJECTS_URL: ?region=REGION",
    "301": "add the bucket's region to LONGTAIL_OBJECTS_URL: ?region=REGION",
}
"""By error code, or by status where an answer to HEAD has no code: what trying again cannot fix."""
_TRANSIENT = frozenset(
    {
        "BadDigest",
        "ConditionalRequestConflict",
        "InternalError",
        "NoSuchUpload",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "TooManyRequests",
    }
)
"""Refusals that may be gone when the whole operation is attempted again."""
NOT_FOUND = frozenset({"NoSuchKey", "404", "NotFound"})
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_ARCHIVED = "InvalidObjectState"


@contextmanager
def reaching(location: S3Location) -> Iterator[None]:
    """Errors of boto3 inside leave as LongtailErrors that name the location and the setting."""
    try:
        yield
    except ClientError as error:
        raise _refusal(location, error) from error
    except BotoCoreError as error:
        raise _failure(location, error) from error


def raise_if_missing(error: ClientError, location: S3Location, key: str) -> None:
    """ObjectNotFound if the error says that there is no object under `key`."""
    if code_of(error) in NOT_FOUND:
        raise ObjectNotFound(f"no object {key!r} in {location}") from error


def code_of(error: ClientError) -> str:
    """The error's code; its status where the answer had no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer; 0 when there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _refusal(location: S3Location, error: ClientError) -> LongtailError:
    code, status = code_of(error), status_of(error)
    said = f"{error.operation_name}: {code}, {error.response.get('Error', {}).get('Message', '')}"
    if code == _ARCHIVED:
        return ObjectUnreadable(
            f"an object of the object store {location} is archived ({said})",
            remedy="`longtail clips restore ID` makes it readable, hours later",
        )
    if code in _REMEDIES:
        return Misconfigured(f"the object store {location} refuses ({said})", remedy=_REMEDIES[code])
    if code in _TRANSIENT or status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS:
        return Unreachable(
            f"the object store {location} cannot serve now ({said})", remedy="check the server of LONGTAIL_OBJECTS_URL"
        )
    return Misconfigured(
        f"the object store {location} does not do what is needed ({said})",
        remedy="set LONGTAIL_OBJECTS_URL to a bucket of a server that speaks S3, conditional writes included",
    )


def _failure(location: S3Location, error: BotoCoreError) -> LongtailError:
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return Misconfigured(f"no credentials for the object store {location} ({error})", remedy=_KEYS)
    if isinstance(error, SSLError):
        return Misconfigured(
            f"the certificate of the object store {location} is not trusted ({error})",
            remedy="add the authority's PEM file to LONGTAIL_OBJECTS_URL: ?ca_file=/PATH",
        )
    if isinstance(error, FlexibleChecksumError):
        return Untrusted(f"the object store {location} sent other bytes than were stored ({error})")
    return Unreachable(
        f"the object store {location} does not answer ({error})",
        remedy="start its server, or correct LONGTAIL_OBJECTS_URL",
    )
