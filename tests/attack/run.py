"""A run of the suite: one attack after the other, while witnesses go on with what they do."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import httpx

from tests.attack import books, checks
from tests.attack.attack import Attack, Notes
from tests.attack.target import Target
from tests.support.load.witness import Seen, Witnesses, witnesses
from tests.support.waiting import let_pass, wait_for
from triggers.errors import LongtailError

QUIET_S = 10.0
REST_S = 2.0
SETTLED_WITHIN_S = 240.0

Report = Callable[[str], None]


@dataclass
class Outcome:
    """What a run found, and how each attack went for the witnesses."""

    findings: list[str] = field(default_factory=list)
    attacks: list[str] = field(default_factory=list)
    requests: int = 0
    """Of the witnesses."""

    def summary(self) -> str:
        """One line for people."""
        return f"{len(self.attacks)} attacks, {self.requests} requests of witnesses, {len(self.findings)} findings"


@dataclass(frozen=True)
class _Span:
    """When an attack went on, and what to call it."""

    name: str
    from_s: float
    until_s: float


def run(target: Target, attacks: Iterable[Attack], *, seconds: float, report: Report, timed: bool) -> Outcome:
    """Try all attacks, and check after each and at the end what must hold.

    `timed`: whether the witnesses' waiting counts, too, against that of a quiet time before and after all attacks.
    """
    outcome, spans = Outcome(), []
    with witnesses(target.witness) as seen:
        quiet = [_quiet(seen, QUIET_S if timed else 0.0)]
        for attack in attacks:
            began_s = time.monotonic()
            findings, remarks = _tried(target, attack, seen, seconds)
            spans.append(_Span(attack.name, began_s, time.monotonic()))
            outcome.attacks.append(attack.name)
            outcome.findings += [f"{attack.name}: {finding}" for finding in findings]
            report(f"{attack.name}: {'FAILED' if findings else 'withstood'}")
            for line in (*remarks, *findings):
                report(f"    {line}")
            let_pass(REST_S if timed else 0.0, why="what an attack leaves behind is not the next one's")
        quiet.append(_quiet(seen, QUIET_S if timed else 0.0))
        outcome.findings += _at_the_end(target, seen)
        if timed:
            outcome.findings += _waits(seen, quiet, spans, report)
        outcome.requests = len(seen.since(0))
    return outcome


def _quiet(seen: Witnesses, seconds: float) -> _Span:
    began_s = time.monotonic()
    let_pass(seconds, why="how quickly a quiet deployment answers is what attacks are compared with")
    return _Span("quiet", began_s, time.monotonic())


def _tried(target: Target, attack: Attack, seen: Witnesses, seconds: float) -> tuple[list[str], list[str]]:
    """Try one attack; what does not hold, and remarks."""
    notes, before, began_s = Notes(), books.sizes(target), time.monotonic()
    try:
        attack.action(target, notes, seconds)
    except Exception as error:  # noqa: BLE001 - it is a finding, and the other attacks are tried all the same
        notes.findings.append(f"it could not be tried to its end: {type(error).__name__}: {error}")
    findings = [
        *notes.findings,
        *checks.unhelpful(_each_once(notes)),
        *checks.telling(notes.answers, target.strangers),
        *checks.kept_out(seen.since(began_s)),
        *_books_now(target, seen, before),
    ]
    return list(dict.fromkeys(findings)), notes.remarks


def _each_once(notes: Notes) -> list[checks.Answer]:
    return list({(answer.status, answer.body): answer for answer in notes.answers}.values())


def _books_now(target: Target, seen: Witnesses, before: checks.Sizes) -> Iterator[str]:
    try:
        now = books.books(target)
    except (LongtailError, httpx.HTTPError) as error:
        yield f"afterwards an administrator is answered: {error}"
        return
    yield from checks.wrong_books(now, acknowledged=seen.acknowledged + 1)  # one may be on its way to us
    yield from checks.uncharged_growth(before, books.sizes(target))


def _at_the_end(target: Target, seen: Witnesses) -> Iterator[str]:
    """What must hold once all work is done: counts, ledger, and what the doctor knows."""
    yield from checks.kept_out(seen.since(0))
    acknowledged = 0

    def settled() -> bool:
        nonlocal acknowledged
        acknowledged = seen.acknowledged
        return not list(checks.not_settled(books.books(target), acknowledged=acknowledged))

    try:
        wait_for(settled, within_s=SETTLED_WITHIN_S, what="the cataloguing of the witness's clips")
    except AssertionError:
        yield from checks.not_settled(books.books(target), acknowledged=acknowledged)
    yield from books.complaints(target)


def _waits(seen: Witnesses, quiet: list[_Span], spans: list[_Span], report: Report) -> Iterator[str]:
    calm = [each for span in quiet for each in _within(seen, span)]
    report(f"quiet: {_told(calm)}")
    for span in spans:
        during = _within(seen, span)
        report(f"{span.name}: {_told(during)}")
        yield from (f"{span.name}: {sentence}" for sentence in checks.slower(calm, during))


def _within(seen: Witnesses, span: _Span) -> list[Seen]:
    return seen.since(span.from_s, until_s=span.until_s if span.until_s > span.from_s else math.inf)


def _told(seen: list[Seen]) -> str:
    by_stream = {stream: [each for each in seen if each.stream == stream] for stream in checks.STREAMS}
    return ", ".join(f"{name} p99 {checks.percentile(each) * 1000:.0f} ms" for name, each in by_stream.items())
