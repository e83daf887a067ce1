"""A vector: a rule, the triggers and signals that show it, and a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent

from tests.vectors.recordings import Line


@dataclass(frozen=True, slots=True)
class Case:
    """One vector. Its program is that of the file's only campaign, or of all triggers where it has none."""

    name: str
    says: str
    signals: str
    triggers: str
    lines: Sequence[Line]
    fire_capacity: int | None = None
    """Asks for a smaller fire buffer than the compiler makes (the least that the module takes)."""

    @property
    def source(self) -> str:
        """The trigger file, with the rule as its first line."""
        return f"# {self.says}\n{dedent(self.triggers).strip()}\n"

    @property
    def catalog(self) -> str:
        """The signal catalog."""
        return dedent(self.signals).strip() + "\n"
