"""A fire of a trigger: its identity on its vehicle, and what every later form of it carries.

On a vehicle it becomes a `VehicleFire` (and has what it asks of a recording), in a clip a `Fire` (and has its window
and its charge).
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from triggers.contracts.base import Contract, Name, Sha256Hex

TimeNs = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""ns since the Unix epoch, as wide as what stores it."""


class FireKey(NamedTuple):
    """Identity of a fire on one vehicle."""

    campaign: str
    version: int
    ordinal: int


class NumberedFire(Contract):
    """A trigger fired, and the vehicle gave the fire its ordinal.

    `ordinal` counts a vehicle's fires of a campaign version from 1 without a gap: (vehicle, campaign, version,
    ordinal) is its identity, and counts over `ordinal <= watermark` add up.
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
        """Identity on its vehicle."""
        return FireKey(self.campaign, self.version, self.ordinal)
