"""Clips as objects: what the API says of a clip, and its files, of which only the needed part travels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, PrivateAttr

from fleet_api.client.clips.ranges import LinkedFile
from fleet_api.client.transport import Transport, path_of
from triggers.atomic_file import replace_bytes
from triggers.contracts.api.clips import RECORDING_ASSET, SIGNALS_ASSET, ClipDetailsView, ClipView, WithheldView
from triggers.errors import Forbidden, InvalidInput, NotFound
from triggers.times import NS_PER_S

if TYPE_CHECKING:
    import pyarrow as pa

MAX_SPAN_S = 1e9
"""Longer than any clip, and in ns within 64 bits after any start of one."""


def require_not_withheld(what: str, withheld: Sequence[WithheldView], name: str) -> None:
    """Forbidden, saying why, for a part of `what` that its reader may not have."""
    for part in withheld:
        if part.name == name:
            raise Forbidden(f"{name} of {what} is withheld: {part.reason}", remedy=part.remedy)


class _WithFiles(ClipView):
    """What a clip in a list and a clip with all details have in common: its files."""

    _transport: Transport = PrivateAttr()

    def bound(self, transport: Transport) -> Self:
        """This clip, whose files are read by `transport`."""
        self._transport = transport
        return self

    def open(self, asset: str) -> LinkedFile:
        """One of its files, read by ranges. NotFound if it has none of this name, as one in state `stored` has not.

        Forbidden if it is withheld.
        """
        details = self._transport.get(ClipDetailsView, path_of("clips", self.id))
        assets = {each.name: each for each in details.assets}
        if asset not in assets:
            require_not_withheld(f"clip {self.id}", details.withheld, asset)
            raise NotFound(f"clip {self.id} ({details.state}) has no {asset!r}", remedy=f"it has {', '.join(assets)}")
        return LinkedFile(partial(self._transport.range_of, assets[asset].href), assets[asset].size_bytes)

    def signals(self, *patterns: str, from_s: float | None = None, to_s: float | None = None) -> pa.Table:
        """Its signals (those that the patterns name, such as `ego.*`) as one Arrow table, like a recorded drive.

        `t` is a timestamp of the vehicle's clock; a signal is null where it has no new sample. `from_s` and `to_s`
        are seconds after the clip's start, both included. InvalidInput for a pattern that names none of its signals.
        """
        from fleet_api.client.clips.signals import read_signals  # noqa: PLC0415 - pyarrow takes 0.2 s to import

        first_ns, last_ns = self._span_ns(from_s, to_s)
        return read_signals(self.open(SIGNALS_ASSET), patterns, first_ns=first_ns, last_ns=last_ns)

    def video(self, camera: str, *, from_s: float | None = None, to_s: float | None = None) -> bytes:
        """The pictures of a camera as they were encoded (H.264 and H.265: Annex B), which decoders read as a file.

        Of a span in seconds after the clip's start, it begins with the keyframe that its first picture needs.
        """
        from fleet_api.client.clips.video import read_frames  # noqa: PLC0415 - mcap and protobuf likewise

        first_ns, last_ns = self._span_ns(from_s, to_s)
        frames = read_frames(self.open(RECORDING_ASSET), camera, first_ns=first_ns, last_ns=last_ns)
        return b"".join(frame.data for frame in frames)

    def video_file(self, camera: str, path: Path, *, from_s: float | None = None, to_s: float | None = None) -> Path:
        """The same as a file at `path`, which appears whole; returns it. Misconfigured if it cannot be written."""
        replace_bytes(path, self.video(camera, from_s=from_s, to_s=to_s))
        return path

    def _span_ns(self, from_s: float | None, to_s: float | None) -> tuple[int | None, int | None]:
        for given in (from_s, to_s):
            if given is not None and not abs(given) <= MAX_SPAN_S:
                raise InvalidInput(f"no clip reaches to {given:g} s after its start", remedy="give seconds after it")
        if from_s is not None and to_s is not None and to_s < from_s:
            raise InvalidInput(f"the span ends at {to_s:g} s, before it begins at {from_s:g} s")
        first = None if from_s is None else self.start_ns + round(from_s * NS_PER_S)
        return first, None if to_s is None else self.start_ns + round(to_s * NS_PER_S)


class Clip(_WithFiles):
    """A clip as lists have it."""

    def details(self) -> ClipDetails:
        """Everything about it."""
        return self._transport.get(ClipDetails, path_of("clips", self.id)).bound(self._transport)


class ClipDetails(_WithFiles, ClipDetailsView):
    """A clip with its fires, statistics, labels, and links to its files, which are valid for an hour."""


class PageOfClips(BaseModel):
    """`ClipPage` with clips as objects."""

    clips: list[Clip]
    next: str | None
    notes: tuple[str, ...] = ()
