"""What a request to the gateway can do wrong, and the statuses that only the gateway has."""

from __future__ import annotations

from collections.abc import Mapping

from ingest import problems
from storage.uploads.progress import WrongOffset
from storage.uploads.rows import UploadGone
from triggers.errors import Conflict, InvalidInput, LongtailError

TUS_VERSION = "1.0.0"


class BadHeader(InvalidInput):
    """A header is missing, or is not what the protocol wants."""

    code = "bad_header"


class WrongProtocolVersion(InvalidInput):
    """The client speaks another version of tus."""

    code = "wrong_protocol_version"


class UnsupportedBody(InvalidInput):
    """The body's media type or encoding is not the one this route takes."""

    code = "unsupported_media_type"


class TooLarge(InvalidInput):
    """The body, or what it announces, is larger than is allowed."""

    code = "too_large"


class ManifestInvalid(InvalidInput):
    """A clip's manifest breaks a rule: the clip can never be uploaded."""

    code = "manifest_invalid"


class ClipAlreadyFailed(Conflict):
    """The clip was uploaded before and could not be stored: sending it again cannot succeed."""

    code = "clip_failed"


class TooSlow(LongtailError):
    """The body stopped coming, or comes too slowly to hold memory for it."""

    code = "too_slow"


STATUSES: Mapping[type[LongtailError], int] = {
    **problems.STATUSES,
    BadHeader: 400,
    WrongProtocolVersion: 412,
    UnsupportedBody: 415,
    TooLarge: 413,
    TooSlow: 408,
    UploadGone: 410,
}


def headers_of(error: LongtailError) -> dict[str, str]:
    """What the protocol wants beside the status: where to continue, or which version is spoken here."""
    if isinstance(error, WrongOffset):
        return {"Upload-Offset": str(error.offset)}
    if isinstance(error, WrongProtocolVersion):
        return {"Tus-Version": TUS_VERSION}
    return {}
