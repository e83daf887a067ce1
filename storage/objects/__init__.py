"""Object storage: one contract, and an implementation per folder.

contract.py    what every store promises
directory/     objects in a directory         s3/             objects in a bucket of S3
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from storage.objects.contract import ATTEMPTS, ObjectStore
from storage.objects.directory.store import DirectoryStore
from storage.settings import Settings, shown_url
from triggers.errors import Misconfigured

__all__ = ["DirectoryStore", "ObjectStore", "open_store", "store_directory"]

_REMEDY = "set LONGTAIL_OBJECTS_URL to file:///DIRECTORY or s3://BUCKET/PREFIX"


def open_store(settings: Settings, *, attempts: int = ATTEMPTS, create: bool = True) -> ObjectStore:
    """The object store that the settings name, ready for use; each request to a server is tried `attempts` times.

    Raises Misconfigured, naming LONGTAIL_OBJECTS_URL, for a URL that names no store and for a directory that cannot
    be used. The store's directory itself is created unless `create` is false; the one it lies in must be there (except
    the data directory), so that a disk that is not mounted is noticed.
    """
    url = settings.effective_objects_url()
    scheme = urlsplit(url).scheme
    if scheme == "s3":
        return _open_s3(settings, url, attempts)
    if scheme != "file":
        raise Misconfigured(f"LONGTAIL_OBJECTS_URL: no object store for {shown_url(url)!r}", remedy=_REMEDY)
    if create and not settings.objects_url:
        settings.require_data_dir().mkdir(parents=True, exist_ok=True)
    return DirectoryStore(_directory(url), public_url=settings.effective_api_url(), create=create)


def store_directory(settings: Settings) -> Path | None:
    """The directory that holds the objects; None when they are in a bucket. Nothing is created."""
    url = settings.effective_objects_url()
    return _directory(url) if urlsplit(url).scheme == "file" else None


def _open_s3(settings: Settings, url: str, attempts: int) -> ObjectStore:
    from storage.objects.s3.store import (  # noqa: PLC0415  importing boto3 takes 0.3 s
        S3Store,
        parse_location,
    )

    location = parse_location(url)
    return S3Store(
        location,
        access_key=settings.objects_access_key,
        secret_key=settings.objects_secret_key,
        attempts=attempts,
        timeout_s=settings.objects_timeout_s,
    )


def _directory(url: str) -> Path:
    """The directory of a file URL (percent-encoded; host empty or localhost)."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path, errors="strict"))
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment or "\0" in str(path):
        raise Misconfigured(f"LONGTAIL_OBJECTS_URL: not a local directory: {shown_url(url)!r}", remedy=_REMEDY)
    if not path.is_absolute() or path == Path("/"):
        raise Misconfigured(f"LONGTAIL_OBJECTS_URL: not an absolute directory: {shown_url(url)!r}", remedy=_REMEDY)
    return path
