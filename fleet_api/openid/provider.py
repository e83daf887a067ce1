"""The OpenID provider as it describes itself: its discovery document and its keys, fetched and kept a while.

OpenID Connect Discovery 1.0. A provider that does not answer is asked again after some seconds, not by every caller.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fleet_api.openid.fetching import Fetching
from storage.settings import PREFIX
from triggers.addresses import is_protected
from triggers.errors import LongtailError, Unreachable
from triggers.remedies import first_mistake

WELL_KNOWN = "/.well-known/openid-configuration"
DOCUMENT_KEPT_S = 3600.0
KEYS_KEPT_S = 3600.0
KEYS_AGAIN_S = 10.0
"""A key that is not known makes the keys be fetched again, but only so often. Tokens come from the provider itself, so
nobody else can name one."""
FAILURE_KEPT_S = 5.0
"""For how long a failure is every caller's answer."""
MAX_KEYS = 100
MIN_RSA_BITS = 2048

Url = Annotated[str, Field(min_length=1, max_length=2000)]
Names = Annotated[list[str], Field(max_length=200)]
T = TypeVar("T")


class Discovery(BaseModel):
    """What is used of a discovery document; it may say much more."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    issuer: Url
    authorization_endpoint: Url
    token_endpoint: Url
    jwks_uri: Url
    end_session_endpoint: Url | None = None
    response_types_supported: Names = ["code"]
    id_token_signing_alg_values_supported: Names = ["RS256"]
    code_challenge_methods_supported: Names | None = None
    token_endpoint_auth_methods_supported: Names = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = False


@dataclass
class _Kept(Generic[T]):
    """A value that is fetched when it is too old; a failure is kept for a moment, too. Thread-safe."""

    fetch: Callable[[], T]
    kept_s: float
    now_s: Callable[[], float]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _value: T | None = None
    _at_s: float = 0.0
    _failure: LongtailError | None = None

    def get(self, *, younger_than_s: float | None = None) -> T:
        """The value, at most `kept_s` (or `younger_than_s`) old. Raises what fetching it raises."""
        with self._lock:
            age_s = self.now_s() - self._at_s
            if self._failure is not None and age_s < FAILURE_KEPT_S:
                raise self._failure
            if self._value is None or age_s >= (self.kept_s if younger_than_s is None else younger_than_s):
                try:
                    self._value, self._failure = self.fetch(), None
                except LongtailError as error:
                    self._value, self._failure = None, error
                    raise
                finally:
                    self._at_s = self.now_s()
            return self._value


class Provider:
    """One provider, by its issuer URL. Every call may raise Unreachable, which says what the provider did wrong."""

    def __init__(self, issuer: str, fetching: Fetching, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self.fetching = fetching
        self._discovery = _Kept(self._fetch_discovery, DOCUMENT_KEPT_S, now_s)
        self._keys = _Kept(self._fetch_keys, KEYS_KEPT_S, now_s)

    def discovery(self) -> Discovery:
        """The discovery document."""
        return self._discovery.get()

    def keys(self) -> list[Key]:
        """The public keys that may sign ID tokens."""
        return self._keys.get()

    def keys_again(self) -> list[Key]:
        """The keys, fetched again unless that was done just before: the provider may have changed them."""
        return self._keys.get(younger_than_s=KEYS_AGAIN_S)

    def _fetch_discovery(self) -> Discovery:
        url = self.issuer.rstrip("/") + WELL_KNOWN
        try:
            found = Discovery.model_validate(self.fetching.get(url))
        except ValidationError as error:
            raise _unusable(url, str(first_mistake(error))) from error
        if found.issuer != self.issuer:
            raise _unusable(url, f"it is of the issuer {found.issuer!r}, and {self.issuer!r} is set")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
            endpoint = getattr(found, name)
            if endpoint is not None and not is_protected(endpoint):
                raise _unusable(url, f"its {name} is not an https:// URL")
        return found

    def _fetch_keys(self) -> list[Key]:
        url = self.discovery().jwks_uri
        listed = self.fetching.get(url).get("keys")
        if not isinstance(listed, list) or len(listed) > MAX_KEYS:
            raise _unusable(url, f"it is not a list of at most {MAX_KEYS} keys")
        usable = [key for each in listed if (key := _usable(each)) is not None]
        if not usable:
            raise _unusable(url, "it has no key that can verify signatures")
        return usable


def _usable(listed: Any) -> Key | None:
    """A public key for signatures; None for any other, which a provider may list, too."""
    if not isinstance(listed, dict) or listed.get("use", "sig") != "sig":
        return None
    try:
        key = import_key(listed)
        if isinstance(key, RSAKey) and key.public_key.key_size < MIN_RSA_BITS:
            return None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _unusable(url: str, reason: str) -> Unreachable:
    return Unreachable(
        f"the OpenID provider cannot be used: {url}: {reason}", remedy=f"correct {PREFIX}OIDC_ISSUER, or the provider"
    )
