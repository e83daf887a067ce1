"""PKCS #11 URIs (RFC 7512): which key on which token, by which library, and where its PIN is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote_to_bytes, urlsplit

from triggers.errors import InvalidInput

EXAMPLE = "pkcs11:token=fleet;object=ann?module-path=/usr/lib/softhsm/libsofthsm2.so"
_OF_TOKEN = ("token", "serial", "manufacturer", "model")
_OF_OBJECT = ("object", "id", "type")
_OF_QUERY = ("module-path", "pin-source")
_ATTRIBUTE = re.compile(r"([a-z0-9-]+)=((?:[A-Za-z0-9._~!$'()*+,:@/\[\]|&-]|%[0-9A-Fa-f]{2})*)")


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """What a URI says. What it does not say, any token or key may have; exactly one must be left."""

    module_path: Path
    token: Mapping[str, str]
    """Label, serial, manufacturer and model, as far as they are given."""
    label: str | None
    id: bytes | None
    pin_source: Path | None

    @classmethod
    def parsed(cls, text: str) -> Self:
        """The URI in a text; InvalidInput, saying what is wrong, for any other."""
        path, _, query = text.removeprefix("pkcs11:").partition("?")
        if not text.startswith("pkcs11:") or "#" in text:
            raise _wrong(text, "it is not a pkcs11: URI")
        found = _attributes(text, path, ";", (*_OF_TOKEN, *_OF_OBJECT))
        options = _attributes(text, query, "&", _OF_QUERY)
        if found.get("type", b"private") not in (b"private", b"public"):
            raise _wrong(text, "only keys sign: leave type out")
        if "module-path" not in options:
            raise _wrong(text, "module-path is missing, the library of the token's maker")
        if not {"object", "id"} & found.keys():
            raise _wrong(text, "it names no key, by object or id")
        return cls(
            module_path=Path(_text(text, options["module-path"])),
            token={name: _text(text, found[name]) for name in _OF_TOKEN if name in found},
            label=_text(text, found["object"]) if "object" in found else None,
            id=found.get("id"),
            pin_source=_pin_source(text, options.get("pin-source")),
        )

    def __str__(self) -> str:
        """The key as messages name it."""
        names = [*(f"{name}={value}" for name, value in self.token.items())]
        names += [f"object={self.label}"] if self.label is not None else []
        names += [f"id={self.id.hex()}"] if self.id is not None else []
        return "pkcs11:" + ";".join(names)


def _attributes(text: str, part: str, separator: str, known: tuple[str, ...]) -> dict[str, bytes]:
    """The attributes of one part of the URI; each at most once, and none that would be ignored."""
    found: dict[str, bytes] = {}
    for each in part.split(separator) if part else ():
        match = _ATTRIBUTE.fullmatch(each)
        if match is None or (separator == "&" and "&" in match[2]):
            raise _wrong(text, f"{each[:60]!r} is not an attribute")
        name = match[1]
        if name == "pin-value":
            raise _wrong(
                text, "everyone on a machine can read its command lines: give the PIN by pin-source, or type it"
            )
        if name not in known or name in found:
            raise _wrong(text, f"{name} is {'given twice' if name in found else 'not known'}")
        found[name] = unquote_to_bytes(match[2])
    return found


def _pin_source(text: str, given: bytes | None) -> Path | None:
    if given is None:
        return None
    named = _text(text, given)
    parts = urlsplit(named)
    if parts.scheme not in ("", "file") or parts.netloc:
        raise _wrong(text, "pin-source is not a file")
    return Path(parts.path)


def _text(text: str, value: bytes) -> str:
    try:
        decoded = value.decode("utf-8")
    except UnicodeDecodeError:
        decoded = ""
    if not decoded or not decoded.isprintable():
        raise _wrong(text, "a value is empty or not text")
    return decoded


def _wrong(text: str, reason: str) -> InvalidInput:
    return InvalidInput(f"{text[:100]!r} cannot be used: {reason}", remedy=f"write it as in {EXAMPLE}")
