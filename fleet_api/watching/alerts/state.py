"""What an evaluation of alerts remembers for the next one: since when conditions hold, what was told, and samples."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet_api.watching.alerts.expressions import Labels, Vector
from triggers.atomic_file import replace_private
from triggers.errors import Misconfigured

SAMPLE_EVERY_S = 900
KEPT_S = 86_400 + 2 * 3600
TOLERANCE_S = 3600
"""How far a sample may be from the time that is asked for."""
MAX_STATE_BYTES = 64 * 1024**2
_FORMAT = 1


@dataclass
class Held:
    """A condition that holds for some labels: since when, and since when it has been told (None: it was not)."""

    since_s: float
    told: bool = False


@dataclass
class State:
    """The memory of one user of the rules. Times are Unix times in s."""

    held: dict[str, Held] = field(default_factory=dict)
    """By rule and labels."""
    samples: list[tuple[float, dict[str, list[tuple[list[list[str]], float]]]]] = field(default_factory=list)
    """Aggregated series as they were, by their PromQL, oldest first."""

    @classmethod
    def load(cls, path: Path) -> State:
        """The state in a file; a new one where there is none. Misconfigured for a file that is none of ours."""
        try:
            return cls.of(_read(path))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Misconfigured(
                f"{path} is not a state of `longtail alerts`: {error}",
                remedy="remove it, or name another one (--state)",
            ) from error

    @classmethod
    def of(cls, stored: Any) -> State:
        """The state that was `stored`; ValueError, TypeError, KeyError or AttributeError for anything else."""
        held = {str(key): Held(float(since_s), bool(told)) for key, (since_s, told) in stored["held"].items()}
        return cls(held, [(float(at_s), dict(values)) for at_s, values in stored["samples"]])

    def stored(self) -> dict[str, Any]:
        """It as JSON has it."""
        held = {key: [each.since_s, each.told] for key, each in self.held.items()}
        samples: list[Any] = json.loads(json.dumps(self.samples))
        return {"held": held, "samples": samples}

    def save(self, path: Path) -> None:
        """Write it to a file that only its owner can read."""
        replace_private(path, json.dumps({"format": _FORMAT, **self.stored()}).encode())

    def remember(self, at_s: float, values: dict[str, Vector]) -> None:
        """Keep what series are now, unless that was done a moment ago; forget what is too old to be asked for."""
        self.samples = [each for each in self.samples if at_s - KEPT_S <= each[0] <= at_s]
        if not self.samples or at_s - self.samples[-1][0] >= SAMPLE_EVERY_S:
            stored = {
                key: [([list(label) for label in sorted(labels)], value) for labels, value in vector.items()]
                for key, vector in values.items()
            }
            self.samples.append((at_s, stored))

    def before(self, key: str, at_s: float) -> Vector | None:
        """What a series was at a time, or at most TOLERANCE_S earlier or later; None when that is not known."""
        near = [each for each in self.samples if abs(each[0] - at_s) <= TOLERANCE_S and key in each[1]]
        if not near:
            return None
        nearest = min(near, key=lambda each: abs(each[0] - at_s))
        return {_labels(labels): value for labels, value in nearest[1][key]}


def _read(path: Path) -> Any:
    if path.stat().st_size > MAX_STATE_BYTES:
        raise ValueError(f"it has more than {MAX_STATE_BYTES} bytes")
    stored: Any = json.loads(path.read_bytes())
    if stored["format"] != _FORMAT:
        raise ValueError(f"its format is {stored['format']!r}")
    return stored


def _labels(stored: list[list[str]]) -> Labels:
    return frozenset((name, value) for name, value in stored)
