"""The keys of a signal catalog about recorded drives: the column of times, and the bit rates of cameras."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

from triggers.contracts.base import Contract, Name
from triggers.signals.units import parse_amount

MAX_CAMERAS = 100
MAX_CAMERA_BYTES_PER_S = 1_000_000_000

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
TimeUnit = Literal["ns", "us", "ms", "s"]


class TimeKey(Contract):
    """The column of times; `unit` is what its integers or floats count. None: floats count seconds."""

    column: Column = "t"
    unit: TimeUnit | None = None


def _bytes_per_s(amount: Any) -> Any:
    """Convert a rate of data with its unit (`4 Mbit/s`) to bytes per second."""
    rate = parse_amount(amount, "B/s") if isinstance(amount, str) else None
    if rate is None:
        raise ValueError("a bit rate is a number with its unit, such as `4 Mbit/s` or `500 kB/s`")
    if rate.denominator != 1:
        raise ValueError(
            f"a bit rate is a whole number of bytes per second: {amount} lies between {floor(rate)} and "
            f"{floor(rate) + 1} B/s; write one of these"
        )
    return int(rate)


BitRate = Annotated[
    int,
    BeforeValidator(_bytes_per_s),
    Field(ge=1, le=MAX_CAMERA_BYTES_PER_S),
    WithJsonSchema({"type": "string", "examples": ["4 Mbit/s"]}, mode="validation"),
    PlainSerializer(lambda bytes_per_s: f"{bytes_per_s} B/s"),
]


class Camera(Contract):
    """A camera; `bit_rate` (bytes per second) is that of its encoded video, for drives without a video beside them."""

    bit_rate: BitRate | None = None


def _by_name(value: Any) -> Any:
    """Cameras as a mapping; a list of their names says nothing else about them."""
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        return value
    if len(set(value)) != len(value):
        raise ValueError("`cameras` names a camera twice")
    return {name: {} for name in value}


def _shortest(cameras: Mapping[str, Camera]) -> Any:
    """A list of names if nothing else is declared about any of the cameras."""
    if not any(camera.bit_rate for camera in cameras.values()):
        return list(cameras)
    return {name: camera.model_dump(mode="json", exclude_defaults=True) for name, camera in cameras.items()}


Cameras = Annotated[
    dict[Name, Camera],
    BeforeValidator(_by_name, json_schema_input_type=list[Name] | dict[Name, Camera]),
    Field(max_length=MAX_CAMERAS),
    PlainSerializer(_shortest),
]
