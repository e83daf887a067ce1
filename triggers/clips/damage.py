"""Damage to clips: every reason with what to do about it, and the error for a file that holds nothing to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from triggers.errors import InvalidInput

MAX_DETAIL_CHARACTERS = 500


class Reason(NamedTuple):
    """What a reason means: whether the clip counts as `damaged`, and what to do about it."""

    damages: bool
    remedy: str


_RECORD_AGAIN = "its bytes are as the vehicle sent them: look for a fault in the program that wrote the file"
REASONS: dict[str, Reason] = {
    "mcap_unreadable": Reason(True, "send an MCAP file, as https://mcap.dev/spec defines it"),
    "mcap_truncated": Reason(True, "close the file (its footer comes last) before its cells are hashed"),
    "mcap_trailing_bytes": Reason(True, "end the file with the closing magic"),
    "mcap_chunk_unreadable": Reason(True, f"{_RECORD_AGAIN}, in its memory, or on its disk"),
    "mcap_crc_mismatch": Reason(True, f"{_RECORD_AGAIN}, in its memory, or on its disk"),
    "mcap_too_large": Reason(True, "send shorter clips; a clip may not unpack to much more than its own size"),
    "manifest_missing": Reason(True, "write the metadata record `longtail.recording` once"),
    "manifest_unreadable": Reason(True, "write the recording's manifest as docs/vehicle-integration.md says"),
    "manifest_mismatch": Reason(True, "announce the recording that is in the file"),
    "schema_unsupported": Reason(
        True,
        "write protobuf: signals as `longtail.Sample`, lists as `longtail.Objects`, cameras as CompressedVideo",
    ),
    "channel_unlisted": Reason(True, "list every signal and camera of the file in the manifest"),
    "channel_unreadable": Reason(
        True, "encode the messages of this channel by its schema, with the times at which they were measured"
    ),
    "channel_missing": Reason(
        False, "write a channel for each signal and camera of the manifest, even without messages"
    ),
    "messages_unreadable": Reason(False, f"{_RECORD_AGAIN}: these messages are left out"),
    "messages_out_of_time": Reason(False, "give messages the time at which they were measured; these are left out"),
    "too_many_samples": Reason(True, "record fewer signals in one clip"),
    "position_out_of_range": Reason(True, "give latitudes as -90 to 90 and longitudes as -180 to 360 degrees"),
    "positions_left_out": Reason(False, "check the receiver: these positions are not part of track and box"),
    "video_codec_unsupported": Reason(True, "send h264, h265, vp9, av1, jpeg, png or webp"),
    "video_without_keyframe": Reason(True, "begin each camera with a keyframe that has its parameter sets"),
    "video_undecodable": Reason(True, "send access units as foxglove.CompressedVideo asks: Annex B, whole, in order"),
    "video_frames_undecodable": Reason(False, f"{_RECORD_AGAIN}: the preview goes on after these frames"),
    "video_too_large": Reason(True, "send pictures of at most 8192 x 8192 pixels"),
    "asset_left_out": Reason(False, "raise LONGTAIL_DERIVED_SHARE, or read the recording itself"),
    "object_missing": Reason(True, "restore the object from a backup; the next version of the extractor reads it"),
    "extraction_limit": Reason(True, "record shorter clips, or raise the limit for clips to come"),
    "extraction_failed": Reason(
        True, "look in the log of `longtail ingest`; the next version of the extractor tries again"
    ),
    "extraction_abandoned": Reason(
        True, "look in the log of `longtail ingest`; the next version of the extractor tries again"
    ),
}
"""Every reason, as docs/operations.md lists them. Without `damages` it is a remark on a clip that is `ready`."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something in a clip that is not as it should be: a reason of REASONS, what and where, and how often."""

    reason: str
    message: str
    count: int = 1

    @property
    def damages(self) -> bool:
        """Whether the clip counts as `damaged` because of this."""
        return REASONS[self.reason].damages

    @property
    def description(self) -> str:
        """Reason, detail and remedy as the catalog keeps them."""
        return described(self.reason, self.message)


def described(reason: str, message: str) -> str:
    """`reason: what and where; what to do`."""
    return f"{reason}: {message[:MAX_DETAIL_CHARACTERS]}; {REASONS[reason].remedy}"


class Damaged(InvalidInput):
    """The file violates its format or its manifest, and nothing of it can be kept. `reason` is one of REASONS."""

    code = "damaged"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, remedy=REASONS[reason].remedy)
        self.reason = reason

    @property
    def remark(self) -> Remark:
        """The same as a remark on the clip."""
        return Remark(self.reason, self.message[:MAX_DETAIL_CHARACTERS])
