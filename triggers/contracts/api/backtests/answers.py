"""How far a backtest is, what it gave, and the drives that there are to choose from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, computed_field

from triggers.contracts.api.authoring.checks import DiagnosticView
from triggers.contracts.api.backtests.reports import ReportView
from triggers.contracts.api.backtests.requests import FleetRequest, Over
from triggers.contracts.api.backtests.versions import PairedRatioView, SweepView
from triggers.contracts.api.base import View
from triggers.contracts.api.costs.expected import ExpectedCostView
from triggers.times import NS_PER_S

MAX_FIRES_PAGE = 10_000
DEFAULT_FIRES_PAGE = 1000


class DriveView(View):
    """A recorded drive that the deployment offers.

    `seconds` is null where its column of times is not `t`, or its file does not tell; `problem` says why its file
    cannot be read, and what is not known then is null, too.
    """

    name: str
    bytes: int
    seconds: float | None
    rows: int | None
    signals: int | None
    cameras: list[str]
    problem: str | None


class DriveList(BaseModel):
    """The drives that there are to choose from, by name; `complete` is false where there are more.

    `problem` says why none can be offered, such as that the deployment has no folder for them.
    """

    drives: list[DriveView]
    complete: bool
    problem: str | None


class BacktestState(StrEnum):
    """How far a backtest is: it waits for its turn, it runs, it has ended, or it could not go on."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ProgramNameView(View):
    """What a program was made of: a file by name, or a campaign's version; and what is swept over, `NAME=VALUES`."""

    filename: str | None
    campaign: str | None
    version: int | None
    sweep: str | None = None


class BacktestView(View):
    """A backtest. `step` says what it does while it runs; `done` of `total` is how far it is with that.

    That counts clips while it is `fetching clips`, and bytes while it is `running`; `total` is null while it is not
    known. `reason` says why it failed, and `remedy` what to do; `diagnostics` are the mistakes of the text of `program`
    (0 or 1), if those are why. It and its results are kept until `expires_at`.
    """

    id: str
    state: BacktestState
    programs: list[ProgramNameView]
    over: Over
    fleet: FleetRequest
    step: str | None
    done: int
    total: int | None
    reason: str | None
    remedy: str | None
    program: int | None
    diagnostics: list[DiagnosticView]
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime


class CampaignCostView(View):
    """What the clips of a campaign's day are expected to cost, by the newest price book."""

    campaign: str
    expected: ExpectedCostView


class ProgramResultView(View):
    """What one program did. `warnings` are the compiler's. `fires` is how many fires are kept for `/fires`.

    That is all of them unless `fires_left_out` is more than 0: then those of the first drives. `costs` is empty
    without a price book, a forecast or a campaign. `sweep` is null where none was asked for.
    """

    report: ReportView
    warnings: list[DiagnosticView]
    costs: list[CampaignCostView]
    fires: int
    fires_left_out: int
    sweep: SweepView | None = None


class ChangedFiresView(View):
    """Fires of a trigger that both programs have, on one drive or all on which it ran in both (null).

    Fires are the same if their capture windows touch; the nearest are matched first, each once. `both` are fires of
    both programs, `only_first` and `only_second` those of one alone. `ratio` is the rate of the second program divided
    by that of the first, paired over the drives; null on one drive, and where fires were left out.
    """

    trigger: str
    drive: str | None
    both: int
    only_first: int
    only_second: int
    ratio: PairedRatioView | None = None


class ProgramComparisonView(View):
    """Two programs side by side: the triggers of both, those of one alone, and what became of each fire.

    `fires` has each trigger over all drives first, and then by drive, of those with a fire. It is of the fires that are
    kept, and `complete` is false where some were left out.
    """

    only_first: list[str]
    only_second: list[str]
    fires: list[ChangedFiresView]
    complete: bool


class BacktestPage(BaseModel):
    """A backtest with its results: one for each program once it is done, none before that."""

    backtest: BacktestView
    results: list[ProgramResultView]
    comparison: ProgramComparisonView | None


class BacktestList(BaseModel):
    """A user's own backtests, the newest first."""

    backtests: list[BacktestView]


class BacktestFireView(View):
    """A fire, and the clip that a vehicle would have made of it.

    Times are in ns of the drive's own clock (Unix time for clips); `t_s` is in seconds after its first row.
    `start_ns` to `end_ns` is the capture window of this fire, `clip_bytes` the size of its clip alone. Fires of a
    trigger with the same `recording` share one clip. `outcome`: `kept`; `sampled`, kept by chance, as the campaign
    samples; `dropped`, with the `reason`; or `uncollected`, as no campaign of the file collects the trigger.
    `elsewhere` says whether the other program has it too, null without another, or where this trigger is not in it or
    did not run on the drive.
    """

    number: int
    trigger: str
    drive: str
    t_ns: int
    first_ns: int
    start_ns: int
    end_ns: int
    clip_bytes: int
    recording: int
    outcome: Literal["kept", "sampled", "dropped", "uncollected"]
    reason: str | None
    elsewhere: bool | None

    @computed_field
    def t_s(self) -> float:
        """Seconds after the drive's first row."""
        return (self.t_ns - self.first_ns) / NS_PER_S


class BacktestFires(BaseModel):
    """A page of the fires of a program, by drive and time; `next` is the position of the following one, or null."""

    fires: list[BacktestFireView]
    next: int | None
