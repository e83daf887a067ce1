"""The vector-computing child's request and answer: JSON, checked strictly because the child reads untrusted bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from triggers.contracts.base import Contract, SignalName
from triggers.errors import InvalidInput
from triggers.likeness.channels import MAX_CHANNELS, Channel
from triggers.likeness.version import DIMENSIONS
from triggers.signals.units import BASES

VECTOR_REQUEST_FILE = "vector-request.json"
VECTOR_RESULT_FILE = "vector.json"
SIGNALS_FILE = "signals.parquet"
MAX_VECTOR_BYTES = 16 * 1024


class ChannelView(Contract):
    """A channel (`triggers.likeness.channels.Channel`) on its way to the child."""

    max_age_ns: int | None
    states: Annotated[int, Field(ge=0)] = 0
    dimension: Annotated[tuple[int, ...], Field(max_length=len(BASES))] = ()
    scale: float = 1.0
    offset: float = 0.0


class VectorRequest(Contract):
    """One vector: the channels to read from the clip's signals, and when its trigger fired."""

    fire_ns: int
    channels: Annotated[dict[SignalName, ChannelView], Field(max_length=MAX_CHANNELS)]

    @classmethod
    def of(cls, channels: Mapping[str, Channel], fire_ns: int) -> VectorRequest:
        """The request for a clip with these channels, of which the first `MAX_CHANNELS` count."""
        first = sorted(channels)[:MAX_CHANNELS]
        return cls(fire_ns=fire_ns, channels={name: _view(channels[name]) for name in first})

    def by_name(self) -> dict[str, Channel]:
        """The channels as the vector's function takes them."""
        return {name: Channel(**view.model_dump()) for name, view in self.channels.items()}


def _view(channel: Channel) -> ChannelView:
    return ChannelView(
        max_age_ns=channel.max_age_ns,
        states=channel.states,
        dimension=channel.dimension,
        scale=channel.scale,
        offset=channel.offset,
    )


class VectorResult(Contract):
    """The vector; None when no channel has a value around the fire."""

    vector: Annotated[tuple[float, ...], Field(min_length=DIMENSIONS, max_length=DIMENSIONS)] | None

    def require_possible(self) -> None:
        """InvalidInput unless it has length 1."""
        if self.vector is not None and not math.isclose(math.hypot(*self.vector), 1, abs_tol=1e-3):
            raise InvalidInput("its vector has not the length 1")
