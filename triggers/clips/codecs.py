"""Codecs of cameras: their names, and how a keyframe is told from its bytes."""

from __future__ import annotations

from collections.abc import Callable

IMAGES = frozenset({"jpeg", "jpg", "mjpeg", "png", "webp"})
"""Every picture stands alone."""
_START_CODE = b"\x00\x00\x01"
_OBU_SEQUENCE_HEADER = 1


def is_keyframe(data: bytes, codec: str = "h264") -> bool:
    """Whether decoding can begin with this encoded picture; False for an unknown codec."""
    if codec in IMAGES:
        return bool(data)
    begins = _KEYFRAMES.get(codec)
    return begins is not None and begins(data)


def _h264(access_unit: bytes) -> bool:
    """An IDR slice comes first (nal_unit_type 5; ITU-T H.264, table 7-1)."""
    return _first_slice(access_unit, lambda head: head & 0x1F, range(1, 6)) == 5


def _h265(access_unit: bytes) -> bool:
    """The first slice is of an IRAP picture (nal_unit_type 16 to 23; ITU-T H.265, table 7-1)."""
    return _first_slice(access_unit, lambda head: head >> 1 & 0x3F, range(32)) in range(16, 24)


def _first_slice(access_unit: bytes, kind: Callable[[int], int], slices: range) -> int | None:
    """The type of the first NAL unit that is a slice, in Annex B form."""
    start = access_unit.find(_START_CODE)
    while 0 <= start < len(access_unit) - 3:
        found = kind(access_unit[start + 3])
        if found in slices:
            return found
        start = access_unit.find(_START_CODE, start + 3)
    return None


def _vp9(frame: bytes) -> bool:
    """`frame_type` 0, not `show_existing_frame` (VP9 bitstream specification, section 6.2)."""
    if not frame or frame[0] >> 6 != 2:
        return False
    # Profile 3 has a reserved bit before the two flags.
    flags = frame[0] >> (1 if frame[0] & 0x30 == 0x30 else 2)
    return flags & 3 == 0


def _av1(temporal_unit: bytes) -> bool:
    """A sequence header OBU comes with each keyframe (as `foxglove.CompressedVideo` asks; AV1, section 5.3)."""
    at = 0
    while at < len(temporal_unit):
        head = temporal_unit[at]
        if head >> 3 & 0xF == _OBU_SEQUENCE_HEADER:
            return True
        if not head & 2:  # without a size it reaches the end
            return False
        length, shift, at = 0, 0, at + (2 if head & 4 else 1)
        while at < len(temporal_unit) and shift <= 49:
            byte = temporal_unit[at]
            length |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not byte & 0x80:
                break
        at += length
    return False


_KEYFRAMES: dict[str, Callable[[bytes], bool]] = {"h264": _h264, "h265": _h265, "hevc": _h265, "vp9": _vp9, "av1": _av1}
CODECS = IMAGES | frozenset(_KEYFRAMES)
"""The codecs that are extracted."""
