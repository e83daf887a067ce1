"""Request bodies: a body of a media type that the route does not take is refused before it is read."""

from __future__ import annotations

from starlette.datastructures import Headers

from triggers.errors import UnsupportedBody

MAX_SHOWN = 100
"""Characters of a media type that an error message repeats."""


def require_body(headers: Headers, media_type: str, *, otherwise: str = "") -> None:
    """UnsupportedBody unless the body is of this media type and not compressed; `otherwise` is another way to send."""
    stated = headers.get("content-type", "").partition(";")[0].strip().lower()
    if stated != media_type:
        raise UnsupportedBody(
            f"the body is {stated[:MAX_SHOWN]!r}" if stated else "the header Content-Type is missing",
            remedy=f"send Content-Type: {media_type}" + (f"; {otherwise}" if otherwise else ""),
        )
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedBody("the body has a Content-Encoding", remedy="send the bytes as they are")
