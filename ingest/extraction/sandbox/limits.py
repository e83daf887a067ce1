"""What one extracting child may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one child may use. `timeout_s` limits its processor time, in seconds; it may live twice as long."""

    memory_bytes: int
    timeout_s: float

    @property
    def lifetime_s(self) -> float:
        """How long it may take; more than its processor time, so that a busy machine is no reason to give up a clip."""
        return 2 * self.timeout_s
