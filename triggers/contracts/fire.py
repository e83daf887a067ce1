"""The fire of a trigger: its identity on its vehicle, and the fields that all its forms have.

On the vehicle it is a `VehicleFire`, which adds what to record; in a clip it is a `Fire`, which adds its window and its
charge.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from triggers.contracts.base import Contract, Name, Sha256Hex

TimeNs = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""ns since the Unix epoch, limited to what the database can store."""


class FireKey(NamedTuple):
    """Identity of a fire on one vehicle."""

    campaign: str
    version: int
    ordinal: int


class NumberedFire(Contract):
    """A fire with the ordinal that its vehicle gave it.

    `ordinal` counts a vehicle's fires of a campaign version from 1 without gaps: (vehicle, campaign, version, ordinal)
    is the identity of a fire, and counts over `ordinal <= watermark` add up.
    """

    campaign: Name
    version: Annotated[int, Field(ge=1)]
    program_digest: Sha256Hex
    trigger: Name
    ordinal: Annotated[int, Field(ge=1, le=2**63 - 1)]
    t_ns: TimeNs
    inclusion_probability: Annotated[float, Field(gt=0, le=1)]

    @property
    def key(self) -> FireKey:
        """The identity of the fire on its vehicle."""
        return FireKey(self.campaign, self.version, self.ordinal)
