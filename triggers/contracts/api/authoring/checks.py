"""A trigger text as it is typed: its findings, its format, and what its programs cost on a vehicle."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.base import View
from triggers.contracts.api.campaigns import SourceRequest


class CheckRequest(SourceRequest):
    """A trigger file and its signal catalog; `formatted`, `explained` and `constants` ask for more than diagnostics."""

    formatted: bool = False
    explained: bool = False
    constants: bool = False


class DiagnosticView(BaseModel):
    """A finding at a place. Lines and columns count from 1, columns in characters (Unicode code points)."""

    code: str
    severity: Literal["error", "warning"]
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    proposal: str
    source_line: str


class OperationsView(BaseModel):
    """WebAssembly instructions per tick, at least and at most."""

    least: int
    most: int


class ExplainedInputView(BaseModel):
    """A signal or a list of objects that a program reads; `rate` in Hz and `max_age_s` are null if it has none.

    Of a list, `objects` is how many the program keeps apart at most, and `fields` are those that it reads.
    """

    name: str
    type: str
    unit: str
    rate: float | None
    max_age_s: float | None
    objects: int | None
    fields: list[str]


class ExplainedTriggerView(BaseModel):
    """A trigger and what its condition costs; `clip_bytes` of a clip of one fire, without `cameras`."""

    name: str
    describe: str
    reads: list[str]
    cooldown_s: float
    before_s: float
    after_s: float
    signals: int
    cameras: list[str]
    clip_bytes: int
    operations_per_tick: OperationsView
    state_bytes: int


class ExplainedOperatorView(BaseModel):
    """An operator at a place in the text, and its cost without that of its operands."""

    text: str
    line: int
    column: int
    end_line: int
    end_column: int
    operations_per_tick: OperationsView
    burst_operations: int
    state_bytes: int
    triggers: list[str]


class ProgramView(BaseModel):
    """What a campaign's program reads, needs and costs on a vehicle, as `longtail explain --json` has it.

    `campaign` is null for all triggers of a file without campaigns. `operators` begin with the costliest.
    """

    campaign: str | None
    digest: str
    module_bytes: int
    inputs: list[ExplainedInputView]
    state_bytes: int
    state_limit_bytes: int
    operations_per_tick: OperationsView
    operations_limit: int
    reading_operations_per_tick: int
    operations_per_block: int
    burst_operations: int
    ticks_per_s: float | None
    operations_per_s: int | None
    core_share: float | None
    triggers: list[ExplainedTriggerView]
    compares: list[str]
    operators: list[ExplainedOperatorView]


class ConstantView(View):
    """A number of a condition that a slider may move: what a value is compared with, or how long it must hold.

    `text` is at the place and may be replaced there by another number, a blank and `unit` (nothing after the number
    where `unit` is empty). Lines and columns count from 1 as in diagnostics. `block` is the trigger or `let` that it is
    in; `subject` the text that is compared (or, for `kind` `duration`, the condition that must hold), and `signal` its
    name where it is a signal alone. `low` to `high` is a sensible range in `unit`, within what the language knows of
    the subject, and `step` a sensible step.
    """

    kind: Literal["comparison", "duration"]
    block: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    value: float
    unit: str
    operator: str
    subject: str
    signal: str | None
    low: float
    high: float
    step: float


class LetView(View):
    """A name of the text for an expression: its type, its unit (empty for what has none) and its text in one line.

    The cost is that of everything below the name, which a program has once however often the name is used; null in a
    text whose names stand on too many others to count. A text with more than 2,000 has none of them told.
    """

    name: str
    type: Literal["number", "bool", "text"]
    unit: str
    text: str
    operations_per_tick: OperationsView | None
    state_bytes: int | None


class CheckView(BaseModel):
    """Whether the text compiles, and every finding about it.

    `formatted` is null where it was not asked for, or where the text has mistakes of syntax; `programs`, `settings` and
    `lets` are empty where they were not asked for, or where the text does not compile. `settings` has every setting of
    each campaign as a path and a text with its unit, as `review` of a version has them. `constants` are in the order of
    the text, and empty as `programs` are.
    """

    ok: bool
    diagnostics: list[DiagnosticView]
    formatted: str | None
    programs: list[ProgramView]
    settings: dict[str, dict[str, str]]
    constants: list[ConstantView]
    lets: list[LetView]
