"""What the processes of a scan are given and what they answer: all that the API loads of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from storage.settings import Settings
from triggers.contracts.base import Contract, ShortText
from triggers.language.rows import MAX_T_NS
from triggers.processes.jail.isolation import Isolation
from triggers.scan.condition import Condition
from triggers.scan.scanned import MAX_INSTANTS

GROUP = 32
"""The most clips that are evaluated together."""
ClipData = tuple[bytes, Sequence[int]]
"""The file of a clip's signals, and the conditions to try, by their indexes."""
Instant = Annotated[int, Field(ge=0, le=MAX_T_NS)]


class Answer(Contract):
    """What became of one clip: see `triggers.scan.scanned.Scanned`. Checked, as a taken-over process may write it."""

    t_ns: Annotated[tuple[Instant, ...], Field(max_length=MAX_INSTANTS)] = ()
    count: Annotated[int, Field(ge=0, le=MAX_T_NS)] = 0
    problem: ShortText | None = None


class Answers(Contract):
    """The answers for a group of clips, in their order."""

    answers: Annotated[tuple[Answer, ...], Field(max_length=GROUP)]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluating process may use, and what to do where the system lacks a part of the jail."""

    seconds: int
    isolation: Isolation


@dataclass(frozen=True, slots=True)
class Task:
    """One clip: the object of its signals, and the conditions to try, by their indexes, in their order."""

    key: str
    candidates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """What the process is started with."""

    settings: Settings
    conditions: tuple[Condition, ...]
    processes: int
    limits: Limits


Batch = list[Answer | None]
"""An answer for each task; None for those that no process was left for: they are to be sent again to another reader."""
